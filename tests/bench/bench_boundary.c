/* What a boundary costs an application with nothing pending, while a listener
 * runs: one JSON line with the median and the 99th percentile, in nanoseconds a
 * call, of batches that are long against the clock's own cost. */
#include "dfopt/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCHES 20001
#define CALLS   1000

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
        fprintf(stderr, "bench_boundary: %s\n", err.text);
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
    printf("{\"median_ns\": %.2f, \"p99_ns\": %.2f, \"batches\": %d, "
           "\"calls_a_batch\": %d, \"plans\": %zu}\n",
           ns[BATCHES / 2], ns[BATCHES * 99 / 100], BATCHES, CALLS, plans);
    dfopt_client_destroy(c);
    return 0;
}
