/* A replay: reads files or standard input to the end. */
#include "cmd/mpi/run.h"

#include "cmd/mpi/progress.h"
#include "engine/online/leader.h"
#include "engine/replay/replay.h"

#include <unistd.h>

static enum dfopt_err open_input(struct dfopt_session *s, struct dfopt_error *err)
{
    return dfopt_inputs_open(&s->in, s->options, err);
}

/* An event log includes acks; a file of findings alone has none. */
static enum dfopt_err find_acks(struct dfopt_session *s, bool *explicit,
                                struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_ERR_STATE;
    if (s->options->resume) {
        *explicit = !dfopt_resume_assumed_acks(&s->resume);
        return DFOPT_OK;
    }
    while (e && !(s->stop && *s->stop)) {
        e = dfopt_inputs_kind(&s->in, s->options, s->codec, explicit, err);
        if (e == DFOPT_OK || e == DFOPT_ERR_STATE)
            continue;
        if (s->options->strict)
            return e;
        s->result.totals.skipped_inputs++;
        dfopt_session_failed(s, "optimizer.input.failed", err);
    }
    return DFOPT_OK;
}

static enum dfopt_err resume_input(struct dfopt_session *s, struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_resume_no_journal(&s->resume, err);
    return e ? e
             : dfopt_resume_input(&s->resume, &s->in, s->options, s->stop,
                                  &s->start, &s->start_line, err);
}

static enum dfopt_err run(struct dfopt_session *s, struct dfopt_run_config *config,
                          struct dfopt_error *err)
{
    const struct dfopt_replay_input input = {
        .splits = s->in.splits,
        .max_record_bytes = (size_t)s->options->max_record_bytes,
        .split_bytes = (uint64_t)s->options->read_bytes,
        .preset = s->options->preset,
        .log_detail = s->declog ? dfopt_declog_detail(s->declog) : 0,
        .log_compression = s->declog ? dfopt_declog_compression(s->declog) : 0,
        .start = s->start,
        .start_line = s->start_line,
    };
    struct dfopt_progress_line line = {stderr, dfopt_clock_monotonic_ns()};
    const bool show = !s->options->no_progress && isatty(STDERR_FILENO);
    config->source = s->in.source;
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

const struct dfopt_mode dfopt_mode_replay = {
    .open_input = open_input,
    .find_acks = find_acks,
    .resume_input = resume_input,
    .run = run,
};
