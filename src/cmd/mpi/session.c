/* One run. All configuration is read and checked first, so that a mistake ends the
 * program before any output is touched. Then outputs are opened, the run is led,
 * and everything is closed. */
#include "cmd/mpi/session.h"

#include "cmd/mpi/endpoints.h"
#include "cmd/mpi/files.h"
#include "cmd/mpi/paths.h"
#include "cmd/mpi/run.h"
#include "cmd/mpi/supervise.h"
#include "journal/line.h"
#include "policy/policy_json.h"
#include "transport/file/file.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

void dfopt_session_failed(const struct dfopt_session *s, const char *event,
                          const struct dfopt_error *e)
{
    dfopt_log_event(s->log, DFOPT_LOG_ERROR, event, DFOPT_F_TEXT("error", e->text));
}

/* ---- before anything runs ---- */

/* An identity unique to the run, barring chance. Not 0. */
static uint32_t new_run(void)
{
    uint32_t run;
    if (getrandom(&run, sizeof run, 0) != (ssize_t)sizeof run)
        run = (uint32_t)(dfopt_clock_wall_ns() / 1000) ^ (uint32_t)getpid();
    return run ? run : 1;
}

static enum dfopt_err configure(struct dfopt_session *s, struct dfopt_error *err)
{
    const size_t envelope = s->mode->is_service ? DFOPT_RECORD_ENVELOPE_BYTES : 0;
    enum dfopt_err e = dfopt_dict_create(&s->dict, false);
    if (!e && s->options->resume) { /* its names come first */
        e = dfopt_resume_open(&s->resume, s->options->resume, s->dict, err);
        if (e)
            return e;
    }
    if (s->mode->is_service)
        s->run = s->options->resume ? dfopt_resume_run(&s->resume) : new_run();
    const struct dfopt_codec_limits limits = {
        .max_record_bytes = (size_t)s->options->max_record_bytes - envelope,
        .run = s->run,
        .preset = s->options->preset,
    };
    if (!e)
        e = dfopt_codec_create(&s->codec, s->dict, &limits);
    if (!e)
        e = dfopt_tally_create(&s->tally, s->dict, 0);
    if (e)
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    e = dfopt_policy_load(&s->policy, s->options, s->dict, s->stop, err);
    if (!e)
        dfopt_codec_metrics(s->codec, &s->policy.metrics);
    if (!e)
        e = dfopt_initial_load(&s->initial, s->options, s->codec, &s->policy,
                               s->stop, err);
    if (!e && s->mode->open_input)
        e = s->mode->open_input(s, err);
    return e;
}

/* ---- handling of acks ---- */

static enum dfopt_err choose_acks(struct dfopt_session *s, struct dfopt_error *err)
{
    bool explicit = true;
    if (s->options->acks == DFOPT_ACKS_AUTO &&
        s->options->preset != DFOPT_PRESET_UPSTREAM) {
        enum dfopt_err e = s->mode->find_acks(s, &explicit, err);
        if (e)
            return e;
    }
    s->assumed_acks = s->options->acks == DFOPT_ACKS_ASSUMED || !explicit;
    return DFOPT_OK;
}

/* ---- resuming ---- */

/* Checks that the run fits the log and finds its position in the input. Drops the
 * initial registrations if the log has the same. */
static enum dfopt_err resume(struct dfopt_session *s, struct dfopt_error *err)
{
    const struct dfopt_resume_rules now = {
        .dict = s->dict,
        .policy = &s->policy,
        .assumed_acks = s->assumed_acks,
        .relay_hostname = s->options->relay_hostname,
        .initial = &s->initial.bodies,
    };
    if (!s->options->resume)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_resume_compare(&s->resume, &now, err);
    if (e == DFOPT_ERR_ARG && s->options->allow_policy_change) {
        dfopt_session_failed(s, "optimizer.policy.changed", err);
        e = dfopt_resume_change_rules(&s->resume, &now, err);
    }
    if (!e && dfopt_resume_has_initial(&s->resume, &s->initial.bodies))
        dfopt_initial_drop(&s->initial);
    if (!e)
        e = dfopt_tally_read(s->tally, s->resume.reader, err);
    if (!e && s->mode->resume_input)
        e = s->mode->resume_input(s, err);
    return e;
}

/* ---- outputs ---- */

/* This machine's host name; "" if it has none. */
static const char *host_name(void)
{
    static struct utsname names;
    return uname(&names) == 0 ? names.nodename : "";
}

static enum dfopt_err open_declog(struct dfopt_session *s, struct dfopt_error *err)
{
    struct dfopt_buf policy = {0}, arguments = {0};
    char run_id[9];
    snprintf(run_id, sizeof run_id, "%08" PRIx32, s->run);
    enum dfopt_err e = dfopt_policy_json(s->dict, &s->policy, &policy);
    if (!e)
        e = dfopt_buf_add(&policy, "", 1);
    if (!e)
        e = dfopt_options_join(s->argc, s->argv, &arguments);
    if (e) {
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    } else {
        const struct dfopt_declog_options log = {
            .path = s->options->decision_log,
            .compression = s->options->log_compression,
            .detail = s->options->log_detail,
            .created_ns = dfopt_clock_wall_ns(),
            .ranks = dfopt_comm_size(s->comm),
            .pid = (uint64_t)getpid(),
            .min_effect = s->policy.on.min_effect,
            .program_version = DFOPT_VERSION,
            .mpi_library = dfopt_comm_library(s->comm),
            .transport = s->options->transport_name,
            .command_line = arguments.data,
            .policy = policy.data,
            .preset = s->options->preset == DFOPT_PRESET_UPSTREAM ? "upstream"
                                                                  : "default",
            .acks_mode = s->assumed_acks ? "assumed" : "explicit",
            .relay_hostname = s->options->relay_hostname,
            .host = host_name(),
            .run_id = s->run ? run_id : "",
        };
        e = s->options->resume
                ? dfopt_declog_resume(&s->declog, s->dict, s->resume.reader, &log,
                                      err)
                : dfopt_declog_create(&s->declog, s->dict, &log, err);
    }
    dfopt_buf_free(&policy);
    dfopt_buf_free(&arguments);
    return e;
}

static enum dfopt_err open_recording(struct dfopt_session *s,
                                     struct dfopt_error *err)
{
    struct dfopt_buf last = {0}; /* each record is a line; those not in the log come
                                    again from the journal */
    struct dfopt_file_lines logged = {.keep = s->resume.fold.next_seq,
                                      .last = &last};
    enum dfopt_err e =
        s->options->resume
            ? dfopt_file_sink_reopen(&s->recording, s->options->live.record,
                                     &logged, err)
            : dfopt_file_sink_create(&s->recording, s->options->live.record, err);
    dfopt_buf_free(&last);
    return e;
}

static enum dfopt_err open_outputs(struct dfopt_session *s, struct dfopt_error *err)
{
    /* check all before creating any */
    enum dfopt_err e = dfopt_file_may_write(s->options->plans_file, err);
    if (!e)
        e = dfopt_file_may_write(s->options->final_state_file, err);
    if (!e)
        e = dfopt_file_may_write(s->options->decision_log, err);
    if (!e)
        e = dfopt_file_may_write(s->options->live.record, err);
    if (!e)
        e = dfopt_endpoints_check(s->options->live.endpoints_file, err);
    if (!e && s->mode->open_endpoints)
        e = s->mode->open_endpoints(s, err);
    if (!e && s->options->plans_file)
        e = s->options->resume
                ? dfopt_resume_plans(&s->resume, s->options->plans_file,
                                     &s->plans_file, err)
                : dfopt_file_sink_create(&s->plans_file, s->options->plans_file,
                                         err);
    if (!e && s->options->live.record)
        e = open_recording(s, err);
    if (!e && s->options->decision_log)
        e = open_declog(s, err);
    if (!e && s->options->decision_log && s->mode->open_journal)
        e = s->mode->open_journal(s, err);
    return e;
}

/* ---- the run and its end ---- */

static void say_done(struct dfopt_session *s)
{
    static const char *const done_event[] = {
        [DFOPT_TRANSPORT_FILE] = "optimizer.file.done",
        [DFOPT_TRANSPORT_ZMQ] = "optimizer.zmq.done",
        [DFOPT_TRANSPORT_MOFKA] = "optimizer.stream.done"};
    const struct dfopt_totals *t = &s->result.totals;
    struct dfopt_buf *x = &s->text;
    dfopt_buf_clear(x);
    enum dfopt_err e = dfopt_codec_knob_state_json(
        s->dict, DFOPT_ROW(&s->result.state, const struct dfopt_state_row),
        DFOPT_ROWS(&s->result.state, struct dfopt_state_row), x);
    if (!e)
        e = dfopt_buf_add(x, "", 1);
    const size_t verdicts = x->len;
    bool first = true;
    if (!e)
        e = dfopt_buf_printf(x, "{");
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT && !e; v++)
        if (t->verdicts[v]) {
            e = dfopt_buf_printf(x, "%s\"%s\":%" PRIu64, first ? "" : ",",
                                 dfopt_verdict_name(v), t->verdicts[v]);
            first = false;
        }
    if (!e)
        e = dfopt_buf_add(x, "}", 2);
    if (e)
        return;
    dfopt_log_event(
        s->log, DFOPT_LOG_INFO, done_event[s->options->transport],
        DFOPT_F_INT("findings", t->by_stream[DFOPT_STREAM_FINDING]),
        DFOPT_F_INT("plan_count", t->plans), DFOPT_F_JSON("knob_state", x->data),
        DFOPT_F_INT("records", t->records),
        DFOPT_F_INT("recognised", t->recognised),
        DFOPT_F_INT("invalid", t->invalid),
        DFOPT_F_INT("skipped_inputs", t->skipped_inputs),
        DFOPT_F_INT("registrations", t->by_stream[DFOPT_STREAM_REGISTRATION]),
        DFOPT_F_INT("acks", t->by_stream[DFOPT_STREAM_ACK]),
        DFOPT_F_INT("acks_unmatched", t->acks_unmatched),
        DFOPT_F_INT("acks_contradict", t->acks_contradict),
        DFOPT_F_INT("objectives", t->by_stream[DFOPT_STREAM_OBJECTIVE]),
        DFOPT_F_INT("global_plans", t->by_stream[DFOPT_STREAM_GLOBAL_PLAN]),
        DFOPT_F_INT("relayed", t->relays),
        DFOPT_F_JSON("verdicts", x->data + verdicts),
        DFOPT_F_BOOL("stopped", s->result.stopped));
}

/* Where every rank reads, its rows stay with it, and no line has named them. */
static void tell_of_conflicts(const struct dfopt_session *s)
{
    const uint64_t n = s->result.totals.verdicts[DFOPT_VERDICT_CONFLICT];
    if (n > s->result.totals.conflicts_told)
        dfopt_log_event(s->log, DFOPT_LOG_WARNING, "optimizer.registry.conflict",
                        DFOPT_F_INT("count", n),
                        DFOPT_F_TEXT("note",
                                     "knobs that belong to other functions were "
                                     "refused; --readers one names them"));
}

static enum dfopt_err write_final_state(struct dfopt_session *s,
                                        struct dfopt_error *err)
{
    struct dfopt_buf *x = &s->text;
    dfopt_buf_clear(x);
    enum dfopt_err e = dfopt_codec_state_json(
        s->dict, DFOPT_ROW(&s->result.state, struct dfopt_state_row),
        DFOPT_ROWS(&s->result.state, struct dfopt_state_row),
        DFOPT_ROW(&s->result.suppressions, struct dfopt_suppression_state),
        DFOPT_ROWS(&s->result.suppressions, struct dfopt_suppression_state), x);
    if (!e)
        e = dfopt_buf_add(x, "\n", 1);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e))
             : dfopt_file_write(s->options->final_state_file, x, err);
}

/* Collects the sinks of plans in use. */
static size_t list_sinks(const struct dfopt_session *s,
                         struct dfopt_sink *sinks[DFOPT_SINKS_MAX])
{
    size_t n = 0;
    if (s->plans_file)
        sinks[n++] = s->plans_file;
    if (s->live.plans)
        sinks[n++] = s->live.plans;
    return n;
}

/* An input whose records are all invalid is a mistake that must show. */
static bool is_all_invalid(const struct dfopt_session *s)
{
    struct dfopt_error err;
    const struct dfopt_totals *t = &s->result.totals;
    if (s->mode->is_service || t->records == 0 || t->invalid < t->records)
        return false;
    dfopt_error_set(&err, DFOPT_ERR_SCHEMA,
                    "none of the %" PRIu64
                    " records of the input is usable; see optimizer.record.invalid",
                    t->records);
    dfopt_session_failed(s, "optimizer.input.failed", &err);
    return true;
}

static int run_leader(struct dfopt_session *s)
{
    struct dfopt_error err = {0};
    struct dfopt_run_config config = {
        .dict = s->dict,
        .codec = s->codec,
        .policy = &s->policy,
        .assumed_acks = s->assumed_acks,
        .relay_hostname = dfopt_dict_intern_z(s->dict, s->options->relay_hostname),
        .resume = s->options->resume ? &s->resume.fold : NULL,
        .tally = s->tally,
        .initial = s->initial.items,
        .n_initial = s->initial.n,
        .recording = s->recording,
        .recording_max_line = (size_t)s->options->max_record_bytes,
        .run = s->run,
        .declog = &s->declog,
        .log = s->log,
        .strict = s->options->strict,
        .batch_events = (uint32_t)s->options->batch_events,
        .batches_in_flight = (uint32_t)s->options->batches_on_way,
        .flush_interval_ns = s->options->log_flush_ms * 1000000,
        .wait_ms = s->options->live.pull_timeout_ms < 100
                       ? (int)s->options->live.pull_timeout_ms
                       : 0,
        .stop = s->stop,
    };
    config.n_sinks = list_sinks(s, config.sinks);
    int code = DFOPT_EXIT_OK;
    enum dfopt_err e = s->mode->run(s, &config, &err);
    if (e) {
        dfopt_session_failed(s, "optimizer.failed", &err);
        code = DFOPT_EXIT_FAILED;
    } else if (s->options->final_state_file && write_final_state(s, &err)) {
        dfopt_session_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    } else if (is_all_invalid(s)) {
        code = DFOPT_EXIT_FAILED;
    }
    if (s->result.output_failed || s->result.totals.skipped_inputs)
        code = DFOPT_EXIT_FAILED;
    if (code == DFOPT_EXIT_OK && s->result.stopped && !s->mode->is_service)
        code = DFOPT_EXIT_STOPPED;
    return code;
}

/* Closes the outputs: only now is it known whether they are complete. */
static int close_outputs(struct dfopt_session *s, int code)
{
    struct dfopt_error err = {0};
    struct dfopt_sink *files[] = {s->plans_file, s->recording};
    for (size_t i = 0; i < 2; i++)
        if (files[i] && files[i]->ops->destroy(files[i], &err) &&
            !s->result.output_failed) {
            dfopt_session_failed(s, "optimizer.output.failed", &err);
            code = DFOPT_EXIT_FAILED;
        }
    if (dfopt_live_close_plans(&s->live, &err) && !s->result.output_failed) {
        dfopt_session_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    }
    const bool whole = code == DFOPT_EXIT_OK || code == DFOPT_EXIT_STOPPED;
    bool logged = s->declog != NULL;
    if (s->declog && dfopt_declog_close(&s->declog, whole, &err)) {
        dfopt_session_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
        logged = false;
    }
    if (s->journal && !logged && dfopt_journal_write(s->journal, &err)) {
        dfopt_session_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    }
    dfopt_journal_close(s->journal, logged);
    return code;
}

static void release(struct dfopt_session *s)
{
    dfopt_endpoints_remove(s->options->live.endpoints_file, s->endpoints_fd);
    if (s->left_over)
        s->left_over->ops->destroy(s->left_over);
    dfopt_inputs_close(&s->in);
    dfopt_supervise_destroy(s->supervision);
    dfopt_live_close(&s->live);
    dfopt_resume_close(&s->resume);
    dfopt_tally_destroy(s->tally);
    dfopt_initial_free(&s->initial);
    dfopt_policy_clear(&s->policy);
    dfopt_codec_destroy(s->codec);
    dfopt_dict_destroy(s->dict);
    dfopt_buf_free(&s->result.state);
    dfopt_buf_free(&s->result.suppressions);
    dfopt_buf_free(&s->result.commanded);
    dfopt_buf_free(&s->text);
}

int dfopt_session_run(struct dfopt_comm *comm, const struct dfopt_options *o,
                      int argc, char **argv, struct dfopt_log *log,
                      const struct dfopt_signals *signals)
{
    struct dfopt_session s = {
        .comm = comm,
        .options = o,
        .argc = argc,
        .argv = argv,
        .stop = &signals->stop,
        .reload = &signals->reload,
        .log = log,
        .mode = o->transport == DFOPT_TRANSPORT_FILE ? &dfopt_mode_replay
                                                     : &dfopt_mode_service,
        .live = {.log = log},
        .endpoints_fd = -1,
    };
    struct dfopt_error err = {0};
    int code = DFOPT_EXIT_USAGE;
    enum dfopt_err e = dfopt_paths_check(o, &err);
    if (!e)
        e = configure(&s, &err);
    if (!e)
        e = choose_acks(&s, &err);
    if (!e && o->sweep.file) {
        code = dfopt_run_sweep(&s);
        release(&s);
        return code;
    }
    if (!e)
        e = resume(&s, &err);
    if (!e)
        e = open_outputs(&s, &err);
    if (e) {
        dfopt_session_failed(&s, "optimizer.config.invalid", &err);
    } else {
        dfopt_log_event(
            log, DFOPT_LOG_INFO, "optimizer.start",
            DFOPT_F_TEXT("version", DFOPT_VERSION),
            DFOPT_F_TEXT("transport", o->transport_name),
            DFOPT_F_INT("ranks", dfopt_comm_size(comm)),
            DFOPT_F_TEXT("acks", s.assumed_acks ? "assumed" : "explicit"),
            DFOPT_F_TEXT("preset", o->preset == DFOPT_PRESET_UPSTREAM ? "upstream"
                                                                      : "default"));
        code = run_leader(&s);
    }
    code = close_outputs(&s, code);
    if (!e) {
        tell_of_conflicts(&s);
        say_done(&s);
    }
    release(&s);
    return code;
}
