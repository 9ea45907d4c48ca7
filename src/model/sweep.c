/* Variants, and the table of the metrics. */
#include "model/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct dfopt_sweep_metrics) ==
                   8 * (1 + 13 + DFOPT_VERDICT_COUNT),
               "no padding");
_Static_assert(13 + DFOPT_VERDICT_COUNT <= DFOPT_SWEEP_METRICS_MAX, "room");
_Static_assert(sizeof(struct dfopt_sweep_knob) == 72, "no padding");

void dfopt_sweep_variants_free(struct dfopt_sweep_variants *v)
{
    for (size_t i = 0; i < v->n_parameters; i++)
        free(v->paths[i]);
    for (size_t i = 0; i < v->n; i++)
        dfopt_policy_clear(&v->policies[i]);
    free(v->paths);
    free(v->policies);
    free(v->settings);
    dfopt_buf_free(&v->texts);
    *v = (struct dfopt_sweep_variants){0};
}

size_t dfopt_sweep_metric_table(
    struct dfopt_sweep_metric_info table[DFOPT_SWEEP_METRICS_MAX])
{
    static const struct dfopt_sweep_metric_info own[] = {
#define METRIC(member, type, kind_, better_, text)                                 \
    {.name = #member,                                                              \
     .offset = offsetof(struct dfopt_sweep_metrics, member),                       \
     .kind = DFOPT_SWEEP_##kind_,                                                  \
     .better = DFOPT_SWEEP_##better_,                                              \
     .meaning = (text)},
        DFOPT_SWEEP_METRIC_LIST(METRIC)
#undef METRIC
    };
    size_t n = sizeof own / sizeof *own;
    memcpy(table, own, sizeof own);
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++, n++) {
        table[n] = (struct dfopt_sweep_metric_info){
            .offset = offsetof(struct dfopt_sweep_metrics, verdicts) +
                      v * sizeof(uint64_t),
            .kind = DFOPT_SWEEP_COUNT,
            .better = DFOPT_SWEEP_LESS,
            .meaning = "verdicts of this kind"};
        snprintf(table[n].name, sizeof table[n].name, "verdict_%s",
                 dfopt_verdict_name(v));
    }
    return n;
}

bool dfopt_sweep_result_open(const void *bytes, size_t len, size_t n_knobs,
                             struct dfopt_sweep_result *out)
{
    const size_t knobs = n_knobs * sizeof *out->knobs;
    if (len < sizeof *out->metrics + knobs)
        return false;
    const char *at = (const char *)bytes + sizeof *out->metrics;
    const char *texts = at + knobs, *end = (const char *)bytes + len;
    for (const char *t = texts; n_knobs > 0; n_knobs--) {
        const char *nul = memchr(t, '\0', (size_t)(end - t));
        if (!nul)
            return false;
        t = nul + 1;
    }
    *out = (struct dfopt_sweep_result){
        .metrics = bytes, .knobs = (const void *)at, .texts = texts};
    return true;
}
