/* Many threads in one client. What they may not do is lose or double a plan or an
 * ack; the rest is for a thread sanitizer to say. */
#include "client_fixture.h"

#include <stdatomic.h>

#define THREADS 8
#define PLANS   2000

struct team {
    dfopt_client *c;
    atomic_bool over;
    atomic_uint_fast64_t taken, calls;
};

/* A thread of the application: boundaries, acks, and looks at everything. */
static void *work(void *arg)
{
    struct team *t = arg;
    struct dfopt_client_plan p[2];
    struct dfopt_client_value v;
    struct dfopt_client_stats s;
    while (!atomic_load(&t->over)) {
        size_t n = dfopt_client_at_boundary(t->c, NULL, "now", p, 2);
        for (size_t i = 0; i < n; i++)
            if (dfopt_client_ack(t->c, &p[i], DFOPT_CLIENT_APPLIED, NULL, "", 1) ==
                0)
                atomic_fetch_add(&t->taken, 1);
        if (atomic_fetch_add(&t->calls, 1) % 64 == 0) {
            dfopt_client_current(t->c, NULL, "app.a", &v);
            dfopt_client_stats(t->c, &s);
            dfopt_client_register(t->c, NULL, NULL);
        }
    }
    return NULL;
}

/* Takes what comes in at the optimizer, counting acks. */
static uint64_t drain(struct optimizer *o)
{
    char sink[4096];
    uint64_t acks = 0;
    while (zmq_recv(o->registry, sink, sizeof sink, ZMQ_DONTWAIT) >= 0)
        continue;
    while (zmq_recv(o->acks, sink, sizeof sink, ZMQ_DONTWAIT) >= 0) /* two parts */
        acks++;
    return acks;
}

static void boundaries_and_acks(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    struct dfopt_client_options options = optimizer_options(&o);
    options.max_pending_acks = 4 * PLANS;
    dfopt_client *c = make_client(&options);
    struct team t = {.c = c};
    pthread_t threads[THREADS];
    uint64_t parts = 0;
    declare_int(c, "a");
    declare_int(c, "b");
    start(c);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &t), 0);
    for (int i = 0; i < PLANS; i++) {
        send_plan(&o, i % 2 ? PLAN("p", "app.a", "3", "now")
                            : PLAN("p", "app.b", "4", "now"));
        if (i % 16 == 0)
            parts += drain(&o);
    }
    wait_until(stats_of(c).plans_received == PLANS &&
               stats_of(c).plans_pending == 0);
    atomic_store(&t.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct dfopt_client_stats s = stats_of(c);
    assert_int_equal(s.plans_delivered + s.plans_replaced, PLANS);
    assert_int_equal(atomic_load(&t.taken), s.plans_delivered);
    wait_until((parts += drain(&o)) == 2 * s.plans_delivered);
    assert_int_equal(s.acks_dropped, 0);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

static void *stop(void *arg)
{
    struct team *t = arg;
    assert_int_equal(dfopt_client_stop(t->c, 50) != DFOPT_ERR_STATE, 1);
    return NULL;
}

/* Several stop and start it while the others are in it. */
static void stop_from_threads(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUSH);
    struct team t = {.c = c};
    pthread_t workers[THREADS], stoppers[3];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i], NULL, work, &t), 0);
    for (int round = 0; round < 10; round++) {
        send_plan(&o, PLAN("p", "app.a", "3", "now"));
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&stoppers[i], NULL, stop, &t), 0);
        for (int i = 0; i < 3; i++)
            pthread_join(stoppers[i], NULL);
        start(c);
        drain(&o);
    }
    atomic_store(&t.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i], NULL);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

struct declarer {
    dfopt_client *c;
    int number;
};

static void *declare_some(void *arg)
{
    struct declarer *d = arg;
    for (int i = 0; i < 20; i++) {
        char parameter[32], function[32];
        snprintf(parameter, sizeof parameter, "k%d_%d", d->number, i);
        snprintf(function, sizeof function, "f%d", i % 5);
        const struct dfopt_client_knob k = {
            .parameter = parameter,
            .function = function,
            .type = DFOPT_CLIENT_INT,
            .default_value = {.kind = DFOPT_CLIENT_INT, .i = 1}};
        if (dfopt_client_knob_declare(d->c, &k, NULL) != DFOPT_OK ||
            dfopt_client_register(d->c, function, NULL) != DFOPT_OK)
            return d;
    }
    return NULL;
}

/* Knobs declared and registered by many, while registrations are being sent. */
static void declared_from_threads(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUSH);
    pthread_t threads[THREADS];
    struct declarer d[THREADS];
    for (int i = 0; i < THREADS; i++) {
        d[i] = (struct declarer){c, i};
        assert_int_equal(pthread_create(&threads[i], NULL, declare_some, &d[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    /* the last registration of each function has all its knobs */
    bool whole[5] = {false};
    for (int n = 0; n < 5;) {
        struct json_object *knobs, *name, *body = receive_registration(&o, NULL);
        json_object_object_get_ex(body, "function_name", &name);
        json_object_object_get_ex(body, "knobs", &knobs);
        const char *function = json_object_get_string(name);
        if (*function == 'f' && json_object_object_length(knobs) == THREADS * 4 &&
            !whole[function[1] - '0']) {
            whole[function[1] - '0'] = true;
            n++;
        }
        json_object_put(body);
    }
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries_and_acks),
        cmocka_unit_test(stop_from_threads),
        cmocka_unit_test(declared_from_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
