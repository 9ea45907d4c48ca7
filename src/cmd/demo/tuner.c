#include "cmd/demo/tuner.h"
#include "cmd/demo/timing.h"

#include <stdio.h>
#include <string.h>

#define LEAVE_NS      5000000 /* for an objective to leave */
#define LEAVE_POLL_NS 100000

/* How each knob moves. The number of threads follows the evidence: the ratio of
 * fetch time to compute time. The queue doubles. Plans are applied when a window
 * ends, so the next window shows their effect.
 *
 * effectiveness_threshold is 0, because a peak of severity never falls: a step that
 * cuts the fetch share from 0.9 to 0.5 helps, but the peak does not show it. */
#define RESPONSE                                                                   \
    .min_persistence = 2, .cooldown_windows = 1, .apply_when = "window_boundary"

/* A min_severity left at 0 is set from the options. */
static const struct dfopt_client_response more_prefetch[] = {
    {
        RESPONSE,
        .tag = "dataloader_prefetch",
        .direction = DFOPT_CLIENT_INCREASE,
        .step_mode = DFOPT_CLIENT_MULTIPLY,
        .step = {.kind = DFOPT_CLIENT_INT, .i = 2},
    },
};

/* Contending readers are reduced by a factor: 12, 7, 4. The step that goes too far
 * is reverted, so the best of these values is found. It is within a factor of
 * sqrt(1.6) of the optimum, where throughput is nearly as high (97 % if it falls
 * like that of contended storage). Halving could be off by sqrt(2), 94 %, and steps
 * of one would need a trial per thread.
 *
 * The severity is the lowest at which read_contention is reported: a spread of 10.
 * io_contention has the same tag, and is reported whenever the loader hardly waits.
 * Where no objective judges changes (--compat upstream), it would revert what fetch
 * pressure has just achieved if there were no threshold: the last severity was a
 * peak of 1, too. */
static const struct dfopt_client_response threads[] = {
    {
        RESPONSE,
        .tag = "reader_parallelism",
        .direction = DFOPT_CLIENT_INCREASE,
        .step_mode = DFOPT_CLIENT_EVIDENCE,
    },
    {
        RESPONSE,
        .tag = "reader_contention",
        .direction = DFOPT_CLIENT_DECREASE,
        .step_mode = DFOPT_CLIENT_MULTIPLY,
        .step = {.kind = DFOPT_CLIENT_FLOAT, .d = 1.6},
        .min_severity = 0.125,
        .effectiveness_threshold = 0.10,
    },
};

#define MOST_RESPONSES 2

static const struct {
    const char *parameter;
    const struct dfopt_client_response *responses;
    size_t n_responses;
    unsigned (*get)(const struct demo_reader *r);
    enum dfopt_err (*set)(struct demo_reader *r, unsigned n,
                          struct dfopt_error *err);
} knobs[DEMO_KNOBS] = {
    {"read_threads", threads, 2, demo_reader_threads, demo_reader_threads_set},
    {"prefetch_size", more_prefetch, 1, demo_reader_prefetch,
     demo_reader_prefetch_set},
};

static struct dfopt_client_value integer(int64_t i)
{
    return (struct dfopt_client_value){.kind = DFOPT_CLIENT_INT, .i = i};
}

static const struct {
    const char *name;
    enum dfopt_client_reports reports;
} scopes[] = {
    [DEMO_SCOPE_NODE] = {"node", DFOPT_CLIENT_REPORTS_NODE},
    [DEMO_SCOPE_JOB] = {"job", DFOPT_CLIENT_REPORTS_JOB},
};

static enum dfopt_err declare(dfopt_client *c, size_t which,
                              const struct demo_knob_options *o,
                              struct dfopt_error *err)
{
    const struct demo_reader_options *r = o->reader;
    const bool is_threads = knobs[which].set == demo_reader_threads_set;
    struct dfopt_client_response responses[MOST_RESPONSES];
    for (size_t i = 0; i < knobs[which].n_responses; i++) {
        responses[i] = knobs[which].responses[i];
        if (responses[i].min_severity == 0)
            responses[i].min_severity = o->min_severity;
    }
    const struct dfopt_client_knob knob = {
        .parameter = knobs[which].parameter,
        .scope = scopes[o->scope].name,
        .type = DFOPT_CLIENT_INT,
        .default_value = integer(1),
        .current = integer(is_threads ? r->threads : r->prefetch),
        .lo = integer(1),
        .hi = integer(is_threads ? r->max_threads : r->max_prefetch),
        .responses = responses,
        .n_responses = knobs[which].n_responses,
    };
    return dfopt_client_knob_declare(c, &knob, err);
}

enum dfopt_err demo_tuner_open(struct demo_tuner *t,
                               const struct dfopt_client_options *options,
                               const struct demo_knob_options *o,
                               struct dfopt_error *err)
{
    struct dfopt_client_options all = *options;
    all.reports = scopes[o->scope].reports;
    *t = (struct demo_tuner){.client = NULL};
    enum dfopt_err e = dfopt_client_create(&t->client, &all, err);
    for (size_t i = 0; !e && i < DEMO_KNOBS; i++)
        e = declare(t->client, i, o, err);
    if (!e)
        e = dfopt_client_start(t->client, err);
    if (e)
        demo_tuner_close(t);
    return e;
}

void demo_tuner_close(struct demo_tuner *t)
{
    dfopt_client_destroy(t->client);
    t->client = NULL;
}

bool demo_tuner_finish(struct demo_tuner *t, int timeout_ms)
{
    struct dfopt_client_stats s;
    return dfopt_client_stop(t->client, timeout_ms) == DFOPT_OK &&
           dfopt_client_stats(t->client, &s) == DFOPT_OK &&
           s.acks_sent >= t->applied && s.acks_dropped == 0;
}

bool demo_tuner_registered(const struct demo_tuner *t)
{
    struct dfopt_client_stats s;
    return dfopt_client_stats(t->client, &s) == DFOPT_OK &&
           s.registrations_sent > 0;
}

/* ---- objectives ---- */

/* Skips the wait if the optimizer is not connected. */
static void wait_for_objectives(const struct demo_tuner *t)
{
    const int64_t end = demo_now_ns() + LEAVE_NS;
    struct dfopt_client_stats s;
    while (dfopt_client_stats(t->client, &s) == DFOPT_OK &&
           s.registrations_sent > 0 && s.objectives_pending > 0 &&
           demo_now_ns() < end)
        demo_sleep_ns(LEAVE_POLL_NS);
}

void demo_tuner_objective(struct demo_tuner *t, const struct demo_window *w)
{
    const struct dfopt_client_metric memory = {"mem_frac", w->mem_frac};
    const struct dfopt_client_objective o = {
        .window_index = w->index,
        .value = demo_window_rate(w),
        .goal = DFOPT_CLIENT_MAX,
        .metrics = &memory,
        .n_metrics = w->has_memory,
    };
    if (dfopt_client_objective(t->client, &o) == DFOPT_OK)
        wait_for_objectives(t);
}

uint64_t demo_tuner_objectives(const struct demo_tuner *t)
{
    struct dfopt_client_stats s = {.objectives_sent = 0};
    return dfopt_client_stats(t->client, &s) == DFOPT_OK ? s.objectives_sent : 0;
}

/* ---- plans ---- */

static size_t knob_of(const struct dfopt_client_plan *p)
{
    size_t i = 0;
    while (i + 1 < DEMO_KNOBS && strcmp(knobs[i].parameter, p->parameter) != 0)
        i++;
    return i;
}

static void apply(struct demo_tuner *t, struct demo_change *c,
                  struct demo_reader *reader)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    const size_t i = knob_of(&c->plan);
    c->from = knobs[i].get(reader);
    enum dfopt_err e = knobs[i].set(reader, (unsigned)c->plan.new_value.i, &err);
    c->to = knobs[i].get(reader);
    c->applied = e == DFOPT_OK;
    snprintf(c->reason, sizeof c->reason, "%s", err.text);
    const struct dfopt_client_value now = integer(c->to);
    dfopt_client_ack(t->client, &c->plan,
                     e ? DFOPT_CLIENT_REJECTED : DFOPT_CLIENT_APPLIED,
                     e ? NULL : &now, c->reason, c->window);
    t->applied += c->applied;
}

size_t demo_tuner_boundary(struct demo_tuner *t, const char *boundary,
                           int64_t window, struct demo_reader *reader,
                           struct demo_change out[DEMO_KNOBS])
{
    struct dfopt_client_plan plans[DEMO_KNOBS];
    size_t n =
        dfopt_client_at_boundary(t->client, NULL, boundary, plans, DEMO_KNOBS);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct demo_change){.plan = plans[i], .window = window};
        apply(t, &out[i], reader);
    }
    return n;
}
