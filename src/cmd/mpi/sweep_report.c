/* Turns results into the file of a sweep. Variants whose decisions are wanted are
 * decided again, block by block. */
#include "cmd/mpi/sweep_report.h"

#include <stdlib.h>

#define CHUNK_FINDINGS 65536

static enum dfopt_err write_decisions(struct dfopt_sweep_run *s,
                                      struct dfopt_sweep_writer *w,
                                      uint64_t variant, struct dfopt_error *err)
{
    const size_t n = dfopt_recording_findings(&s->recording);
    struct dfopt_variant v = {0};
    struct dfopt_decisions rows = {0};
    enum dfopt_err e =
        dfopt_variant_start(&v, &s->world, &s->variants.policies[variant], variant);
    size_t at = 0;
    do {
        const size_t end = n - at > CHUNK_FINDINGS ? at + CHUNK_FINDINGS : n;
        dfopt_decisions_clear(&rows);
        if (!e)
            e = dfopt_variant_run(&v, &s->world, at, end, true, &rows);
        if (e)
            dfopt_error_set(err, e, "%s", dfopt_err_text(e));
        else
            e = dfopt_sweep_writer_decisions(w, variant, &rows, err);
        at = end;
    } while (at < n && !e);
    dfopt_variant_end(&v);
    dfopt_decisions_free(&rows);
    return e;
}

static enum dfopt_err write_file(struct dfopt_sweep_run *s,
                                 const struct dfopt_sweep_report *report,
                                 struct dfopt_error *err)
{
    const struct dfopt_options *o = s->session->options;
    struct dfopt_sweep_writer *w = NULL;
    enum dfopt_err e = dfopt_sweep_writer_create(&w, o->sweep.output, report, err);
    for (size_t i = 0; i < s->variants.n && !e; i++)
        if (s->chosen[i])
            e = write_decisions(s, w, i, err);
    if (!w)
        return e;
    const struct dfopt_dict *dict = o->sweep.n_decisions ? s->session->dict : NULL;
    const enum dfopt_err closed =
        dfopt_sweep_writer_close(&w, !e, dict, e ? NULL : err);
    return e ? e : closed;
}

enum dfopt_err dfopt_sweep_report(struct dfopt_sweep_run *s,
                                  struct dfopt_error *err)
{
    const struct dfopt_session *u = s->session;
    const struct dfopt_recording *r = &s->recording;
    const dfopt_sym *ids = DFOPT_ROW(&r->knobs, const dfopt_sym);
    struct dfopt_buf arguments = {0};
    char created[32];
    struct dfopt_sweep_result *results = calloc(s->variants.n + 1, sizeof *results);
    const char **knobs = calloc(s->n_knobs + 1, sizeof(char *));
    enum dfopt_err e = DFOPT_ERR_NOMEM;
    dfopt_log_time(dfopt_clock_wall_ns(), created);
    if (results && knobs)
        e = dfopt_options_join(u->argc, u->argv, &arguments);
    for (size_t i = 0; i < s->variants.n && !e; i++)
        if (!dfopt_sweep_result_open(s->results[i].data, s->results[i].len,
                                     s->n_knobs, &results[i]))
            e = DFOPT_ERR_STATE;
    for (size_t k = 0; k < s->n_knobs && !e; k++)
        knobs[k] = dfopt_dict_text(u->dict, ids[k], NULL);
    const struct dfopt_sweep_report report = {
        .variants = &s->variants,
        .policies = (const char *const *)s->policies,
        .results = results,
        .knobs = knobs,
        .n_knobs = s->n_knobs,
        .program_version = DFOPT_VERSION,
        .mpi_library = dfopt_comm_library(u->comm),
        .command_line = arguments.data,
        .preset =
            u->options->preset == DFOPT_PRESET_UPSTREAM ? "upstream" : "default",
        .acks_mode = u->assumed_acks ? "assumed" : "explicit",
        .created = created,
        .sweep = s->text.data,
        .ranks = dfopt_comm_size(u->comm),
        .records = (int64_t)r->records,
        .findings = (int64_t)dfopt_recording_findings(r),
        .invalid = (int64_t)r->invalid,
        .nodes = r->n_nodes,
        .episodes = (int64_t)DFOPT_ROWS(&r->onsets, int64_t),
        .severity = r->severity,
    };
    if (e)
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    else
        e = write_file(s, &report, err);
    dfopt_buf_free(&arguments);
    free(results);
    free((void *)knobs);
    return e;
}
