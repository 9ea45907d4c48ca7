/* The loader's diagnosis as a filter, for test_demo_habits.py.
 *
 * usage: demo_diagnose peak|current
 * reads: a window a line: its index, seconds of fetching and of computing, reader
 *        threads, and mem_frac (-1: no budget)
 * writes: the findings, each as its message's body */
#include "cmd/demo/diagnosis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int diagnose(struct demo_diagnosis *d, const struct demo_window *w)
{
    struct demo_finding found[DEMO_FINDING_KINDS];
    const size_t n = demo_diagnose(d, w, found);
    for (size_t i = 0; i < n; i++) {
        char *metadata, *body;
        if (demo_finding_json(&found[i], "n1", &metadata, &body) != DFOPT_OK)
            return 1;
        puts(body);
        free(metadata);
        free(body);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct demo_diagnosis d = {.habit = DEMO_PEAK};
    struct demo_window w = {.index = 0};
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "current") == 0)
        d.habit = DEMO_CURRENT;
    while (scanf("%" SCNd64 " %lf %lf %u %lf", &w.index, &w.fetch_s, &w.compute_s,
                 &w.threads, &w.mem_frac) == 5) {
        w.has_memory = w.mem_frac >= 0;
        if (diagnose(&d, &w) != 0)
            return 1;
    }
    return feof(stdin) ? 0 : 2;
}
