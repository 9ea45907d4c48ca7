/* One run: what is configured is read and checked first, so that a mistake
 * ends the program before it has touched any output; then outputs are opened,
 * the run is led, and everything is closed. */
#include "cmd/mpi/session.h"

#include "cmd/mpi/files.h"
#include "cmd/mpi/inputs.h"
#include "cmd/mpi/live.h"
#include "cmd/mpi/initial.h"
#include "cmd/mpi/progress.h"
#include "cmd/mpi/resume.h"
#include "cmd/mpi/status.h"
#include "cmd/mpi/sweep.h"
#include "engine/replay/replay.h"
#include "journal/source.h"
#include "journal/line.h"
#include "transport/file/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/random.h>
#include <unistd.h>

struct session {
    struct dfopt_comm *comm;
    const struct dfopt_options *o;
    const volatile sig_atomic_t *stop;
    struct dfopt_log *log;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    uint32_t run; /* identity of a live run; 0: of a replay */
    bool assumed_acks;
    struct dfopt_initials initial;
    struct dfopt_resume resume;
    struct dfopt_inputs in;   /* of a replay */
    struct dfopt_split start; /* where it is read from, with the lines before */
    uint64_t start_line;
    struct dfopt_live live; /* of a service */
    struct dfopt_sink *plans_file, *recording;
    struct dfopt_journal *journal; /* of a service with a decision log */
    /* what the journal of the run before holds, then the service's source; NULL:
     * no such run */
    struct dfopt_source *left_over;
    struct dfopt_declog *declog;
    struct dfopt_run_result result;
    struct dfopt_buf text;
};

static bool is_live(const struct session *s)
{
    return s->o->transport != DFOPT_TRANSPORT_FILE;
}

static void say_failed(struct session *s, const char *event,
                       const struct dfopt_error *e)
{
    dfopt_log_event(s->log, DFOPT_LOG_ERROR, event, DFOPT_F_TEXT("error", e->text));
}

/* ---- before anything runs ---- */

/* An identity that no other run has had, as far as chance goes. Not 0. */
static uint32_t new_run(void)
{
    uint32_t run;
    if (getrandom(&run, sizeof run, 0) != (ssize_t)sizeof run)
        run = (uint32_t)(dfopt_clock_wall_ns() / 1000) ^ (uint32_t)getpid();
    return run ? run : 1;
}

static enum dfopt_err configure(struct session *s, struct dfopt_error *err)
{
    const size_t envelope = is_live(s) ? DFOPT_RECORD_ENVELOPE_BYTES : 0;
    enum dfopt_err e = dfopt_dict_create(&s->dict, false);
    if (!e && s->o->resume) { /* its names come first */
        e = dfopt_resume_open(&s->resume, s->o->resume, s->dict, err);
        if (e)
            return e;
    }
    if (is_live(s))
        s->run = s->o->resume ? dfopt_resume_run(&s->resume) : new_run();
    const struct dfopt_codec_limits limits = {
        .max_record_bytes = (size_t)s->o->max_record_bytes - envelope,
        .run = s->run,
    };
    if (!e)
        e = dfopt_codec_create(&s->codec, s->dict, &limits);
    if (e)
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    e = dfopt_policy_load(&s->policy, s->o, s->dict, err);
    if (!e)
        e = dfopt_initial_load(&s->initial, s->o, s->codec, &s->policy, err);
    if (!e && !is_live(s))
        e = dfopt_inputs_open(&s->in, s->o, err);
    return e;
}

/* ---- how acks are handled ---- */

static enum dfopt_err choose_acks(struct session *s, struct dfopt_error *err)
{
    bool event_log = true;
    enum dfopt_err e = DFOPT_ERR_STATE;
    if (s->o->acks != DFOPT_ACKS_AUTO || s->o->preset == DFOPT_PRESET_UPSTREAM) {
        e = DFOPT_OK;
    } else if (is_live(s)) {
        event_log = s->o->transport == DFOPT_TRANSPORT_MOFKA
                        ? !s->o->mofka.no_registry
                        : s->o->live.acks_address && s->o->live.acks_address[0];
        e = DFOPT_OK;
    } else if (s->o->resume) {
        event_log = !dfopt_resume_assumed_acks(&s->resume);
        e = DFOPT_OK;
    }
    while (e && !(s->stop && *s->stop)) {
        e = dfopt_inputs_kind(&s->in, s->o, s->codec, &event_log, err);
        if (e == DFOPT_OK || e == DFOPT_ERR_STATE)
            continue;
        if (s->o->strict)
            return e;
        s->result.totals.skipped_inputs++;
        say_failed(s, "optimizer.input.failed", err);
    }
    s->assumed_acks = s->o->acks == DFOPT_ACKS_ASSUMED || !event_log;
    return DFOPT_OK;
}

/* ---- going on with another run ---- */

/* Checks that the run fits the log, and finds its place in the input. What has
 * registered is in the log already, unless it is not the same. */
static enum dfopt_err go_on(struct session *s, struct dfopt_error *err)
{
    const struct dfopt_resume_rules now = {
        .dict = s->dict,
        .policy = &s->policy,
        .assumed_acks = s->assumed_acks,
        .relay_hostname = s->o->relay_hostname,
        .initial = &s->initial.bodies,
    };
    if (!s->o->resume)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_resume_compare(&s->resume, &now, err);
    if (e == DFOPT_ERR_ARG && s->o->allow_policy_change) {
        say_failed(s, "optimizer.policy.changed", err);
        e = DFOPT_OK;
    }
    if (!e && dfopt_resume_has_initial(&s->resume, &s->initial.bodies))
        dfopt_initial_drop(&s->initial);
    if (!e && !is_live(s))
        e = dfopt_resume_no_journal(&s->resume, err);
    if (!e && !is_live(s))
        e = dfopt_resume_input(&s->resume, &s->in, s->o, s->stop, &s->start,
                               &s->start_line, err);
    return e;
}

/* ---- outputs ---- */

/* Of this machine; "" if it has none. */
static const char *host_name(void)
{
    static struct utsname names;
    return uname(&names) == 0 ? names.nodename : "";
}

static enum dfopt_err open_declog(struct session *s, int argc, char **argv,
                                  struct dfopt_error *err)
{
    struct dfopt_buf policy = {0}, arguments = {0};
    char run_id[9];
    snprintf(run_id, sizeof run_id, "%08" PRIx32, s->run);
    enum dfopt_err e = dfopt_codec_policy_json(s->dict, &s->policy, &policy);
    if (!e)
        e = dfopt_buf_add(&policy, "", 1);
    if (!e)
        e = dfopt_options_join(argc, argv, &arguments);
    if (e) {
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    } else {
        const struct dfopt_declog_options log = {
            .path = s->o->decision_log,
            .compression = s->o->log_compression,
            .detail = s->o->log_detail,
            .created_ns = dfopt_clock_wall_ns(),
            .ranks = dfopt_comm_size(s->comm),
            .pid = (uint64_t)getpid(),
            .program_version = DFOPT_VERSION,
            .mpi_library = dfopt_comm_library(s->comm),
            .transport = s->o->transport_name,
            .command_line = arguments.data,
            .policy = policy.data,
            .preset =
                s->o->preset == DFOPT_PRESET_UPSTREAM ? "upstream" : "default",
            .acks_mode = s->assumed_acks ? "assumed" : "explicit",
            .relay_hostname = s->o->relay_hostname,
            .host = host_name(),
            .run_id = s->run ? run_id : "",
        };
        e = s->o->resume ? dfopt_declog_resume(&s->declog, s->dict,
                                               s->resume.reader, &log, err)
                         : dfopt_declog_create(&s->declog, s->dict, &log, err);
    }
    dfopt_buf_free(&policy);
    dfopt_buf_free(&arguments);
    return e;
}

/* Where a service has its journal: beside the log. */
static enum dfopt_err journal_path(const struct session *s, struct dfopt_buf *path,
                                   struct dfopt_error *err)
{
    enum dfopt_err e =
        dfopt_buf_printf(path, "%s" DFOPT_JOURNAL_SUFFIX, s->o->decision_log);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}

/* What the journal of the run before holds comes first. */
static enum dfopt_err open_left_over(struct session *s, struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    enum dfopt_err e = journal_path(s, &path, err);
    if (!e)
        e = dfopt_journal_source_create(
            &s->left_over, path.data, s->resume.fold.next_seq, s->live.source, err);
    dfopt_buf_free(&path);
    return e;
}

static enum dfopt_err open_journal(struct session *s, struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    enum dfopt_err e = journal_path(s, &path, err);
    if (!e)
        e = dfopt_journal_create(&s->journal, path.data, s->o->resume != NULL, err);
    dfopt_buf_free(&path);
    return e;
}

static enum dfopt_err open_recording(struct session *s, struct dfopt_error *err)
{
    struct dfopt_buf last = {0}; /* a record is a line; what the log has not got
                                  * comes again, out of the journal */
    struct dfopt_file_lines logged = {.keep = s->resume.fold.next_seq,
                                      .last = &last};
    enum dfopt_err e =
        s->o->resume
            ? dfopt_file_sink_reopen(&s->recording, s->o->live.record, &logged, err)
            : dfopt_file_sink_create(&s->recording, s->o->live.record, err);
    dfopt_buf_free(&last);
    return e;
}

static enum dfopt_err open_outputs(struct session *s, int argc, char **argv,
                                   struct dfopt_error *err)
{
    /* look at all before one is made */
    enum dfopt_err e = dfopt_file_may_write(s->o->plans_file, err);
    if (!e)
        e = dfopt_file_may_write(s->o->final_state_file, err);
    if (!e)
        e = dfopt_file_may_write(s->o->decision_log, err);
    if (!e)
        e = dfopt_file_may_write(s->o->live.record, err);
    if (!e && is_live(s))
        e = dfopt_live_open(&s->live, s->o, err);
    if (!e && is_live(s) && s->o->resume)
        e = open_left_over(s, err);
    if (!e && s->o->plans_file)
        e = s->o->resume
                ? dfopt_resume_plans(&s->resume, s->o->plans_file, &s->plans_file,
                                     err)
                : dfopt_file_sink_create(&s->plans_file, s->o->plans_file, err);
    if (!e && s->o->live.record)
        e = open_recording(s, err);
    if (!e && s->o->decision_log)
        e = open_declog(s, argc, argv, err);
    if (!e && s->o->decision_log && is_live(s))
        e = open_journal(s, err);
    return e;
}

/* ---- the run and its end ---- */

static void say_done(struct session *s)
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
        s->log, DFOPT_LOG_INFO, done_event[s->o->transport],
        DFOPT_F_INT("findings", t->by_stream[DFOPT_STREAM_FINDING]),
        DFOPT_F_INT("plan_count", t->plans), DFOPT_F_JSON("knob_state", x->data),
        DFOPT_F_INT("records", t->records),
        DFOPT_F_INT("recognised", t->recognised),
        DFOPT_F_INT("invalid", t->invalid),
        DFOPT_F_INT("skipped_inputs", t->skipped_inputs),
        DFOPT_F_INT("registrations", t->by_stream[DFOPT_STREAM_REGISTRATION]),
        DFOPT_F_INT("acks", t->by_stream[DFOPT_STREAM_ACK]),
        DFOPT_F_INT("acks_unmatched", t->acks_unmatched),
        DFOPT_F_INT("global_plans", t->by_stream[DFOPT_STREAM_GLOBAL_PLAN]),
        DFOPT_F_INT("relayed", t->relays),
        DFOPT_F_JSON("verdicts", x->data + verdicts),
        DFOPT_F_BOOL("stopped", s->result.stopped));
}

static enum dfopt_err write_final_state(struct session *s, struct dfopt_error *err)
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
             : dfopt_file_write(s->o->final_state_file, x, err);
}

/* The sinks of plans that there are. */
static size_t list_sinks(const struct session *s,
                         struct dfopt_sink *sinks[DFOPT_SINKS_MAX])
{
    size_t n = 0;
    if (s->plans_file)
        sinks[n++] = s->plans_file;
    if (s->live.plans)
        sinks[n++] = s->live.plans;
    return n;
}

static enum dfopt_err run(struct session *s, struct dfopt_run_config *config,
                          struct dfopt_error *err)
{
    const struct dfopt_replay_input input = {
        .splits = s->in.splits,
        .max_record_bytes = (size_t)s->o->max_record_bytes,
        .split_bytes = (uint64_t)s->o->read_bytes,
        .log_detail = s->declog ? dfopt_declog_detail(s->declog) : 0,
        .log_compression = s->declog ? dfopt_declog_compression(s->declog) : 0,
        .start = s->start,
        .start_line = s->start_line,
    };
    struct dfopt_progress_line line = {stderr, dfopt_clock_monotonic_ns()};
    struct dfopt_status status = {
        .log = s->log,
        .every_ns = s->o->live.status_interval_ms * 1000000,
        .assumed_acks = s->assumed_acks,
        .said_ns = line.start_ns,
    };
    if (is_live(s)) {
        config->progress = dfopt_status_show;
        config->progress_arg = &status;
        return dfopt_online_run(s->comm, config, &s->result, err);
    }
    const bool show = !s->o->no_progress && isatty(STDERR_FILENO);
    if (show) {
        config->progress = dfopt_progress_show;
        config->progress_arg = &line;
    }
    enum dfopt_err e =
        s->in.splits ? dfopt_replay_run(s->comm, config, &input, &s->result, err)
                     : dfopt_online_run(s->comm, config, &s->result, err);
    if (show)
        dfopt_progress_end(&line);
    return e;
}

/* Whose plans of a global optimizer are passed on. Over Mofka, as DFOptimizer does:
 * this host's, if nothing else is said. */
static dfopt_sym relay_hostname(const struct session *s)
{
    const char *name = s->o->relay_hostname;
    char host[256] = "";
    if (*name == '\0' && s->o->transport == DFOPT_TRANSPORT_MOFKA &&
        gethostname(host, sizeof host - 1) == 0)
        name = host;
    return dfopt_dict_intern_z(s->dict, name);
}

static int lead(struct session *s)
{
    struct dfopt_error err = {0};
    struct dfopt_run_config config = {
        .dict = s->dict,
        .codec = s->codec,
        .policy = &s->policy,
        .assumed_acks = s->assumed_acks,
        .relay_hostname = relay_hostname(s),
        .resume = s->o->resume ? &s->resume.fold : NULL,
        .initial = s->initial.items,
        .n_initial = s->initial.n,
        .source = s->left_over ? s->left_over
                  : is_live(s) ? s->live.source
                               : s->in.source,
        .recording = s->recording,
        .journal = s->journal,
        .run = s->run,
        .declog = &s->declog,
        .log = s->log,
        .outputs_count = s->o->transport == DFOPT_TRANSPORT_MOFKA,
        .strict = s->o->strict,
        .batch_events = (uint32_t)s->o->batch_events,
        .batches_in_flight = (uint32_t)s->o->batches_on_way,
        .flush_interval_ns = s->o->log_flush_ms * 1000000,
        .wait_ms =
            s->o->live.pull_timeout_ms < 100 ? (int)s->o->live.pull_timeout_ms : 0,
        .stop = s->stop,
    };
    config.n_sinks = list_sinks(s, config.sinks);
    int code = DFOPT_EXIT_OK;
    enum dfopt_err e = run(s, &config, &err);
    if (e) {
        say_failed(s, "optimizer.failed", &err);
        code = DFOPT_EXIT_FAILED;
    } else if (s->o->final_state_file && write_final_state(s, &err)) {
        say_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    }
    if (s->result.output_failed || s->result.totals.skipped_inputs)
        code = DFOPT_EXIT_FAILED;
    if (code == DFOPT_EXIT_OK && s->result.stopped && !is_live(s))
        code = DFOPT_EXIT_STOPPED;
    return code;
}

/* Closes the outputs: only now is it known whether they are whole. */
static int close_outputs(struct session *s, int code)
{
    struct dfopt_error err = {0};
    struct dfopt_sink *files[] = {s->plans_file, s->recording};
    for (size_t i = 0; i < 2; i++)
        if (files[i] && files[i]->ops->destroy(files[i], &err) &&
            !s->result.output_failed) {
            say_failed(s, "optimizer.output.failed", &err);
            code = DFOPT_EXIT_FAILED;
        }
    if (dfopt_live_close_plans(&s->live, &err) && !s->result.output_failed) {
        say_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    }
    const bool whole = code == DFOPT_EXIT_OK || code == DFOPT_EXIT_STOPPED;
    bool logged = s->declog != NULL;
    if (s->declog && dfopt_declog_close(&s->declog, whole, &err)) {
        say_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
        logged = false;
    }
    if (s->journal && !logged && dfopt_journal_write(s->journal, &err)) {
        say_failed(s, "optimizer.output.failed", &err);
        code = DFOPT_EXIT_FAILED;
    }
    dfopt_journal_close(s->journal, logged);
    return code;
}

static void release(struct session *s)
{
    if (s->left_over)
        s->left_over->ops->destroy(s->left_over);
    dfopt_inputs_close(&s->in);
    dfopt_live_close(&s->live);
    dfopt_resume_close(&s->resume);
    dfopt_initial_free(&s->initial);
    dfopt_policy_clear(&s->policy);
    dfopt_codec_destroy(s->codec);
    dfopt_dict_destroy(s->dict);
    dfopt_buf_free(&s->result.state);
    dfopt_buf_free(&s->result.suppressions);
    dfopt_buf_free(&s->text);
}

static int run_sweep(struct session *s, int argc, char **argv)
{
    const struct dfopt_sweep_setup setup = {
        .comm = s->comm,
        .o = s->o,
        .argc = argc,
        .argv = argv,
        .stop = s->stop,
        .log = s->log,
        .dict = s->dict,
        .codec = s->codec,
        .policy = &s->policy,
        .assumed_acks = s->assumed_acks,
        .initial = s->initial.items,
        .n_initial = s->initial.n,
    };
    return dfopt_sweep_session(&setup);
}

int dfopt_session_run(struct dfopt_comm *comm, const struct dfopt_options *o,
                      int argc, char **argv, struct dfopt_log *log,
                      const volatile sig_atomic_t *stop)
{
    struct session s = {
        .comm = comm,
        .o = o,
        .stop = stop,
        .log = log,
    };
    s.live.log = log;
    struct dfopt_error err = {0};
    int code = DFOPT_EXIT_USAGE;
    enum dfopt_err e = configure(&s, &err);
    if (!e)
        e = choose_acks(&s, &err);
    if (!e && o->sweep.file) {
        code = run_sweep(&s, argc, argv);
        release(&s);
        return code;
    }
    if (!e)
        e = go_on(&s, &err);
    if (!e)
        e = open_outputs(&s, argc, argv, &err);
    if (e) {
        say_failed(&s, "optimizer.config.invalid", &err);
    } else {
        dfopt_log_event(
            log, DFOPT_LOG_INFO, "optimizer.start",
            DFOPT_F_TEXT("version", DFOPT_VERSION),
            DFOPT_F_TEXT("transport", o->transport_name),
            DFOPT_F_INT("ranks", dfopt_comm_size(comm)),
            DFOPT_F_TEXT("acks", s.assumed_acks ? "assumed" : "explicit"),
            DFOPT_F_TEXT("preset", o->preset == DFOPT_PRESET_UPSTREAM ? "upstream"
                                                                      : "default"));
        if (is_live(&s))
            dfopt_live_announce(&s.live, o);
        code = lead(&s);
    }
    code = close_outputs(&s, code);
    if (!e)
        say_done(&s);
    release(&s);
    return code;
}
