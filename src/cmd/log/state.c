/* dfopt-log state: the planner's state, computed from the log's rows. */
#include "cmd/log/common.h"
#include "codec/codec.h"
#include "state/fold.h"

struct wish {
    uint64_t at; /* the event */
};

static enum dfopt_err print_state(struct dl_job *j, const struct dfopt_dict *dict,
                                  struct dfopt_fold *f)
{
    enum dfopt_err e = dfopt_codec_state_json(
        dict, DFOPT_ROW(&f->rows, struct dfopt_state_row),
        DFOPT_ROWS(&f->rows, struct dfopt_state_row),
        DFOPT_ROW(&f->suppressions, struct dfopt_suppression_state),
        DFOPT_ROWS(&f->suppressions, struct dfopt_suppression_state),
        &j->print.out);
    dl_put(&j->print, "\n");
    return e;
}

static enum dfopt_err fold(struct dl_job *j, uint64_t at)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_fold f = {.next_seq = 0};
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_fold_names(j->reader, dict);
    if (!e)
        e = dfopt_fold_log(&f, j->reader, dict, at, false, &j->err);
    if (!e)
        e = print_state(j, dict, &f);
    else if (j->err.code)
        dfopt_error_prefix(&j->err, "%s", j->args.file[0]);
    dfopt_fold_free(&f);
    dfopt_dict_destroy(dict);
    return e;
}

#define AT(member) DFOPT_OPTION_AT(struct wish, member)

static const struct dfopt_option options[] = {
    {"at", DFOPT_OPTION_COUNT, "SEQ",
     "Print the state after event SEQ (default: the last)", 'a', AT(at)},
    {.name = NULL}};

int dl_state(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc =
            "Print the planner's state as one JSON object, as --final-state of "
            "dfopt-mpi does: values, plans in flight, suppressions and cooldowns.\v"
            "All input is decided again, so the log must have been written with "
            "--log-detail=findings; under a policy like the preset upstream any "
            "detail will do. A resumed run starts from this state.\n"};
    struct wish s = {.at = UINT64_MAX};
    struct dl_job job = {.args = {.n_files = 1}};
    dl_args_parse(&job.args, &command, &s, argc, argv); /* always JSON */
    if (!dl_start(&job))
        return DL_TROUBLE;
    return dl_end(&job, fold(&job, s.at));
}
