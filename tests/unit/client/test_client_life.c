/* The two sides come and go: an optimizer that dies, a client that stops, two
 * clients, CURVE keys, and fork. */
#include "client_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct dfopt_client_plan applied_plan = {
    .plan_id = "p",
    .knob_id = "app.a",
    .function = "load",
    .new_value = {.kind = DFOPT_CLIENT_INT, .i = 5},
};

static enum dfopt_err ack_window(dfopt_client *c, int64_t window)
{
    return dfopt_client_ack(c, &applied_plan, DFOPT_CLIENT_APPLIED, NULL, "",
                            window);
}

static int64_t json_int(struct json_object *j, const char *outer, const char *name)
{
    struct json_object *at = j;
    if (outer)
        assert_true(json_object_object_get_ex(j, outer, &at));
    assert_true(json_object_object_get_ex(at, name, &at));
    return json_object_get_int64(at);
}

/* Counts how often the optimizer was told to be gone. */
static void count_gone(void *arg, enum dfopt_client_level level, const char *text)
{
    (void)level;
    if (strstr(text, ": gone"))
        __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELEASE);
}

#define PROBE 1000 /* the window of an ack that tells whether acks stay */

/* Sends acks until one is kept, as those are which have no connection. */
static void until_acks_stay(dfopt_client *c)
{
    uint64_t sent;
    const int64_t until = now_ms() + DEADLINE_MS;
    do {
        assert_true(now_ms() < until);
        sent = stats_of(c).acks_sent;
        assert_int_equal(ack_window(c, PROBE), DFOPT_OK);
        pause_ms(200);
    } while (stats_of(c).acks_sent > sent);
}

/* It dies, acks wait, it comes back: knobs with the values of that moment, the
 * acks in order, and plans again. Three times over. */
static void optimizer_comes_back(void **state)
{
    (void)state;
    struct optimizer o = {0};
    struct dfopt_client_plan p;
    optimizer_open(&o, ZMQ_PUSH, NULL);
    int gone = 0;
    struct dfopt_client_options options = optimizer_options(&o);
    options.log = count_gone;
    options.log_arg = &gone;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    declare_int(c, "b");
    start(c);
    drop_registration(&o);
    wait_until(stats_of(c).registrations_sent == 1);
    for (int round = 1; round <= 3; round++) {
        optimizer_close(&o);
        /* An ack sent into a connection that is just dying may be lost with it:
         * let the client notice first, and that of the acks after that of the
         * registrations. */
        wait_until(__atomic_load_n(&gone, __ATOMIC_ACQUIRE) == round);
        until_acks_stay(c);
        for (int i = 0; i < 3; i++)
            assert_int_equal(ack_window(c, i), DFOPT_OK);
        assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &p, 1), 0);
        optimizer_open(&o, ZMQ_PUSH, NULL);
        struct json_object *body = receive_registration(&o, NULL);
        assert_int_equal(json_int(body, "current_values", "a"), 5);
        json_object_put(body);
        for (int i = -1; i < 3; i++) {
            body = receive_json(o.acks, NULL);
            assert_int_equal(json_int(body, NULL, "window_index"),
                             i < 0 ? PROBE : i);
            json_object_put(body);
        }
        send_plan(&o, PLAN("p", "app.b", "7", "now"));
        wait_until(dfopt_client_at_boundary(c, NULL, "now", &p, 1) == 1);
        wait_until(stats_of(c).registrations_sent == (uint64_t)round + 1);
        assert_int_equal(stats_of(c).connections, round + 1);
        assert_true(is_silent(o.registry, 20));
    }
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* A plan that an earlier optimizer made is applied under a later one, which cannot
 * match the ack: it is told the value by a registration. An ack of a plan of its
 * own needs none. */
static void applied_after_a_restart(void **state)
{
    (void)state;
    struct optimizer o = {0};
    struct dfopt_client_plan p;
    optimizer_open(&o, ZMQ_PUSH, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUSH);
    deliver(&o, c, PLAN("p1", "app.a", "5", "now"));
    optimizer_close(&o);
    optimizer_open(&o, ZMQ_PUSH, NULL);
    for (int value = 2; value <= 5; value += 3) {
        struct json_object *body = receive_registration(&o, NULL);
        assert_int_equal(json_int(body, "current_values", "a"), value);
        assert_int_equal(json_int(body, "current_values", "b"), 2);
        json_object_put(body);
        if (value == 5)
            break;
        assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", &p, 1), 1);
        assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, NULL, "", 1),
                         DFOPT_OK);
        drop_message(o.acks);
    }
    deliver(&o, c, PLAN("p2", "app.a", "6", "now"));
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", &p, 1), 1);
    assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, NULL, "", 1),
                     DFOPT_OK);
    drop_message(o.acks);
    assert_true(is_silent(o.registry, 50));
    assert_int_equal(stats_of(c).registrations_sent, 3);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* The application starts first; the optimizer comes when it comes. */
static void optimizer_comes_late(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL); /* for three free ports */
    struct dfopt_client_options options = optimizer_options(&o);
    optimizer_close(&o);
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    assert_int_equal(ack_window(c, 1), DFOPT_OK);
    pause_ms(150);
    optimizer_open(&o, ZMQ_PUSH, NULL);
    drop_registration(&o);
    drop_message(o.acks);
    wait_until(stats_of(c).acks_sent == 1);
    wait_until(stats_of(c).registrations_sent == 1);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* Whatever was acknowledged before stop arrives, if the optimizer is there. */
static void stop_sends_acks(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    for (int round = 0; round < 10; round++) {
        dfopt_client *c = running_client(&o, ZMQ_PUSH);
        for (int i = 0; i < 100; i++)
            assert_int_equal(ack_window(c, i), DFOPT_OK);
        assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
        assert_int_equal(stats_of(c).acks_sent, 100);
        dfopt_client_destroy(c);
        for (int i = 0; i < 100; i++)
            drop_message(o.acks);
    }
    optimizer_close(&o);
}

#define MANY_ACKS 14000 /* in less than the 30 s after which a peer is given up */

/* Acks for an optimizer that does not read; more than all buffers between hold. */
static void flood_acks(dfopt_client *c)
{
    char reason[1000];
    memset(reason, 'x', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    for (int i = 0; i < MANY_ACKS; i++)
        assert_int_equal(dfopt_client_ack(c, &applied_plan, DFOPT_CLIENT_APPLIED,
                                          NULL, reason, i),
                         DFOPT_OK);
}

/* Then it reads: all of them, in order. And again, but the client stops. */
static void optimizer_stalls(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    struct dfopt_client_options options = optimizer_options(&o);
    options.max_pending_acks = MANY_ACKS;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    flood_acks(c);
    pause_ms(50);
    assert_true(stats_of(c).acks_pending > 0);
    for (int i = 0; i < MANY_ACKS; i++) {
        struct json_object *body = receive_json(o.acks, NULL);
        assert_int_equal(json_int(body, NULL, "window_index"), i);
        json_object_put(body);
    }
    wait_until(stats_of(c).acks_sent == MANY_ACKS);
    flood_acks(c);
    int64_t before = now_ms();
    assert_int_equal(dfopt_client_stop(c, 100), DFOPT_ERR_LIMIT);
    assert_true(now_ms() - before < DEADLINE_MS);
    struct dfopt_client_stats s = stats_of(c);
    assert_int_equal(s.acks_sent + s.acks_dropped, 2 * MANY_ACKS);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* While plans pour in, each stop is within its bound; it starts again. */
static void stop_in_a_flood(void **state)
{
    (void)state;
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUSH);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 500; i++)
            if (zmq_send(o.plans, PLAN_META, strlen(PLAN_META),
                         ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
                zmq_send(o.plans, "{}", 2, ZMQ_DONTWAIT);
        int64_t before = now_ms();
        assert_int_equal(dfopt_client_stop(c, round % 2 * 100), DFOPT_OK);
        assert_true(now_ms() - before < DEADLINE_MS);
        start(c);
        drop_registration(&o);
    }
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

static void two_clients(void **state)
{
    (void)state;
    struct optimizer o[2] = {0};
    dfopt_client *c[2];
    struct dfopt_client_plan p;
    for (int i = 0; i < 2; i++) {
        optimizer_open(&o[i], ZMQ_PUSH, NULL);
        c[i] = running_client(&o[i], ZMQ_PUSH);
    }
    send_plan(&o[1], PLAN("p1", "app.a", "9", "now"));
    wait_until(stats_of(c[1]).plans_pending == 1);
    assert_int_equal(dfopt_client_at_boundary(c[0], NULL, NULL, &p, 1), 0);
    dfopt_client_destroy(c[0]);
    assert_int_equal(dfopt_client_at_boundary(c[1], NULL, NULL, &p, 1), 1);
    assert_int_equal(dfopt_client_ack(c[1], &p, DFOPT_CLIENT_APPLIED, NULL, "", 0),
                     DFOPT_OK);
    drop_message(o[1].acks);
    dfopt_client_destroy(c[1]);
    for (int i = 0; i < 2; i++)
        optimizer_close(&o[i]);
}

/* ---- CURVE ---- */

static void curve(void **state)
{
    (void)state;
    if (!zmq_has("curve"))
        skip();
    char server_public[41], server_secret[41], public[41], secret[41];
    char other_public[41], other_secret[41];
    assert_int_equal(zmq_curve_keypair(server_public, server_secret), 0);
    assert_int_equal(zmq_curve_keypair(public, secret), 0);
    assert_int_equal(zmq_curve_keypair(other_public, other_secret), 0);
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, server_secret);
    struct dfopt_client_options options = optimizer_options(&o);
    for (int i = 0; i < 2; i++) { /* no keys; those for another optimizer */
        if (i == 1) {
            options.curve_server_key = other_public;
            options.curve_public_key = public;
            options.curve_secret_key = secret;
        }
        dfopt_client *c = make_client(&options);
        declare_int(c, "a");
        start(c);
        assert_int_equal(ack_window(c, 1), DFOPT_OK);
        assert_true(is_silent(o.registry, 200) && is_silent(o.acks, 0));
        assert_int_equal(stats_of(c).registrations_sent, 0);
        dfopt_client_destroy(c);
    }
    options.curve_server_key = server_public;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    drop_registration(&o);
    send_plan(&o, PLAN("p", "app.a", "3", "now"));
    wait_until(stats_of(c).plans_pending == 1);
    assert_int_equal(ack_window(c, 1), DFOPT_OK);
    drop_message(o.acks);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* The application's pair in a file, as dfopt-mpi and pyzmq write them. */
static void curve_files(void **state)
{
    (void)state;
    if (!zmq_has("curve"))
        skip();
    char server_public[41], server_secret[41], public[41], secret[41];
    char path[] = "/tmp/dfopt-key-XXXXXX";
    assert_int_equal(zmq_curve_keypair(server_public, server_secret), 0);
    assert_int_equal(zmq_curve_keypair(public, secret), 0);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd,
                        "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
                        public, secret) > 0);
    close(fd);
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, server_secret);
    struct dfopt_client_options options = optimizer_options(&o);
    options.curve_server_key = server_public;
    options.curve_secret_key = path;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    drop_registration(&o);
    dfopt_client_destroy(c);
    optimizer_close(&o);
    unlink(path);
}

static void curve_unusable(void **state)
{
    (void)state;
    if (!zmq_has("curve"))
        skip();
    char public[41], secret[41], other[41], unused[41];
    assert_int_equal(zmq_curve_keypair(public, secret), 0);
    assert_int_equal(zmq_curve_keypair(other, unused), 0);
    const struct {
        const char *server, *public, *secret;
    } cases[] = {{public, public, "short"},
                 {"short", public, secret},
                 {public, "short", secret},
                 {public, other, secret},
                 {public, NULL, "/dev/null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_error err = {0};
        const struct dfopt_client_options options = {
            .app_namespace = "app",
            .acks_endpoint = "tcp://127.0.0.1:1",
            .curve_server_key = cases[i].server,
            .curve_public_key = cases[i].public,
            .curve_secret_key = cases[i].secret,
        };
        dfopt_client *c = make_client(&options);
        enum dfopt_err e = dfopt_client_start(c, &err);
        if (e != DFOPT_ERR_ARG || !strstr(err.text, "tcp://127.0.0.1:1: CURVE") ||
            strstr(err.text, secret))
            fail_msg("case %zu: %d, %s", i, (int)e, err.text);
        dfopt_client_destroy(c);
    }
}

/* ---- fork ---- */

#define CHECK(condition)                                                           \
    do {                                                                           \
        if (!(condition))                                                          \
            return __LINE__ % 250 + 1;                                             \
    } while (0)

/* In the child: nothing happens, and nothing blocks. 0, or where it failed. */
static int child(dfopt_client *c)
{
    struct dfopt_client_plan p;
    struct dfopt_client_stats s;
    struct dfopt_client_value v = int_value(1);
    alarm(60);
    CHECK(dfopt_client_at_boundary(c, NULL, NULL, &p, 1) == 0);
    CHECK(ack_window(c, 1) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_register(c, NULL, NULL) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_start(c, NULL) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_current(c, NULL, "app.a", &v) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_current_set(c, NULL, "app.a", &v) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_stats(c, &s) == DFOPT_ERR_STATE);
    CHECK(dfopt_client_stop(c, 1000) == DFOPT_ERR_STATE);
    dfopt_client_destroy(c);
    return 0;
}

/* Many times, so that some come while the listener holds the lock. */
static void forked(void **state)
{
    (void)state;
    struct optimizer o = {0};
    struct dfopt_client_plan p;
    optimizer_open(&o, ZMQ_PUSH, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUSH);
    for (int i = 0; i < 30; i++) {
        uint64_t before = stats_of(c).plans_received;
        send_plan(&o, PLAN("p", "app.a", "3", "now"));
        if (i % 2)
            wait_until(stats_of(c).plans_received == before + 1);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(child(c));
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        wait_until(dfopt_client_at_boundary(c, NULL, NULL, &p, 1) == 1);
        assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, NULL, "", i),
                         DFOPT_OK);
        struct json_object *body = receive_json(o.acks, NULL);
        assert_int_equal(json_int(body, NULL, "window_index"), i);
        json_object_put(body);
    }
    assert_true(is_silent(o.acks, 20));
    assert_int_equal(stats_of(c).connections, 1);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* A child may have a client of its own. */
static void client_in_child(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* which knows no threads after a fork with threads */
#endif
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    struct dfopt_client_options options = optimizer_options(&o);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dfopt_client *c = make_client(&options);
        declare_int(c, "a");
        start(c);
        enum dfopt_err e = ack_window(c, 3);
        e = e ? e : dfopt_client_stop(c, DEADLINE_MS);
        dfopt_client_destroy(c);
        _exit((int)e);
    }
    drop_message(o.acks);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    optimizer_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizer_comes_back),
        cmocka_unit_test(applied_after_a_restart),
        cmocka_unit_test(optimizer_comes_late),
        cmocka_unit_test(stop_sends_acks),
        cmocka_unit_test(optimizer_stalls),
        cmocka_unit_test(stop_in_a_flood),
        cmocka_unit_test(two_clients),
        cmocka_unit_test(curve),
        cmocka_unit_test(curve_files),
        cmocka_unit_test(curve_unusable),
        cmocka_unit_test(forked),
        cmocka_unit_test(client_in_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
