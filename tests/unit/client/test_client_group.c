/* Boundaries of several threads as ranks: all have the same plans at the same step,
 * and what one cannot apply none keeps. */
#include "client_fixture.h"
#include "dfopt/client_group.h"
#include "support/apart.h"
#include "support/unit.h"

#include <stdatomic.h>

#define RANKS    7
#define STEPS    400
#define PLANS    60
#define LEASE_MS 300

/* Threads speak through one place, in turns. */
struct meeting {
    pthread_barrier_t barrier;
    const void *bytes;
    int64_t most[32];
    pthread_mutex_t lock;
    int broadcasts;
    atomic_int filed, step;
    size_t broadcast_bytes;
};

struct rank {
    struct meeting *m;
    dfopt_client *c;
    struct dfopt_client_group group;
    int64_t value, values[STEPS];
    int rejected;
};

static int broadcast(void *arg, void *bytes, size_t n)
{
    struct rank *r = arg;
    if (r->group.rank == 0) {
        r->m->bytes = bytes;
        r->m->broadcasts++;
        r->m->broadcast_bytes += n;
    }
    pthread_barrier_wait(&r->m->barrier);
    if (r->group.rank != 0)
        memcpy(bytes, r->m->bytes, n);
    pthread_barrier_wait(&r->m->barrier);
    return 0;
}

static int maximum(void *arg, int64_t *values, int n)
{
    struct rank *r = arg;
    if (r->group.rank == 0)
        memset(r->m->most, 0, sizeof r->m->most);
    pthread_barrier_wait(&r->m->barrier);
    pthread_mutex_lock(&r->m->lock);
    for (int i = 0; i < n; i++)
        if (values[i] > r->m->most[i])
            r->m->most[i] = values[i];
    pthread_mutex_unlock(&r->m->lock);
    pthread_barrier_wait(&r->m->barrier);
    memcpy(values, r->m->most, (size_t)n * sizeof *values);
    pthread_barrier_wait(&r->m->barrier);
    return 0;
}

/* Every fifth value is one that some rank cannot have. */
static const char *why_not(const struct rank *r, int64_t value)
{
    return value % 5 == 0 && value % RANKS == r->group.rank ? "no memory" : NULL;
}

/* Plans come at any moment of a step, but on every machine within the steps, and
 * not all at once. */
static void keep_pace(struct meeting *m, int step)
{
    atomic_store(&m->step, step);
    while (atomic_load(&m->filed) < PLANS * step / STEPS)
        pause_ms(1);
}

static void *run(void *arg)
{
    struct rank *r = arg;
    struct dfopt_client_agreed p[2];
    for (int step = 0; step < STEPS; step++) {
        size_t n;
        if (r->group.rank == 0)
            keep_pace(r->m, step);
        bool all;
        if (dfopt_client_at_boundary_group(r->c, &r->group, NULL, "now", p, 2, &n))
            return "boundary";
        for (size_t i = 0; i < n; i++) {
            const int64_t before = r->value;
            if (strcmp(p[i].plan.parameter, "a") != 0)
                return "parameter";
            r->value = p[i].plan.new_value.i;
            if (dfopt_client_ack_group(r->c, &r->group, &p[i], why_not(r, r->value),
                                       step, &all))
                return "ack";
            r->value = all ? r->value : before;
            r->rejected += !all;
        }
        r->values[step] = r->value;
    }
    if (r->group.rank == 0)
        atomic_store(&r->m->step, STEPS);
    return NULL;
}

/* Files plans at any time while the ranks go on. */
static void *file_plans(void *arg)
{
    struct rank *first = arg;
    dfopt_client *c = first->c;
    for (int i = 0; i < PLANS; i++) {
        char plan[256];
        snprintf(plan, sizeof plan, PLAN("p%d", "app.a", "%d", "now"), i,
                 i % 16 + 1);
        if (dfopt_client_enqueue(c, plan, strlen(plan), NULL))
            return "plan";
        atomic_store(&first->m->filed, i + 1);
        do
            pause_ms(1);
        while (i > PLANS * atomic_load(&first->m->step) / STEPS);
    }
    return NULL;
}

/* Ranks that meet in m, the first of them with the client. */
static void meet(struct meeting *m, struct rank ranks[RANKS], dfopt_client *c)
{
    pthread_barrier_init(&m->barrier, NULL, RANKS);
    pthread_mutex_init(&m->lock, NULL);
    for (int i = 0; i < RANKS; i++) {
        ranks[i] = (struct rank){.m = m, .c = i ? NULL : c, .value = 2};
        ranks[i].group = (struct dfopt_client_group){.arg = &ranks[i],
                                                     .rank = i,
                                                     .broadcast = broadcast,
                                                     .maximum = maximum,
                                                     .wait_ms = 1};
    }
}

static void all_alike(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    options.registry_endpoint = NULL;
    static struct rank ranks[RANKS];
    struct meeting m = {.broadcasts = 0};
    pthread_t threads[RANKS], filer;
    void *wrong;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    meet(&m, ranks, c);
    assert_int_equal(pthread_create(&filer, NULL, file_plans, &ranks[0]), 0);
    for (int i = 0; i < RANKS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &ranks[i]), 0);
    pthread_join(filer, &wrong);
    assert_null(wrong);
    for (int i = 0; i < RANKS; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
        assert_memory_equal(ranks[i].values, ranks[0].values,
                            sizeof ranks[0].values);
        assert_int_equal(ranks[i].rejected, ranks[0].rejected);
    }
    const struct dfopt_client_stats s = stats_of(c);
    struct dfopt_client_value now;
    assert_int_equal(dfopt_client_current(c, NULL, "app.a", &now), DFOPT_OK);
    assert_int_equal(now.i, ranks[0].value);
    assert_true(s.plans_delivered > 0 && ranks[0].rejected > 0);
    /* one broadcast a boundary, and one more a plan */
    assert_int_equal(m.broadcasts, STEPS + s.plans_delivered);
    assert_int_equal(m.broadcast_bytes,
                     STEPS * DFOPT_CLIENT_GROUP_BYTES +
                         s.plans_delivered * sizeof(struct dfopt_client_agreed));
    dfopt_client_destroy(c);
    pthread_barrier_destroy(&m.barrier);
    pthread_mutex_destroy(&m.lock);
}

/* Each rank goes on until it is told the registered value; when that was. */
static void *run_until_restored(void *arg)
{
    struct rank *r = arg;
    struct dfopt_client_agreed p[2];
    for (int step = 0;; step++) {
        size_t n;
        bool all, own = false;
        if (dfopt_client_at_boundary_group(r->c, &r->group, NULL, "now", p, 2, &n))
            return "boundary";
        for (size_t i = 0; i < n; i++) {
            r->value = p[i].plan.new_value.i;
            own = strcmp(p[i].plan.plan_id, DFOPT_CLIENT_ON_LOST) == 0;
            if (dfopt_client_ack_group(r->c, &r->group, &p[i], NULL, step, &all))
                return "ack";
        }
        r->values[0] = step;
        if (own)
            return NULL;
    }
}

/* The optimizer dies: all ranks go back at the same step. */
static void all_restored(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    options.lease_ms = LEASE_MS;
    static struct rank ranks[RANKS];
    struct meeting m = {.broadcasts = 0};
    pthread_t threads[RANKS];
    void *wrong;
    dfopt_client *c = make_client(&options);
    const struct dfopt_client_knob k = {.parameter = "a",
                                        .type = DFOPT_CLIENT_INT,
                                        .default_value = int_value(2),
                                        .on_lost = DFOPT_CLIENT_RESTORE};
    assert_int_equal(dfopt_client_knob_declare(c, &k, NULL), DFOPT_OK);
    start(c);
    drop_registration(o);
    meet(&m, ranks, c);
    for (int i = 0; i < RANKS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_until_restored, &ranks[i]), 0);
    send_plan(o, PLAN("p", "app.a", "7", "now"));
    drop_message(o->acks);
    optimizer_close(o);
    for (int i = 0; i < RANKS; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
        assert_int_equal(ranks[i].value, 2);
        assert_int_equal(ranks[i].values[0], ranks[0].values[0]);
    }
    assert_int_equal(stats_of(c).values_restored, 1);
    optimizer_open(o, ZMQ_PUSH, NULL);
    dfopt_client_destroy(c);
    pthread_barrier_destroy(&m.barrier);
    pthread_mutex_destroy(&m.lock);
}

static int fails_to_send(void *arg, void *bytes, size_t n)
{
    (void)arg, (void)bytes, (void)n;
    return 1;
}

static int fails_to_reduce(void *arg, int64_t *values, int n)
{
    (void)arg, (void)values, (void)n;
    return 1;
}

static int spoils(void *arg, void *bytes, size_t n)
{
    (void)arg;
    memset(bytes, 'x', n);
    return 0;
}

static void failures(void **state)
{
    (void)state;
    struct dfopt_client_group g = {.broadcast = fails_to_send,
                                   .maximum = fails_to_reduce};
    struct dfopt_client_agreed p = {.plan.plan_id = "p"};
    size_t n = 9;
    bool all = true;
    assert_int_equal(
        dfopt_client_at_boundary_group(NULL, &g, NULL, NULL, &p, 1, &n),
        DFOPT_ERR_IO);
    assert_int_equal(n, 0);
    assert_int_equal(dfopt_client_ack_group(NULL, &g, &p, NULL, 0, &all),
                     DFOPT_ERR_IO);
    assert_false(all);
    g.broadcast = spoils;
    assert_int_equal(
        dfopt_client_at_boundary_group(NULL, &g, NULL, NULL, &p, 1, &n),
        DFOPT_ERR_STATE);
    assert_int_equal(
        dfopt_client_at_boundary_group(NULL, NULL, NULL, NULL, &p, 1, &n),
        DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_ack_group(NULL, &g, NULL, NULL, 0, &all),
                     DFOPT_ERR_ARG);
}

static void *send_late(void *arg)
{
    struct optimizer *o = arg;
    pause_ms(50);
    send_plan(o, PLAN("p", "app.a", "7", "now"));
    return NULL;
}

/* A boundary that waits has what comes meanwhile, and else its time. */
static void waiting(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p;
    pthread_t sender;
    int64_t before = now_ms();
    assert_int_equal(dfopt_client_at_boundary_wait(c, NULL, "now", &p, 1, 100), 0);
    assert_true(now_ms() - before >= 99);
    assert_int_equal(pthread_create(&sender, NULL, send_late, o), 0);
    assert_int_equal(
        dfopt_client_at_boundary_wait(c, NULL, "now", &p, 1, DEADLINE_MS), 1);
    assert_int_equal(p.new_value.i, 7);
    pthread_join(sender, NULL);
    before = now_ms();
    assert_int_equal(dfopt_client_stop(c, 0), DFOPT_OK);
    assert_int_equal(
        dfopt_client_at_boundary_wait(c, NULL, "now", &p, 1, DEADLINE_MS), 0);
    assert_true(now_ms() - before < DEADLINE_MS / 2);
    assert_int_equal(dfopt_client_at_boundary_wait(NULL, NULL, NULL, &p, 1, 1), 0);
    dfopt_client_destroy(c);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(all_alike),
        with_optimizer(all_restored),
        cmocka_unit_test(failures),
        with_optimizer(waiting),
    };
    return apart_main(argc > 1 ? argv[1] : NULL, tests, N_OF(tests), LEASE_MS / 4);
}
