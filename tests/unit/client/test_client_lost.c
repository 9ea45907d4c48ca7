/* An optimizer that is lost, and knobs whose registered value comes back then: it
 * is killed, it stops, it hangs; it is only slow; it comes back in time, or too
 * late. */
#include "client_fixture.h"
#include "support/apart.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEASE_MS 400

static void declare(dfopt_client *c, const char *parameter,
                    enum dfopt_client_on_lost on_lost)
{
    const struct dfopt_client_knob k = {.parameter = parameter,
                                        .type = DFOPT_CLIENT_INT,
                                        .default_value = int_value(1),
                                        .current = int_value(2),
                                        .lo = int_value(1),
                                        .hi = int_value(16),
                                        .on_lost = on_lost};
    struct dfopt_error err = {0};
    if (dfopt_client_knob_declare(c, &k, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

static void count_warning(void *arg, enum dfopt_client_level level,
                          const char *text)
{
    if (level == DFOPT_CLIENT_WARNING && strstr(text, "has been silent for"))
        __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELEASE);
}

/* A client with the knobs a and b, which are restored, and c, which is not. */
static dfopt_client *client_of(const struct optimizer *o, int lease_ms, int *warned)
{
    struct dfopt_client_options options = optimizer_options(o);
    options.lease_ms = lease_ms;
    options.log = warned ? count_warning : NULL;
    options.log_arg = warned;
    dfopt_client *c = make_client(&options);
    declare(c, "a", DFOPT_CLIENT_RESTORE);
    declare(c, "b", DFOPT_CLIENT_RESTORE);
    declare(c, "c", DFOPT_CLIENT_HOLD);
    start(c);
    return c;
}

static void take(dfopt_client *c, const char *boundary, struct dfopt_client_plan *p)
{
    wait_until(dfopt_client_at_boundary(c, NULL, boundary, p, 1) == 1);
}

static void apply(dfopt_client *c, const struct dfopt_client_plan *p)
{
    assert_int_equal(dfopt_client_ack(c, p, DFOPT_CLIENT_APPLIED, NULL, "", 1),
                     DFOPT_OK);
}

static int64_t value_of(dfopt_client *c, const char *id)
{
    struct dfopt_client_value v;
    assert_int_equal(dfopt_client_current(c, NULL, id, &v), DFOPT_OK);
    return v.i;
}

static void tune(struct optimizer *o, dfopt_client *c)
{
    struct dfopt_client_plan p;
    send_plan(o, PLAN("p1", "app.a", "5", "now"));
    take(c, "now", &p);
    apply(c, &p);
    drop_message(o->acks);
    send_plan(o, PLAN("p2", "app.c", "6", "now"));
    take(c, "now", &p);
    apply(c, &p);
    drop_message(o->acks);
}

/* It goes, for longer than the lease; later it comes back. */
static void lost(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_plan p;
    int warned = 0;
    dfopt_client *c = client_of(o, LEASE_MS, &warned);
    drop_registration(o);
    tune(o, c);
    send_plan(o, PLAN("p3", "app.b", "7", "now")); /* is never applied */
    wait_until(stats_of(c).plans_pending == 1);
    optimizer_close(o);
    wait_until(stats_of(c).optimizers_lost == 1);
    assert_int_equal(stats_of(c).plans_pending, 1);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "later", &p, 1), 0);
    take(c, "now", &p);
    assert_string_equal(p.plan_id, DFOPT_CLIENT_ON_LOST);
    assert_string_equal(p.knob_id, "app.a");
    assert_int_equal(p.new_value.i, 2);
    assert_int_equal(p.old_value.i, 5);
    assert_false(p.clamped || p.for_node);
    apply(c, &p);
    assert_int_equal(value_of(c, "app.a"), 2);
    assert_int_equal(value_of(c, "app.b"), 2);
    assert_int_equal(value_of(c, "app.c"), 6);
    assert_int_equal(stats_of(c).values_restored, 1);
    assert_int_equal(stats_of(c).acks_pending, 0);
    pause_ms(2 * LEASE_MS); /* once */
    assert_int_equal(stats_of(c).optimizers_lost, 1);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", &p, 1), 0);
    assert_int_equal(__atomic_load_n(&warned, __ATOMIC_ACQUIRE), 1);
    optimizer_open(o, ZMQ_PUSH, NULL);
    struct json_object *body = receive_registration(o, NULL), *values = NULL;
    assert_true(json_object_object_get_ex(body, "current_values", &values));
    assert_string_equal(json_text(values, "a"), "2");
    assert_string_equal(json_text(values, "c"), "6");
    json_object_put(body);
    tune(o, c); /* and all over again */
    optimizer_close(o);
    wait_until(stats_of(c).optimizers_lost == 2);
    take(c, NULL, &p); /* an epoch's is any boundary */
    assert_int_equal(p.new_value.i, 2);
    optimizer_open(o, ZMQ_PUSH, NULL);
    dfopt_client_destroy(c);
}

/* It comes back while the lease runs: nothing happens. */
static void back_in_time(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_plan p;
    dfopt_client *c = client_of(o, 60000, NULL);
    drop_registration(o);
    tune(o, c);
    optimizer_close(o);
    optimizer_open(o, ZMQ_PUSH, NULL);
    drop_registration(o);
    wait_until(stats_of(c).connections == 2);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &p, 1), 0);
    assert_int_equal(stats_of(c).optimizers_lost, 0);
    assert_int_equal(value_of(c, "app.a"), 5);
    dfopt_client_destroy(c);
}

/* A plan that was taken before, and is applied after the optimizer was lost. And
 * one of the application's own, which stays, as does a value that it has set. */
static void late(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_plan p;
    const struct dfopt_client_value own = int_value(9);
    dfopt_client *c = client_of(o, LEASE_MS, NULL);
    drop_registration(o);
    tune(o, c);
    assert_int_equal(dfopt_client_current_set(c, NULL, "app.a", &own), DFOPT_OK);
    send_plan(o, PLAN("p3", "app.b", "7", "now"));
    take(c, "now", &p);
    optimizer_close(o);
    wait_until(stats_of(c).optimizers_lost == 1);
    assert_int_equal(stats_of(c).plans_pending, 0);
    apply(c, &p);
    assert_int_equal(value_of(c, "app.b"), 7);
    take(c, "now", &p);
    assert_string_equal(p.plan_id, DFOPT_CLIENT_ON_LOST);
    assert_string_equal(p.knob_id, "app.b");
    assert_int_equal(p.new_value.i, 2);
    apply(c, &p);
    const char *filed = PLAN("p4", "app.a", "11", "now");
    assert_int_equal(dfopt_client_enqueue(c, filed, strlen(filed), NULL), DFOPT_OK);
    take(c, "now", &p);
    apply(c, &p);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &p, 1), 0);
    assert_int_equal(value_of(c, "app.a"), 11);
    optimizer_open(o, ZMQ_PUSH, NULL);
    dfopt_client_destroy(c);
}

/* It is back before the boundary: its plan takes the place of the library's. */
static void back_with_a_plan(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_plan p;
    dfopt_client *c = client_of(o, LEASE_MS, NULL);
    drop_registration(o);
    tune(o, c);
    optimizer_close(o);
    wait_until(stats_of(c).plans_pending == 1);
    optimizer_open(o, ZMQ_PUSH, NULL);
    drop_registration(o);
    send_plan(o, PLAN("p9", "app.a", "4", "now"));
    wait_until(stats_of(c).plans_received == 3);
    take(c, "now", &p);
    assert_string_equal(p.plan_id, "p9");
    apply(c, &p);
    drop_message(o->acks);
    assert_int_equal(value_of(c, "app.a"), 4);
    dfopt_client_destroy(c);
}

/* ---- in a process of its own ---- */

#define IDLE "idle"

/* An optimizer that binds, and then does nothing: libzmq answers for it. */
static void be_idle(char **at)
{
    struct optimizer o = {0};
    snprintf(o.plans_at, sizeof o.plans_at, "%s", at[0]);
    snprintf(o.registry_at, sizeof o.registry_at, "%s", at[1]);
    snprintf(o.acks_at, sizeof o.acks_at, "%s", at[2]);
    optimizer_open(&o, ZMQ_PUSH, NULL);
    for (;;)
        pause();
}

static pid_t idle_process(struct optimizer *at)
{
    char *argv[] = {"/proc/self/exe", IDLE,        at->plans_at,
                    at->registry_at,  at->acks_at, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
    return pid;
}

/* A plan of the optimizer that is connected now, in force. */
static void apply_own(dfopt_client *c)
{
    const struct dfopt_client_plan plan = {.plan_id = "p1",
                                           .knob_id = "app.a",
                                           .function = "load",
                                           .new_value = int_value(5),
                                           .apply_when = "now",
                                           .connection = stats_of(c).connections};
    apply(c, &plan);
}

/* A plan stays in force for three leases; again if the optimizer stood still. */
static void expect_alive(dfopt_client *c, int lease_ms)
{
    const int64_t until = now_ms() + DEADLINE_MS;
    struct dfopt_client_plan p;
    uint64_t lost;
    do {
        assert_true(now_ms() < until);
        while (dfopt_client_at_boundary(c, NULL, NULL, &p, 1) == 1)
            apply(c, &p);
        apply_own(c);
        lost = stats_of(c).optimizers_lost;
        pause_ms(3 * lease_ms);
    } while (stats_of(c).optimizers_lost > lost);
}

/* Slow is not lost; what hangs as a whole, or dies, is. */
static void ends_by(int signal_number)
{
    struct optimizer at = {0};
    struct dfopt_client_plan p;
    hold_port(at.plans_at, sizeof at.plans_at);
    hold_port(at.registry_at, sizeof at.registry_at);
    hold_port(at.acks_at, sizeof at.acks_at);
    const pid_t pid = idle_process(&at);
    dfopt_client *c = client_of(&at, LEASE_MS, NULL);
    wait_until(stats_of(c).registrations_sent > 0);
    expect_alive(c, LEASE_MS);
    const uint64_t lost = stats_of(c).optimizers_lost;
    kill(pid, signal_number);
    wait_until(stats_of(c).optimizers_lost > lost);
    take(c, NULL, &p); /* no plan was taken at a boundary */
    assert_int_equal(p.new_value.i, 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    dfopt_client_destroy(c);
}

static void killed(void **state)
{
    (void)state;
    ends_by(SIGKILL);
}

static void hangs(void **state)
{
    (void)state;
    ends_by(SIGSTOP);
}

static void wrong(void **state)
{
    const struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    struct dfopt_error err = {0};
    dfopt_client *c = NULL;
    options.lease_ms = -1;
    assert_int_equal(dfopt_client_create(&c, &options, &err), DFOPT_ERR_ARG);
    assert_non_null(strstr(err.text, "lease_ms"));
    options.lease_ms = 0;
    c = make_client(&options);
    const struct dfopt_client_knob k = {.parameter = "a",
                                        .type = DFOPT_CLIENT_INT,
                                        .default_value = int_value(2),
                                        .on_lost = 2};
    assert_int_equal(dfopt_client_knob_declare(c, &k, &err), DFOPT_ERR_ARG);
    assert_non_null(strstr(err.text, "on_lost"));
    dfopt_client_destroy(c);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], IDLE) == 0)
        be_idle(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lost, open_optimizer, close_optimizer),
        cmocka_unit_test_setup_teardown(back_in_time, open_optimizer,
                                        close_optimizer),
        cmocka_unit_test_setup_teardown(late, open_optimizer, close_optimizer),
        cmocka_unit_test_setup_teardown(back_with_a_plan, open_optimizer,
                                        close_optimizer),
        cmocka_unit_test_setup_teardown(wrong, open_optimizer, close_optimizer),
        cmocka_unit_test(killed),
        cmocka_unit_test(hangs),
    };
    return apart_main(argc > 1 ? argv[1] : NULL, tests, N_OF(tests), LEASE_MS / 4);
}
