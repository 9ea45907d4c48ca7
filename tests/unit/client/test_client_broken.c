/* The peer at an endpoint is somebody else for a while: another program, or an
 * optimizer with other keys. libzmq gives up on such an endpoint for good; the
 * client must not. */
#include "client_fixture.h"
#include "support/plain_peer.h"

#include <errno.h>

static const struct dfopt_client_plan applied_plan = {
    .plan_id = "p",
    .knob_id = "app.a",
    .function = "load",
    .new_value = {.kind = DFOPT_CLIENT_INT, .i = 5},
};

static dfopt_client *start_client(const struct dfopt_client_options *options)
{
    dfopt_client *c = make_client(options);
    declare_int(c, "a");
    start(c);
    return c;
}

/* All three endpoints do what they are for, once the right peer is there. */
static void expect_works(struct optimizer *o, dfopt_client *c)
{
    drop_registration(o);
    assert_int_equal(
        dfopt_client_ack(c, &applied_plan, DFOPT_CLIENT_APPLIED, NULL, "", 1),
        DFOPT_OK);
    drop_message(o->acks);
    send_plan(o, PLAN("p", "app.a", "3", "now"));
    wait_until(stats_of(c).plans_pending == 1);
}

/* Each takes the client's connection, answers with a text, and goes. */
static void other_programs(void **state)
{
    (void)state;
    for (size_t text = 0; text < N_PLAIN_TEXTS; text++) {
        struct optimizer o = {0};
        const int fds[] = {listen_plain(o.plans_at, sizeof o.plans_at),
                           listen_plain(o.registry_at, sizeof o.registry_at),
                           listen_plain(o.acks_at, sizeof o.acks_at)};
        const struct dfopt_client_options options = optimizer_options(&o);
        dfopt_client *c = start_client(&options);
        for (int i = 0; i < 3; i++) {
            close(answer_plain(fds[i], text));
            close(fds[i]);
        }
        optimizer_open(&o, ZMQ_PUSH, NULL);
        expect_works(&o, c);
        dfopt_client_destroy(c);
        optimizer_close(&o);
    }
}

/* No keys, those of somebody else, the right ones. */
static void keys_put_right(void **state)
{
    (void)state;
    if (!zmq_has("curve"))
        skip();
    char right_public[41], right[41], other_public[41], other[41], public[41],
        secret[41];
    assert_int_equal(zmq_curve_keypair(right_public, right), 0);
    assert_int_equal(zmq_curve_keypair(other_public, other), 0);
    assert_int_equal(zmq_curve_keypair(public, secret), 0);
    struct optimizer o = {0};
    optimizer_open(&o, ZMQ_PUSH, NULL);
    struct dfopt_client_options options = optimizer_options(&o);
    options.curve_server_key = right_public;
    options.curve_secret_key = secret;
    dfopt_client *c = start_client(&options);
    pause_ms(300); /* the handshake fails within it */
    optimizer_close(&o);
    optimizer_open(&o, ZMQ_PUSH, other);
    pause_ms(300);
    optimizer_close(&o);
    optimizer_open(&o, ZMQ_PUSH, right);
    expect_works(&o, c);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* The topics are asked for anew, too. */
static void subscriptions_come_back(void **state)
{
    (void)state;
    struct optimizer o = {0};
    const int fd = listen_plain(o.plans_at, sizeof o.plans_at);
    struct dfopt_client_options options = optimizer_options(&o);
    options.registry_endpoint = options.acks_endpoint = NULL;
    options.plans_pattern = DFOPT_CLIENT_SUB;
    dfopt_client *c = start_client(&options);
    close(answer_plain(fd, 1));
    close(fd);
    optimizer_open(&o, ZMQ_PUB, NULL);
    wait_for_subscription(&o, c);
    publish_plan(&o, HOST, PLAN("p", "app.a", "3", "now"));
    wait_until(stats_of(c).plans_pending == 1);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* A peer that keeps its end open and says nothing is asked whether it is alive. */
static void silent_peer(void **state)
{
    (void)state;
    static const char greeting[64] = "\xff\0\0\0\0\0\0\0\0\x7f\3\0NULL";
    static const char ready[] = "\4\x1a\5READY\xbSocket-Type\0\0\0\4PULL";
    char at[64], got[1024];
    size_t n = 0;
    const int listener = listen_plain(at, sizeof at);
    const struct dfopt_client_options options = {
        .app_namespace = "app", .hostname = HOST, .registry_endpoint = at};
    dfopt_client *c = make_client(&options);
    start(c);
    const int fd = accept(listener, NULL, NULL);
    const struct timeval deadline = {DEADLINE_MS / 1000, 0};
    assert_true(fd >= 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
    assert_int_equal(write(fd, greeting, sizeof greeting), sizeof greeting);
    assert_int_equal(write(fd, ready, sizeof ready - 1), sizeof ready - 1);
    while (!memmem(got, n, "\4PING", 5)) {
        const ssize_t more = n < sizeof got ? read(fd, got + n, sizeof got - n) : 0;
        assert_true(more > 0 || (more < 0 && errno == EINTR)); /* by SIGCONT */
        n += more > 0 ? (size_t)more : 0;
    }
    dfopt_client_destroy(c);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_programs),
        cmocka_unit_test(keys_put_right),
        cmocka_unit_test(subscriptions_come_back),
        cmocka_unit_test(silent_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
