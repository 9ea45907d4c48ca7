/* The diagnosis as a filter, for test_habits.py.
 *
 * usage: diagnose peak|current
 * reads: a window a line: its index, seconds of fetching and of computing, workers,
 *        the share of the memory (0: no budget), and the spread of the latency of
 *        reads (0: not measured)
 * writes: the findings, each as its message's body */
#include "diagnosis/diagnosis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int diagnose(struct dfopt_diagnosis *d, const struct dfopt_client_window *w)
{
    struct dfopt_diagnosed found[DFOPT_FINDING_KINDS];
    const size_t n = dfopt_diagnose(d, w, found);
    for (size_t i = 0; i < n; i++) {
        struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS];
        struct dfopt_client_finding f;
        struct dfopt_buf meta = {0}, body = {0};
        dfopt_diagnosed_finding(&found[i], &f, metrics);
        if (!dfopt_finding_is_good(&f) ||
            dfopt_finding_json(&f, "node:n1:window", &meta, &body) != DFOPT_OK)
            return 1;
        printf("%.*s\n", (int)body.len, body.data);
        dfopt_buf_free(&meta);
        dfopt_buf_free(&body);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_PEAK};
    struct dfopt_client_window w = {.index = 0};
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "current") == 0)
        d.habit = DFOPT_DIAGNOSIS_CURRENT;
    while (scanf("%" SCNd64 " %lf %lf %" SCNd64 " %lf %lf", &w.index, &w.fetch_s,
                 &w.compute_s, &w.workers, &w.memory, &w.read_spread) == 6)
        if (diagnose(&d, &w) != 0)
            return 1;
    return feof(stdin) ? 0 : 2;
}
