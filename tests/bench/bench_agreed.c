/* How often the ranks of a program run with different settings, by how plans reach
 * them: "push" (each plan to one of them, in turn), "pub" (to all) and "agreed"
 * (boundaries of all ranks, client_mpi.h). Each delivery to a rank is delayed by 0
 * to 50 ms, drawn anew. "dup": a change that is collective itself, MPI_Comm_dup.
 * "cost": a boundary of all ranks without plans, and MPI_Bcast of 64 bytes beside
 * it.
 *
 *     mpirun -n 64 bench_agreed push|pub|agreed|dup|cost [PLANS [STEP_MS]]
 *
 * Prints one JSON line. The optimizer is a thread of rank 0 with bare sockets. */
#include "dfopt/client_mpi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define DELAY_MS 50
#define EVERY_MS 20 /* a plan */
#define TURNS    10001
#define NS       1000000000.0

struct delivery {
    double due;
    int rank, plan;
};

struct optimizer {
    const char *folder;
    int receivers, plans;
    bool in_turn;
    atomic_bool done;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / NS;
}

static void sleep_until(double when)
{
    const double left = when - now();
    if (left > 0)
        nanosleep(&(struct timespec){(time_t)left,
                                     (long)((left - (double)(time_t)left) * NS)},
                  NULL);
}

static void endpoint(char out[256], const char *folder, int rank)
{
    snprintf(out, 256, "ipc://%s/plans-%d", folder, rank);
}

static int by_time(const void *a, const void *b)
{
    const struct delivery *x = a, *y = b;
    return (x->due > y->due) - (x->due < y->due);
}

static void deliver(void *socket, int plan)
{
    char body[256];
    const int n = snprintf(body, sizeof body,
                           "{\"plan_id\":\"plan_%016x\",\"knob_id\":\"app.size\","
                           "\"target_function\":\"load\",\"new_value\":%d,"
                           "\"apply_when\":\"window_boundary\"}",
                           plan, plan);
    zmq_send(socket, "{}", 2, ZMQ_SNDMORE);
    zmq_send(socket, body, (size_t)n, 0);
}

/* Draws when each plan reaches each of those that get it, and sends it then. */
static void *optimize(void *arg)
{
    struct optimizer *o = arg;
    void *context = zmq_ctx_new();
    void **sockets = calloc((size_t)o->receivers, sizeof *sockets);
    const int copies = o->in_turn ? 1 : o->receivers;
    const size_t n = (size_t)o->plans * (size_t)copies;
    struct delivery *all = calloc(n, sizeof *all);
    unsigned seed = 1;
    if (!context || !sockets || !all)
        abort();
    for (int r = 0; r < o->receivers; r++) {
        char at[256];
        endpoint(at, o->folder, r);
        sockets[r] = zmq_socket(context, ZMQ_PUSH);
        if (!sockets[r] || zmq_bind(sockets[r], at) != 0)
            abort();
    }
    const double start = now() + 1;
    for (size_t i = 0; i < n; i++) {
        const int plan = (int)(i / (size_t)copies) + 1;
        all[i].plan = plan;
        all[i].rank = o->in_turn ? plan % o->receivers : (int)(i % (size_t)copies);
        all[i].due = start + plan * EVERY_MS / 1e3 +
                     (double)rand_r(&seed) / RAND_MAX * DELAY_MS / 1e3;
    }
    qsort(all, n, sizeof *all, by_time);
    for (size_t i = 0; i < n; i++) {
        sleep_until(all[i].due);
        deliver(sockets[all[i].rank], all[i].plan);
    }
    sleep_until(now() + 1);
    o->done = true;
    for (int r = 0; r < o->receivers; r++)
        zmq_close(sockets[r]);
    zmq_ctx_term(context);
    free(sockets);
    free(all);
    return NULL;
}

static dfopt_client *open_client(const char *folder, int rank)
{
    char at[256];
    struct dfopt_error err = {0};
    dfopt_client *c = NULL;
    endpoint(at, folder, rank);
    const struct dfopt_client_options options = {
        .app_namespace = "app", .function = "load", .plans_endpoint = at};
    const struct dfopt_client_knob knob = {
        .parameter = "size",
        .type = DFOPT_CLIENT_INT,
        .default_value = {.kind = DFOPT_CLIENT_INT, .i = 1},
    };
    if (dfopt_client_create(&c, &options, &err) ||
        dfopt_client_knob_declare(c, &knob, &err) || dfopt_client_start(c, &err)) {
        fprintf(stderr, "bench_agreed: %s\n", err.text);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return c;
}

/* One boundary; returns how many plans were applied. */
static int boundary(dfopt_client *c, bool agreed, bool dup, int64_t *size)
{
    struct dfopt_client_agreed a[2];
    size_t n = 0;
    if (!agreed) {
        n = dfopt_client_at_boundary(c, NULL, "window_boundary", &a[0].plan, 1);
        if (n)
            *size = a[0].plan.new_value.i;
        return (int)n;
    }
    dfopt_client_at_boundary_all(c, MPI_COMM_WORLD, NULL, "window_boundary", a, 2,
                                 &n);
    for (size_t i = 0; i < n; i++) {
        bool all;
        MPI_Comm other;
        if (dup) {
            MPI_Comm_dup(MPI_COMM_WORLD, &other);
            MPI_Comm_free(&other);
        }
        dfopt_client_ack_all(c, MPI_COMM_WORLD, &a[i], NULL, 0, &all);
        if (all)
            *size = a[i].plan.new_value.i;
    }
    return (int)n;
}

static void run(const char *mode, const char *folder, int rank, int ranks,
                int plans, double step_s)
{
    const bool dup = strcmp(mode, "dup") == 0;
    const bool agreed = dup || strcmp(mode, "agreed") == 0;
    struct optimizer o = {.folder = folder,
                          .receivers = agreed ? 1 : ranks,
                          .plans = plans,
                          .in_turn = strcmp(mode, "push") == 0};
    pthread_t thread;
    dfopt_client *c = NULL;
    int64_t size = 1, steps = 0, differ = 0, changes = 0;
    if (rank == 0 && pthread_create(&thread, NULL, optimize, &o) != 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    if (!agreed || rank == 0)
        c = open_client(folder, rank);
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = now();
    double next = start;
    for (int done = 0; !done; steps++) {
        changes += boundary(c, agreed, dup, &size);
        int64_t seen[3] = {size, -size, rank == 0 && o.done};
        MPI_Allreduce(MPI_IN_PLACE, seen, 3, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
        differ += seen[0] != -seen[1];
        done = (int)seen[2];
        next = next + step_s > now() ? next + step_s : now();
        sleep_until(next);
    }
    if (rank == 0)
        printf(
            "{\"mode\": \"%s\", \"ranks\": %d, \"plans\": %d, \"changes\": %lld, "
            "\"steps\": %lld, \"steps_in_which_ranks_differ\": %lld, \"step_ms\": "
            "%.2f}\n",
            mode, ranks, plans, (long long)changes, (long long)steps,
            (long long)differ, (now() - start) * 1e3 / (double)steps);
    dfopt_client_destroy(c);
    if (rank == 0)
        pthread_join(thread, NULL);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void cost(const char *folder, int rank, int ranks)
{
    static double ns[2][TURNS];
    char bytes[DFOPT_CLIENT_GROUP_BYTES] = {0};
    int64_t size = 0;
    dfopt_client *c = rank == 0 ? open_client(folder, 0) : NULL;
    for (int i = 0; i < TURNS; i++) { /* in turn: other load falls on both */
        MPI_Barrier(MPI_COMM_WORLD);
        double before = now();
        boundary(c, true, false, &size);
        MPI_Barrier(MPI_COMM_WORLD);
        ns[0][i] = (now() - before) * NS;
        MPI_Barrier(MPI_COMM_WORLD);
        before = now();
        MPI_Bcast(bytes, sizeof bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
        ns[1][i] = (now() - before) * NS;
    }
    for (int i = 0; i < 2; i++)
        qsort(ns[i], TURNS, sizeof *ns[i], by_size);
    if (rank == 0)
        printf(
            "{\"mode\": \"cost\", \"ranks\": %d, \"boundary_ns\": %.0f, "
            "\"bcast_64_ns\": %.0f, \"of\": \"medians, each with a barrier behind "
            "it\", \"turns\": %d}\n",
            ranks, ns[0][TURNS / 2], ns[1][TURNS / 2], TURNS);
    dfopt_client_destroy(c);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench-agreed-XXXXXX";
    int rank, ranks, level;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const char *mode = argc > 1 ? argv[1] : "agreed";
    const int plans = argc > 2 ? atoi(argv[2]) : 2000;
    const double step_s = argc > 3 ? atof(argv[3]) / 1e3 : 0.005;
    if (rank == 0 && !mkdtemp(folder))
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(folder, sizeof folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (strcmp(mode, "cost") == 0)
        cost(folder, rank, ranks);
    else
        run(mode, folder, rank, ranks, plans, step_s);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        rmdir(folder);
    MPI_Finalize();
    return 0;
}
