/* A sweep: many variants of the policy over one recording. Results are kept in
 * memory and, as they arrive, in a journal beside the output. The output is written
 * when all are complete. */
#include "cmd/mpi/run.h"

#include "cmd/mpi/files.h"
#include "cmd/mpi/progress.h"
#include "cmd/mpi/sweep_report.h"
#include "policy/policy_json.h"
#include "policy/sweep_json.h"
#include "json/write.h"
#include "transport/file/whole.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* ---- before anything runs ---- */

static enum dfopt_err read_sweep(struct dfopt_sweep_run *s, struct dfopt_error *err)
{
    const char *path = s->session->options->sweep.file;
    enum dfopt_err e = dfopt_file_read(path, s->session->stop, &s->text, err);
    if (e)
        return e;
    e = dfopt_sweep_read(s->session->dict, s->text.data, s->text.len,
                         &s->session->policy, &s->variants, err);
    if (e)
        dfopt_error_prefix(err, "%s", path);
    else if (dfopt_buf_add(&s->text, "", 1)) /* NUL-terminated, for the file */
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    return e;
}

/* The run's subject, besides its input. */
static enum dfopt_err make_policies(struct dfopt_sweep_run *s)
{
    const struct dfopt_session *u = s->session;
    struct dfopt_buf text = {0};
    enum dfopt_err e = DFOPT_OK;
    uint64_t digest = u->assumed_acks;
    s->policies = calloc(s->variants.n + 1, sizeof(char *));
    s->results = calloc(s->variants.n + 1, sizeof *s->results);
    s->initial = calloc(u->initial.n + 1, sizeof *s->initial);
    if (!s->policies || !s->results || !s->initial)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < s->variants.n && !e; i++) {
        dfopt_buf_clear(&text);
        e = dfopt_policy_json(u->dict, &s->variants.policies[i], &text);
        if (!e)
            e = dfopt_buf_add(&text, "", 1);
        if (!e && !(s->policies[i] = strdup(text.data)))
            e = DFOPT_ERR_NOMEM;
        if (!e)
            digest = XXH3_64bits_withSeed(text.data, text.len, digest);
    }
    for (size_t i = 0; i < u->initial.n; i++) {
        s->initial[i] = u->initial.items[i].registration;
        digest = XXH3_64bits_withSeed(u->initial.items[i].body,
                                      u->initial.items[i].body_len, digest);
    }
    s->config_digest = XXH3_64bits_withSeed(
        u->options->relay_hostname, strlen(u->options->relay_hostname), digest);
    dfopt_buf_free(&text);
    return e;
}

static enum dfopt_err check_chosen(struct dfopt_sweep_run *s,
                                   struct dfopt_error *err)
{
    const struct dfopt_options *o = s->session->options;
    s->chosen = calloc(s->variants.n + 1, sizeof *s->chosen);
    if (!s->chosen)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < o->sweep.n_decisions; i++) {
        if (o->sweep.decisions[i] >= s->variants.n)
            return dfopt_error_set(err, DFOPT_ERR_ARG,
                                   "--sweep-decisions: no variant %" PRIu64
                                   "; the sweep has %zu, from 0",
                                   o->sweep.decisions[i], s->variants.n);
        s->chosen[o->sweep.decisions[i]] = true;
    }
    return DFOPT_OK;
}

static enum dfopt_err check_outputs(struct dfopt_sweep_run *s,
                                    struct dfopt_error *err)
{
    const struct dfopt_options *o = s->session->options;
    if (o->sweep.dry_run)
        return DFOPT_OK;
    if (asprintf(&s->journal_path, "%s.journal", o->sweep.output) < 0)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = dfopt_sweep_file_check(o->sweep.output, err);
    if (!e)
        e = dfopt_file_may_write(o->sweep.output, err);
    s->resumes = access(s->journal_path, F_OK) == 0;
    if (!e && s->resumes && !o->sweep.resume)
        e = dfopt_error_set(err, DFOPT_ERR_STATE,
                            "%s: left by an interrupted sweep; resume it with "
                            "--sweep-resume, or remove the file",
                            s->journal_path);
    return e;
}

static enum dfopt_err prepare(struct dfopt_sweep_run *s, struct dfopt_error *err)
{
    enum dfopt_err e = read_sweep(s, err);
    if (!e && make_policies(s))
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = check_chosen(s, err);
    return e ? e : check_outputs(s, err);
}

/* ---- the list of variants ---- */

static enum dfopt_err list_variant(const struct dfopt_sweep_run *s, size_t variant,
                                   struct dfopt_buf *out)
{
    enum dfopt_err e = dfopt_buf_printf(out, "{\"variant\":%zu", variant);
    for (size_t p = 0; p < s->variants.n_parameters && !e; p++) {
        const char *path = s->variants.paths[p];
        const char *text = dfopt_sweep_setting_text(&s->variants, variant, p);
        if (!*text)
            continue;
        e = dfopt_buf_add(out, ",", 1);
        if (!e)
            e = dfopt_json_write_text(path, strlen(path), out);
        if (!e)
            e = dfopt_buf_printf(out, ":%s", text);
    }
    return e ? e : dfopt_buf_add(out, "}\n", 2);
}

static int list_variants(struct dfopt_sweep_run *s)
{
    struct dfopt_buf out = {0};
    struct dfopt_error err = {0};
    enum dfopt_err e =
        dfopt_buf_printf(&out, "{\"variants\":%zu}\n", s->variants.n);
    for (size_t i = 0; i < s->variants.n && !e; i++)
        e = list_variant(s, i, &out);
    if (e)
        dfopt_error_set(&err, e, "%s", dfopt_err_text(e));
    else
        e = dfopt_file_write("-", &out, &err);
    dfopt_buf_free(&out);
    if (e)
        dfopt_session_failed(s->session, "optimizer.output.failed", &err);
    return e ? DFOPT_EXIT_FAILED : DFOPT_EXIT_OK;
}

/* ---- the run ---- */

/* Keeps a result in memory. */
static enum dfopt_err store(void *arg, const void *result, size_t len)
{
    struct dfopt_sweep_run *s = arg;
    struct dfopt_sweep_result r;
    if (!dfopt_sweep_result_open(result, len, s->n_knobs, &r) ||
        r.metrics->variant >= s->variants.n)
        return DFOPT_ERR_FORMAT;
    struct dfopt_buf *at = &s->results[r.metrics->variant];
    if (at->len)
        return DFOPT_OK; /* a duplicate */
    s->n_results++;
    return dfopt_buf_add(at, result, len);
}

static enum dfopt_err keep(void *arg, const void *result, size_t len,
                           struct dfopt_error *err)
{
    struct dfopt_sweep_run *s = arg;
    enum dfopt_err e = store(s, result, len);
    if (e)
        return dfopt_error_set(err, e, "malformed result of a rank: %s",
                               dfopt_err_text(e));
    return dfopt_sweep_journal_add(s->journal, result, len, err);
}

static enum dfopt_err loaded(void *arg, const struct dfopt_recording *r, bool *done,
                             struct dfopt_error *err)
{
    struct dfopt_sweep_run *s = arg;
    s->n_knobs = DFOPT_ROWS(&r->knobs, dfopt_sym);
    const struct dfopt_sweep_key key = {.input = r->digest,
                                        .config = s->config_digest,
                                        .variants = s->variants.n,
                                        .knobs = s->n_knobs};
    enum dfopt_err e =
        s->resumes
            ? dfopt_sweep_journal_resume(&s->journal, s->journal_path, &key, store,
                                         s, err)
            : dfopt_sweep_journal_create(&s->journal, s->journal_path, &key, err);
    for (size_t i = 0; i < s->variants.n && !e; i++)
        done[i] = s->results[i].len > 0;
    s->n_resumed = s->n_results;
    s->line.start_ns = dfopt_clock_monotonic_ns();
    if (s->resumes && !e)
        dfopt_log_event(s->session->log, DFOPT_LOG_INFO, "optimizer.sweep.resumed",
                        DFOPT_F_INT("finished", s->n_resumed),
                        DFOPT_F_INT("variants", s->variants.n));
    return e;
}

static void show(void *arg, size_t decided, size_t left)
{
    const struct dfopt_sweep_run *s = arg;
    dfopt_progress_sweep(&s->line, decided, left,
                         dfopt_recording_findings(&s->recording));
}

static enum dfopt_err decide(struct dfopt_sweep_run *s, struct dfopt_error *err)
{
    const struct dfopt_session *u = s->session;
    const bool show_line = !u->options->no_progress && isatty(STDERR_FILENO);
    if (s->variants.n) /* the last variant has the metrics of all */
        dfopt_codec_metrics(u->codec,
                            &s->variants.policies[s->variants.n - 1].metrics);
    s->world = (struct dfopt_variant_world){
        .recording = &s->recording,
        .dict = u->dict,
        .initial = s->initial,
        .n_initial = u->initial.n,
        .assumed_acks = u->assumed_acks,
        .relay_hostname = dfopt_dict_intern_z(u->dict, u->options->relay_hostname),
    };
    const struct dfopt_sweep_config config = {
        .world = &s->world,
        .codec = u->codec,
        .input = {.patterns = u->options->findings_files,
                  .n = u->options->n_findings_files,
                  .max_record_bytes = (size_t)u->options->max_record_bytes,
                  .strict = u->options->strict,
                  .stop = u->stop},
        .policies = s->variants.policies,
        .n_variants = s->variants.n,
        .memory_bytes = (uint64_t)u->options->sweep.memory_mib << 20,
        .loaded = loaded,
        .keep = keep,
        .progress = show_line ? show : NULL,
        .arg = s,
    };
    s->line.out = stderr;
    enum dfopt_err e = dfopt_sweep_run(u->comm, &config, &s->recording, err);
    if (show_line)
        dfopt_progress_end(&s->line);
    return e;
}

static void say_done(struct dfopt_sweep_run *s, int64_t decided_ns)
{
    const size_t now = s->n_results - s->n_resumed;
    const double seconds = (double)decided_ns / 1e9;
    const double all =
        (double)now * (double)dfopt_recording_findings(&s->recording);
    dfopt_log_event(
        s->session->log, DFOPT_LOG_INFO, "optimizer.sweep.done",
        DFOPT_F_INT("variants", s->variants.n), DFOPT_F_INT("decided", now),
        DFOPT_F_INT("findings", dfopt_recording_findings(&s->recording)),
        DFOPT_F_INT("invalid", s->recording.invalid),
        DFOPT_F_REAL("seconds", seconds),
        DFOPT_F_REAL("finding_decisions_per_second",
                     seconds > 0 ? all / seconds : 0),
        DFOPT_F_TEXT("output", s->session->options->sweep.output));
}

static int run(struct dfopt_sweep_run *s)
{
    struct dfopt_error err = {0};
    enum dfopt_err e = decide(s, &err);
    const int64_t decided_ns = dfopt_clock_monotonic_ns() - s->line.start_ns;
    if (e == DFOPT_ERR_INTERRUPTED) {
        dfopt_log_event(s->session->log, DFOPT_LOG_INFO, "optimizer.sweep.stopped",
                        DFOPT_F_INT("finished", s->n_results),
                        DFOPT_F_INT("variants", s->variants.n),
                        DFOPT_F_TEXT("journal", s->journal_path));
        return DFOPT_EXIT_STOPPED;
    }
    if (e) {
        dfopt_session_failed(s->session, "optimizer.failed", &err);
        return DFOPT_EXIT_FAILED;
    }
    if (dfopt_sweep_report(s, &err)) {
        dfopt_session_failed(s->session, "optimizer.output.failed", &err);
        return DFOPT_EXIT_FAILED;
    }
    unlink(s->journal_path); /* no longer needed */
    say_done(s, decided_ns);
    return DFOPT_EXIT_OK;
}

static void release(struct dfopt_sweep_run *s)
{
    dfopt_sweep_journal_close(s->journal);
    for (size_t i = 0; i < s->variants.n; i++) {
        if (s->policies)
            free(s->policies[i]);
        if (s->results)
            dfopt_buf_free(&s->results[i]);
    }
    free(s->policies);
    free(s->results);
    free(s->initial);
    free(s->chosen);
    free(s->journal_path);
    dfopt_recording_free(&s->recording);
    dfopt_sweep_variants_free(&s->variants);
    dfopt_buf_free(&s->text);
}

/* Whether the input has objectives, which judge the actions of the recorded job. */
static bool has_objectives(const struct dfopt_recording *r)
{
    const size_t n = DFOPT_ROWS(&r->others, struct dfopt_recording_other);
    for (size_t i = 0; i < n; i++)
        if (DFOPT_ROW(&r->others, const struct dfopt_recording_other)[i]
                .event.stream == DFOPT_STREAM_OBJECTIVE)
            return true;
    return false;
}

static void say_start(const struct dfopt_sweep_run *s)
{
    const struct dfopt_session *session = s->session;
    dfopt_log_event(
        session->log, DFOPT_LOG_INFO, "optimizer.sweep.start",
        DFOPT_F_INT("variants", s->variants.n),
        DFOPT_F_INT("parameters", s->variants.n_parameters),
        DFOPT_F_INT("ranks", dfopt_comm_size(session->comm)),
        DFOPT_F_TEXT("acks", session->assumed_acks ? "assumed" : "explicit"));
    if (has_objectives(&s->recording))
        dfopt_log_event(
            session->log, DFOPT_LOG_WARNING, "optimizer.sweep.outcomes",
            DFOPT_F_TEXT("message",
                         "the input has objectives, which judge what the "
                         "job did when it was recorded: outcomes of a "
                         "variant's trials say nothing about the variant"));
}

int dfopt_run_sweep(const struct dfopt_session *session)
{
    struct dfopt_sweep_run s = {.session = session};
    struct dfopt_error err = {0};
    int code = DFOPT_EXIT_USAGE;
    if (prepare(&s, &err)) {
        dfopt_session_failed(session, "optimizer.config.invalid", &err);
    } else if (session->options->sweep.dry_run) {
        code = list_variants(&s);
    } else {
        say_start(&s);
        code = run(&s);
    }
    release(&s);
    return code;
}
