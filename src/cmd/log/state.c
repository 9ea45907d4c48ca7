/* dfopt-log state: the planner's state, as the rows of the log tell it. */
#include "cmd/log/job.h"
#include "codec/codec.h"
#include "state/fold.h"

static enum dfopt_err print_state(struct log_job *j, const struct dfopt_dict *dict,
                                  struct dfopt_fold *f)
{
    enum dfopt_err e = dfopt_codec_state_json(
        dict, DFOPT_ROW(&f->rows, struct dfopt_state_row),
        DFOPT_ROWS(&f->rows, struct dfopt_state_row),
        DFOPT_ROW(&f->suppressions, struct dfopt_suppression_state),
        DFOPT_ROWS(&f->suppressions, struct dfopt_suppression_state),
        &j->print.out);
    log_put(&j->print, "\n");
    return e;
}

static enum dfopt_err fold(struct log_job *j, uint64_t at)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_fold f = {.next_seq = 0};
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_fold_names(j->reader, dict);
    if (!e)
        e = dfopt_fold_log(&f, j->reader, dict, at, &j->err);
    if (!e)
        e = print_state(j, dict, &f);
    else if (j->err.code)
        dfopt_error_prefix(&j->err, "%s", j->args.file[0]);
    dfopt_fold_free(&f);
    dfopt_dict_destroy(dict);
    return e;
}

static const struct argp_option options[] = {
    {"at", 'a', "SEQ", 0,
     "The state after event number SEQ (default: after the last one)", 0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    uint64_t *at = state->input;
    if (key != 'a')
        return ARGP_ERR_UNKNOWN;
    *at = log_args_number(state, "at", text, UINT64_MAX);
    return 0;
}

int log_state(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Prints the state that the planner had: values, plans in flight, "
               "suppressions, cooldowns; as one JSON object, like --final-state of "
               "dfopt-mpi.\v"
               "It is put together from what the log holds, at any detail; a run "
               "that is resumed starts from it.\n"};
    uint64_t at = UINT64_MAX;
    struct log_job job = {.args = {.n_files = 1}};
    log_args_parse(&job.args, &argp, &at, argc, argv); /* always JSON */
    if (!log_start(&job))
        return LOG_TROUBLE;
    return log_end(&job, fold(&job, at));
}
