/* Ranks of MPI that pass boundaries together, for as many steps as are given. Plans
 * come in at rank 0 at any time; a rank, now another, cannot apply some of them.
 * Prints how many steps had ranks with different values; exit code 1: there were
 * any.
 *
 * usage: mpirun -n N client_ranks STEPS PLANS */
#include "dfopt/client_mpi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAN                                                                       \
    "{\"plan_id\":\"p%d\",\"knob_id\":\"app.size\",\"target_function\":\"load\","  \
    "\"new_value\":%d,\"apply_when\":\"now\"}"

struct filing {
    dfopt_client *c;
    int plans, steps;
    atomic_int filed, step;
};

/* How many plans have their turn before a step. */
static int due(const struct filing *f, int step)
{
    return (int)((int64_t)f->plans * step / f->steps);
}

static void pause_ns(long ns)
{
    nanosleep(&(struct timespec){0, ns}, NULL);
}

static void *file_plans(void *arg)
{
    struct filing *f = arg;
    for (int i = 0; i < f->plans; i++) {
        char plan[256];
        snprintf(plan, sizeof plan, PLAN, i, i % 61 + 3);
        if (dfopt_client_enqueue(f->c, plan, strlen(plan), NULL))
            return "a plan is not taken";
        atomic_store(&f->filed, i + 1);
        do
            pause_ns(300000);
        while (i > due(f, atomic_load(&f->step)));
    }
    return NULL;
}

static dfopt_client *make(struct dfopt_error *err)
{
    const struct dfopt_client_options options = {
        .app_namespace = "app", .function = "load", .hostname = "n1"};
    const struct dfopt_client_knob knob = {
        .parameter = "size",
        .type = DFOPT_CLIENT_INT,
        .default_value = {.kind = DFOPT_CLIENT_INT, .i = 2}};
    dfopt_client *c = NULL;
    if (dfopt_client_create(&c, &options, err) ||
        dfopt_client_knob_declare(c, &knob, err) || dfopt_client_start(c, err))
        return NULL;
    return c;
}

/* Plans come at any moment of a step, but on every machine within the steps, and
 * not all at once. */
static void keep_pace(struct filing *f, int step)
{
    atomic_store(&f->step, step);
    while (f->c && atomic_load(&f->filed) < due(f, step))
        pause_ns(100000);
}

/* Every third value is one that a rank cannot have. */
static const char *why_not(int64_t value, int rank, int ranks)
{
    return value % 3 == 0 && value % ranks == rank ? "no memory for it" : NULL;
}

struct counts {
    int plans, rejected;
};

/* One step. Returns the value that it is done with; -1: something failed. */
static int64_t step(dfopt_client *c, int64_t value, int window, int rank, int ranks,
                    struct counts *counts)
{
    struct dfopt_client_agreed p[2];
    size_t n;
    if (dfopt_client_at_boundary_all(c, MPI_COMM_WORLD, NULL, "now", p, 2, &n))
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool all;
        const int64_t new_value = p[i].plan.new_value.i;
        if (dfopt_client_ack_all(c, MPI_COMM_WORLD, &p[i],
                                 why_not(new_value, rank, ranks), window, &all))
            return -1;
        value = all ? new_value : value;
        counts->plans++;
        counts->rejected += !all;
    }
    return value;
}

/* Of the same step at all ranks: the least and the most. */
static int compare(const int64_t *values, int steps, int rank)
{
    int64_t *least = calloc((size_t)steps, sizeof *least);
    int64_t *most = calloc((size_t)steps, sizeof *most);
    int different = 0;
    if (!least || !most)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Reduce(values, least, steps, MPI_INT64_T, MPI_MIN, 0, MPI_COMM_WORLD);
    MPI_Reduce(values, most, steps, MPI_INT64_T, MPI_MAX, 0, MPI_COMM_WORLD);
    for (int i = 0; rank == 0 && i < steps; i++)
        different += least[i] != most[i];
    free(least);
    free(most);
    return different;
}

/* What the client has come to is what the ranks have. */
static int conclude(dfopt_client *c, int64_t value, int different, int steps,
                    const struct counts *counts)
{
    struct dfopt_client_value now = {.kind = DFOPT_CLIENT_NULL};
    (void)dfopt_client_current(c, NULL, "app.size", &now);
    printf("%d steps, %d plans, %d rejected: %d steps differ\n", steps,
           counts->plans, counts->rejected, different);
    return different > 0 || now.i != value || counts->rejected == 0 ||
           counts->plans == counts->rejected;
}

int main(int argc, char **argv)
{
    int rank, ranks, bad = 0;
    struct dfopt_error err = {.text = ""};
    struct counts counts = {0, 0};
    int64_t value = 2;
    pthread_t thread;
    void *wrong = NULL;
    const int steps = argc > 2 ? atoi(argv[1]) : 100;
    struct filing filing = {
        .c = NULL, .plans = argc > 2 ? atoi(argv[2]) : 50, .steps = steps};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0 && (!(filing.c = make(&err)) ||
                      pthread_create(&thread, NULL, file_plans, &filing) != 0)) {
        fprintf(stderr, "client_ranks: %s\n", err.text);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    int64_t *values = calloc((size_t)steps, sizeof *values);
    for (int i = 0; i < steps && values; i++) {
        keep_pace(&filing, i);
        values[i] = value = step(filing.c, value, i, rank, ranks, &counts);
    }
    if (!values || value < 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    const int different = compare(values, steps, rank);
    atomic_store(&filing.step, steps);
    if (rank == 0) {
        pthread_join(thread, &wrong);
        bad = wrong || conclude(filing.c, value, different, steps, &counts);
        dfopt_client_destroy(filing.c);
    }
    free(values);
    MPI_Finalize();
    return bad;
}
