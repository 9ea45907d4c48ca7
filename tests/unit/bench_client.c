/* What a boundary costs an application with nothing pending, while a listener
 * runs: the median and the 99th percentile of batches. By hand:
 *     bench_client
 * The project's bound is 50 ns at the median. */
#include "dfopt/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCHES 2001
#define CALLS   10000

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static double ns[BATCHES];
    const struct dfopt_client_options options = {
        .app_namespace = "bench",
        .function = "load",
        .plans_endpoint = "tcp://127.0.0.1:1",
        .registry_endpoint = "tcp://127.0.0.1:1",
        .acks_endpoint = "tcp://127.0.0.1:1",
    };
    const struct dfopt_client_knob knob = {
        .parameter = "a",
        .type = DFOPT_CLIENT_INT,
        .default_value = {.kind = DFOPT_CLIENT_INT, .i = 1},
    };
    struct dfopt_client_plan plan;
    struct dfopt_error err = {0};
    dfopt_client *c;
    if (dfopt_client_create(&c, &options, &err) ||
        dfopt_client_knob_declare(c, &knob, &err) || dfopt_client_start(c, &err)) {
        fprintf(stderr, "bench_client: %s\n", err.text);
        return 1;
    }
    size_t plans = 0;
    for (int b = 0; b < BATCHES; b++) {
        double before = now_ns();
        for (int i = 0; i < CALLS; i++)
            plans += dfopt_client_at_boundary(c, NULL, "window_boundary", &plan, 1);
        ns[b] = (now_ns() - before) / CALLS;
    }
    qsort(ns, BATCHES, sizeof *ns, by_size);
    printf(
        "boundary with nothing pending: %.2f ns median, %.2f ns p99 of %d batches "
        "of %d calls (%zu plans)\n",
        ns[BATCHES / 2], ns[BATCHES * 99 / 100], BATCHES, CALLS, plans);
    dfopt_client_destroy(c);
    return 0;
}
