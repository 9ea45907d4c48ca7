/* The exposition: metric families in a fixed order, each with type, unit and help,
 * one line per sample. */
#include "metrics/text.h"

#include "model/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct text {
    struct dfopt_buf *out;
    bool openmetrics;
    const char *name, *suffix; /* of the family; of its samples */
    enum dfopt_err e;          /* the first failure; kept */
};

/* ---- parts ---- */

#define PUT(t, ...)                                                                \
    ((t)->e = (t)->e ? (t)->e : dfopt_buf_printf((t)->out, __VA_ARGS__))

enum type { COUNTER, GAUGE, HISTOGRAM, INFO };

struct family {
    enum type type;
    const char *name, *unit, *help; /* unit: the suffix of the name, or NULL */
};

/* The older format makes the suffix of a counter's or info's samples part of the
 * family name, and has no info type. */
static void begin(struct text *t, struct family f)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "info"};
    static const char *const suffixes[] = {"_total", "", "", "_info"};
    const char *suffix = t->openmetrics ? "" : suffixes[f.type];
    t->name = f.name;
    t->suffix = suffixes[f.type];
    PUT(t, "# TYPE %s%s %s\n", f.name, suffix,
        f.type == INFO && !t->openmetrics ? "gauge" : types[f.type]);
    if (f.unit && t->openmetrics)
        PUT(t, "# UNIT %s %s\n", f.name, f.unit);
    PUT(t, "# HELP %s%s %s\n", f.name, suffix, f.help);
}

#define FAMILY(...)                                                                \
    (struct family)                                                                \
    {                                                                              \
        __VA_ARGS__                                                                \
    }

/* A label value, with special characters escaped. */
static void put_escaped(struct text *t, const char *value)
{
    for (const char *at = value; *at && !t->e; at++) {
        if (*at == '\n')
            PUT(t, "\\n");
        else if (*at == '"' || *at == '\\')
            PUT(t, "\\%c", *at);
        else
            t->e = dfopt_buf_add(t->out, at, 1);
    }
}

struct label {
    const char *name, *value; /* name NULL: none */
};

static void put_sample(struct text *t, const char *suffix, struct label a,
                       struct label b)
{
    PUT(t, "%s%s", t->name, suffix);
    for (int i = 0; i < 2; i++) {
        const struct label *l = i ? &b : &a;
        if (!l->name)
            continue;
        PUT(t, "%s%s=\"", i && a.name ? "," : "{", l->name);
        put_escaped(t, l->value);
        PUT(t, "\"");
    }
    PUT(t, a.name || b.name ? "} " : " ");
}

static const struct label none = {NULL, NULL};

static void put_count(struct text *t, struct label a, struct label b, uint64_t n)
{
    put_sample(t, t->suffix, a, b);
    PUT(t, "%" PRIu64 "\n", n);
}

static void put_real(struct text *t, struct label a, struct label b, double value)
{
    char real[DFOPT_REAL_TEXT_SIZE];
    dfopt_real_text(value, real);
    put_sample(t, t->suffix, a, b);
    PUT(t, "%s\n", isinf(value) ? value > 0 ? "+Inf" : "-Inf" : real);
}

static void put_alone(struct text *t, struct family f, uint64_t n)
{
    begin(t, f);
    put_count(t, none, none, n);
}

/* `n` bounds, and one bucket more. Returns the number of observations. */
static uint64_t put_buckets(struct text *t, struct label a, const double *bounds,
                            const uint64_t *buckets, uint32_t n)
{
    char le[DFOPT_REAL_TEXT_SIZE] = "+Inf";
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= n; i++) {
        sum += buckets[i];
        if (i < n)
            dfopt_real_text(bounds[i], le);
        put_sample(t, "_bucket", a, (struct label){"le", i < n ? le : "+Inf"});
        PUT(t, "%" PRIu64 "\n", sum);
    }
    return sum;
}

/* ---- families ---- */

/* A counter by one label whose values are names from a list. */
static void put_by_name(struct text *t, struct family f, const char *label,
                        const char *(*name)(uint32_t), const uint64_t *counts,
                        uint32_t n)
{
    begin(t, f);
    for (uint32_t i = 0; i < n; i++)
        put_count(t, (struct label){label, name(i)}, none, counts[i]);
}

static void put_events(struct text *t, const struct dfopt_counts *c)
{
    const struct dfopt_labels *reasons = &c->reasons;
    put_by_name(t,
                FAMILY(COUNTER, "dfopt_events", NULL,
                       "Usable records received, by stream."),
                "stream", dfopt_stream_name, c->events, DFOPT_STREAM_COUNT);
    begin(t, FAMILY(COUNTER, "dfopt_rejects", NULL,
                    "Records that could not be used, by reason."));
    for (uint32_t i = 0; i < reasons->n; i++)
        put_count(t, (struct label){"reason", reasons->name[i]}, none,
                  c->rejects[i]);
    put_alone(t,
              FAMILY(COUNTER, "dfopt_recognised_events", NULL,
                     "Events skipped because the resumed log already has them."),
              c->recognised);
    put_by_name(t,
                FAMILY(COUNTER, "dfopt_verdicts", NULL, "Verdicts of the planner."),
                "verdict", dfopt_verdict_name, c->verdicts, DFOPT_VERDICT_COUNT);
    put_by_name(t,
                FAMILY(COUNTER, "dfopt_acks", NULL,
                       "Acknowledgements of plans, by outcome."),
                "outcome", dfopt_ack_outcome_name, c->acks,
                DFOPT_ACK_OUTCOME_COUNT);
    put_by_name(t,
                FAMILY(COUNTER, "dfopt_global_plans", NULL,
                       "Plans of a global optimizer, by outcome."),
                "outcome", dfopt_relay_outcome_name, c->relays, DFOPT_RELAY_COUNT);
}

/* Whether a knob row is shown: "other" only once it is used. */
static bool shows(const struct dfopt_counts *c, uint32_t row)
{
    const struct dfopt_knob_counts *k = &c->knobs[row];
    return row != DFOPT_LABEL_OTHER || k->plans || k->endings[DFOPT_ENDING_KEPT] ||
           k->endings[DFOPT_ENDING_REVERTED] || k->endings[DFOPT_ENDING_NEUTRAL];
}

static struct label knob_label(const struct dfopt_counts *c, uint32_t row)
{
    return (struct label){"knob", c->knob_names.name[row]};
}

static void put_knob_counters(struct text *t, const struct dfopt_counts *c)
{
    begin(t, FAMILY(COUNTER, "dfopt_plans", NULL, "Plans made here, by knob."));
    for (uint32_t i = 0; i < c->knob_names.n; i++)
        if (shows(c, i))
            put_count(t, knob_label(c, i), none, c->knobs[i].plans);
    begin(t, FAMILY(COUNTER, "dfopt_outcomes", NULL,
                    "Finished trials of plans: the change was kept, reverted, or "
                    "made no difference."));
    for (uint32_t i = 0; i < c->knob_names.n; i++)
        for (uint32_t j = 0; shows(c, i) && j < DFOPT_ENDING_COUNT; j++)
            put_count(t, knob_label(c, i),
                      (struct label){"outcome", dfopt_ending_name(j)},
                      c->knobs[i].endings[j]);
    /* no sum: it may decrease, and a sum is a counter */
    begin(t, FAMILY(HISTOGRAM, "dfopt_gain_ratio", "ratio",
                    "Gain of the objective that a trial measured, as a share; "
                    "below 0 it got worse."));
    for (uint32_t i = 0; i < c->knob_names.n; i++)
        if (shows(c, i))
            (void)put_buckets(t, knob_label(c, i), dfopt_gain_bounds,
                              c->knobs[i].gains, DFOPT_GAIN_BUCKETS);
}

static void put_knob_values(struct text *t, const struct dfopt_counts *c)
{
    begin(t, FAMILY(GAUGE, "dfopt_knob_value", NULL,
                    "Values of a knob over the nodes of the job."));
    for (uint32_t i = 1; i < c->knob_names.n; i++) {
        const struct dfopt_knob_counts *k = &c->knobs[i];
        if (!k->has_levels)
            continue;
        const double values[] = {k->min, k->median, k->max};
        static const char *const over[] = {"min", "median", "max"};
        for (int j = 0; j < 3; j++)
            put_real(t, knob_label(c, i), (struct label){"over_nodes", over[j]},
                     values[j]);
    }
    begin(t, FAMILY(GAUGE, "dfopt_knob_at_bound_ratio", "ratio",
                    "Share of the nodes whose value is at a bound of the knob."));
    for (uint32_t i = 1; i < c->knob_names.n; i++) {
        const struct dfopt_knob_counts *k = &c->knobs[i];
        if (!k->has_levels || !k->has_bounds)
            continue;
        put_real(t, knob_label(c, i), (struct label){"bound", "low"}, k->at_low);
        put_real(t, knob_label(c, i), (struct label){"bound", "high"}, k->at_high);
    }
}

static void put_latency(struct text *t, const struct dfopt_counts *c)
{
    begin(t, FAMILY(HISTOGRAM, "dfopt_finding_to_plan_seconds", "seconds",
                    "Time from receiving a finding to handing over the plan that "
                    "resulted from it."));
    const uint64_t n = put_buckets(t, none, dfopt_latency_bounds, c->latency,
                                   DFOPT_LATENCY_BUCKETS);
    t->suffix = "_count";
    put_count(t, none, none, n);
    t->suffix = "_sum";
    put_real(t, none, none, c->latency_sum_s);
}

static void put_queues(struct text *t, const struct dfopt_counts *c)
{
    put_alone(t,
              FAMILY(GAUGE, "dfopt_undecided_events", NULL,
                     "Events received and not yet decided."),
              c->undecided);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_batches_in_flight", NULL,
                     "Batches of events that the ranks are working on."),
              c->batches);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_plans_kept_back", NULL,
                     "Plans that no peer has taken yet."),
              c->kept_back);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_plans_awaiting_ack", NULL,
                     "Plans sent and not yet acknowledged."),
              c->awaiting);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_open_trials", NULL,
                     "Trials of changes not judged yet."),
              c->trials);
}

static void put_files(struct text *t, const struct dfopt_counts *c)
{
    if (c->has_journal) {
        put_alone(t,
                  FAMILY(GAUGE, "dfopt_journal_bytes", "bytes",
                         "Size of the journal beside the decision log."),
                  c->journal_bytes);
        put_alone(t,
                  FAMILY(GAUGE, "dfopt_journal_waiting_bytes", "bytes",
                         "Lines of the journal that could not be written yet."),
                  c->journal_waiting_bytes);
    }
    if (!c->has_log)
        return;
    put_alone(
        t, FAMILY(GAUGE, "dfopt_log_bytes", "bytes", "Size of the decision log."),
        c->log_bytes);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_log_free_bytes", "bytes",
                     "Free space of the file system that has the decision log."),
              c->log_free_bytes);
    put_alone(t,
              FAMILY(GAUGE, "dfopt_log_lag_events", NULL,
                     "Events decided and not yet flushed to the decision log."),
              c->log_lag_events);
    begin(t, FAMILY(GAUGE, "dfopt_log_lag_seconds", "seconds",
                    "Age of the oldest of them."));
    put_real(t, none, none, c->log_lag_s);
}

static void put_ranks(struct text *t, const struct dfopt_counts *c)
{
    char number[16];
    begin(t, FAMILY(COUNTER, "dfopt_rank_events", NULL,
                    "Events decided by a rank; all ranks decide those about the "
                    "whole job."));
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < c->n_ranks; i++) {
            const struct dfopt_rank_counts *r = &c->ranks[i];
            snprintf(number, sizeof number, "%" PRIu32, i - 1);
            if (i != DFOPT_LABEL_OTHER || r->bytes)
                put_count(t,
                          (struct label){"rank",
                                         i == DFOPT_LABEL_OTHER ? "other" : number},
                          none, pass ? r->bytes : r->events);
        }
        if (pass == 0)
            begin(t, FAMILY(GAUGE, "dfopt_rank_memory_bytes", "bytes",
                            "Resident memory of a rank."));
    }
}

static void put_service(struct text *t, const struct dfopt_snapshot *s)
{
    begin(t, FAMILY(INFO, "dfopt_build", NULL, "Version of the running program."));
    put_count(t, (struct label){"version", s->version},
              (struct label){"transport", s->transport}, 1);
    begin(t, FAMILY(GAUGE, "dfopt_start_time_seconds", "seconds",
                    "Start time of the service, since 1970-01-01 UTC."));
    const int64_t started_ms = s->started_ns / 1000000;
    put_real(t, none, none, (double)started_ms / 1e3);
    begin(t, FAMILY(GAUGE, "dfopt_ready", NULL,
                    "Whether a check of /readyz passes: 1 or 0."));
    for (uint32_t i = 0; i < DFOPT_CHECK_COUNT; i++)
        put_count(t, (struct label){"check", dfopt_check_name(i)}, none,
                  s->health.problem[i][0] == '\0');
}

enum dfopt_err dfopt_metrics_text(const struct dfopt_snapshot *s, bool openmetrics,
                                  struct dfopt_buf *out)
{
    struct text t = {.out = out, .openmetrics = openmetrics};
    put_service(&t, s);
    put_events(&t, &s->counts);
    put_knob_counters(&t, &s->counts);
    put_knob_values(&t, &s->counts);
    put_latency(&t, &s->counts);
    put_queues(&t, &s->counts);
    put_files(&t, &s->counts);
    put_ranks(&t, &s->counts);
    if (openmetrics)
        PUT(&t, "# EOF\n");
    return t.e;
}

enum dfopt_err dfopt_health_text(const struct dfopt_health *h,
                                 struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < DFOPT_CHECK_COUNT && !e; i++)
        e = dfopt_buf_printf(out, "%s: %s\n", dfopt_check_name(i),
                             h->problem[i][0] ? h->problem[i] : "ok");
    return e;
}

/* ---- negotiation ---- */

/* The quality that an Accept element gives its type; default 1. */
static double quality(const char *element, size_t len)
{
    const char *at = element;
    while ((at = memchr(at, ';', len - (size_t)(at - element)))) {
        at++;
        while (at < element + len && *at == ' ')
            at++;
        if (at + 2 < element + len && (*at == 'q' || *at == 'Q') && at[1] == '=')
            return strtod(at + 2, NULL);
    }
    return 1;
}

bool dfopt_metrics_negotiate(const char *accept)
{
    static const char openmetrics[] = "application/openmetrics-text";
    static const char plain[] = "text/plain";
    double wants = 0, prefers = 0;
    for (const char *at = accept; at && *at;) {
        at += strspn(at, " \t,");
        const size_t len = strcspn(at, ",");
        const size_t type = strcspn(at, ",; \t");
        const double q = quality(at, len);
        if (type == strlen(openmetrics) && strncasecmp(at, openmetrics, type) == 0)
            wants = q > wants ? q : wants;
        else if (type == strlen(plain) && strncasecmp(at, plain, type) == 0)
            prefers = q > prefers ? q : prefers;
        at += len;
    }
    return wants > 0 && wants >= prefers;
}
