/* Records made up at random. */
#ifndef DFOPT_TESTS_FAST_RECORDS_H
#define DFOPT_TESTS_FAST_RECORDS_H

#include "support/random.h"
#include "support/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed;

static inline uint32_t below(uint32_t n)
{
    return random_below(&seed, n);
}

static inline void seed_with(uint64_t s)
{
    const char *text = getenv("DFOPT_FAST_SEED");
    seed = s + (text ? strtoull(text, NULL, 10) * 1000003 : 0);
}

static inline int rounds(int n)
{
    const char *text = getenv("DFOPT_FAST_ROUNDS");
    return text ? n * atoi(text) : n;
}

static inline double unit(void)
{
    return (double)below(1u << 30) / (double)(1u << 30);
}

#define MEMBERS 21

/* A finding as DFDiagnoser writes it, member by member. */
struct record {
    char key[MEMBERS + 8][24];
    char value[MEMBERS + 8][512];
    size_t n;
};

static inline void put(struct record *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void put(struct record *r, const char *key, const char *format, ...)
{
    va_list args;
    snprintf(r->key[r->n], sizeof r->key[0], "%s", key);
    va_start(args, format);
    vsnprintf(r->value[r->n++], sizeof r->value[0], format, args);
    va_end(args);
}

static inline void make(struct record *r)
{
    static const char *const types[] = {"fetch_pressure", "operation_imbalance",
                                        "reader_straggler", "epoch_jitter"};
    static const char *const scopes[] = {"node:tuolumne%04u:window",
                                         "node:tuolumne%04u:reader_posix:window",
                                         "node:%u", "global:global", "app:epoch"};
    static const char *const motifs[] = {"unclassified", "persistent", "bursty"};
    static const char *const trends[] = {"stable", "improving", "worsening",
                                         "insufficient_data"};
    static const char *const tags[] = {
        "[\"dataloader_prefetch\", \"reader_parallelism\"]",
        "[\"read_write_rebalancing\"]", "[]", "[\"reader_contention\"]"};
    const char *type = types[below(N_OF(types))], *motif = motifs[below(3)];
    char scope[64];
    snprintf(scope, sizeof scope, scopes[below(N_OF(scopes))], 1001 + below(64));
    unsigned window = below(200);
    r->n = 0;
    put(r, "finding_type", "\"%s\"", type);
    put(r, "scope", "\"%s\"", scope);
    put(r, "layer", "\"node\"");
    put(r, "view_type", "\"window\"");
    put(r, "motif", "\"%s\"", motif);
    put(r, "severity", "\"critical\"");
    put(r, "severity_score", below(4) ? "%.17g" : "%.1f", unit());
    put(r, "confidence", "%.2f", unit());
    put(r, "prevalence", "%.16g", unit());
    put(r, "persistence", "%u", below(20));
    put(r, "support_windows", "%u", below(20));
    put(r, "trend_direction", "\"%s\"", trends[below(N_OF(trends))]);
    put(r, "last_seen_window", "%u", window);
    put(r, "contributing_facts", "[[\"%s\", \"%s\"]]", type, scope);
    put(r, "recommendation_bundle", "\"investigate\"");
    put(r, "opportunity_tags", "%s", tags[below(N_OF(tags))]);
    put(r, "suppresses_tags", "%s", below(8) ? "[]" : tags[below(N_OF(tags))]);
    put(r, "summary", "\"%s(%s), motif=%s, dominant=read\"", type, scope, motif);
    put(r, "window_index", "%u", window);
    put(r, "key_metrics",
        "{\"fetch_iter_time_proc_max\": %.17g, \"active_time\": %.16g, "
        "\"fetch_frac\": %.17g, \"compute_frac\": %.16g, "
        "\"fetch_iter_time_frac_parent\": %.17g}",
        unit() * 1e3, unit() * 1e14, unit(), unit(), unit());
    put(r, "publish_mode", "\"control\"");
}

/* As Python spaces it, or compact; bare or enveloped. Returns the length. */
static inline size_t render(const struct record *r, char *out, size_t size)
{
    bool compact = below(4) == 0, envelope = below(2), late = below(8) == 0;
    const char *comma = compact ? "," : ", ", *colon = compact ? ":" : ": ";
    size_t n = 0;
    if (envelope)
        n += (size_t)snprintf(out + n, size - n,
                              late ? "{%.0s%.0s\"body\"%s"
                                   : "{\"stream\"%s\"finding\"%s"
                                     "\"body\"%s",
                              colon, comma, colon);
    for (size_t i = 0; i < r->n; i++)
        n += (size_t)snprintf(out + n, size - n, "%s\"%s\"%s%s", i ? comma : "{",
                              r->key[i], colon, r->value[i]);
    n += (size_t)snprintf(out + n, size - n, r->n ? "}" : "{}");
    if (envelope)
        n += (size_t)snprintf(out + n, size - n, "%s",
                              late ? ",\"stream\":\"finding\"}" : "}");
    assert_true(n < size);
    return n;
}

#endif
