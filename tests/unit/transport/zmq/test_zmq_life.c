/* Peers that are killed and come back, and the end of sources and sinks at any
 * moment, without waiting and without leaving anything behind. */
#include "test_zmq.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* A process that is told an endpoint and works with it until it is killed. It is
 * started before any context exists. */
struct helper {
    pid_t pid;
    int to, from;
};

typedef void (*helper_fn)(const char *endpoint, int out);

static struct helper start_helper(helper_fn work)
{
    int to[2], from[2];
    char endpoint[128] = "";
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    struct helper h = {.pid = fork(), .to = to[1], .from = from[0]};
    assert_true(h.pid >= 0);
    if (h.pid == 0) {
        close(to[1]);
        if (read(to[0], endpoint, sizeof endpoint - 1) > 0)
            work(endpoint, from[1]);
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    return h;
}

static void tell_endpoint(struct helper *h, const char *endpoint)
{
    assert_int_equal(write(h->to, endpoint, strlen(endpoint) + 1),
                     strlen(endpoint) + 1);
}

static void kill_helper(struct helper *h)
{
    int status;
    assert_int_equal(kill(h->pid, SIGKILL), 0);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    assert_true(WIFSIGNALED(status));
    close(h->to);
    close(h->from);
}

/* Receives plans and writes a byte for each. */
static void pull(const char *endpoint, int out)
{
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_PULL);
    char text[256];
    zmq_connect(socket, endpoint);
    while (zmq_recv(socket, text, sizeof text, 0) >= 0 &&
           zmq_recv(socket, text, sizeof text, 0) >= 0 && write(out, "x", 1) == 1)
        ;
}

/* Sends findings as fast as it can. */
static void push(const char *endpoint, int out)
{
    void *socket = zmq_socket(zmq_ctx_new(), ZMQ_PUSH);
    (void)out;
    zmq_connect(socket, endpoint);
    while (zmq_send(socket, "{}", 2, ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, "{\"i\":0}", 7, 0) >= 0)
        ;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) > 0;
}

static void test_consumers_killed(void **state)
{
    (void)state;
    enum { HELPERS = 5 };
    struct helper helpers[HELPERS];
    char c;
    for (int i = 0; i < HELPERS; i++)
        helpers[i] = start_helper(pull);
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.max_queued = 100});
    for (int i = 0; i < HELPERS; i++) {
        const int64_t until = now_ms() + DEADLINE_MS;
        int64_t longest = 0;
        tell_endpoint(&helpers[i], dfopt_zmq_sink_endpoint(s));
        for (int got = 0; got < 50;) { /* it is alive and reads */
            publish(s, NULL, "k", i);
            (void)s->ops->pump(s);
            for (; readable(helpers[i].from, 1); got++)
                assert_int_equal(read(helpers[i].from, &c, 1), 1);
            assert_true(now_ms() < until);
        }
        kill_helper(&helpers[i]);
        for (int n = 0; n < 2000; n++) {
            const int64_t start = now_ms();
            publish(s, NULL, "k", n);
            if (now_ms() - start > longest)
                longest = now_ms() - start;
        }
        assert_true(longest < DEADLINE_MS / 2);
    }
    sink_destroy(s);
}

static void test_producers_killed(void **state)
{
    (void)state;
    enum { HELPERS = 5 };
    struct helper helpers[HELPERS];
    for (int i = 0; i < HELPERS; i++)
        helpers[i] = start_helper(push);
    struct dfopt_source *s = open_source((struct dfopt_zmq_source_options){
        .findings = ANY_PORT, .findings_bind = true, .acks = ANY_PORT});
    for (int i = 0; i < HELPERS; i++) {
        struct dfopt_record r;
        tell_endpoint(&helpers[i],
                      dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_FINDINGS));
        for (int n = 0; n < 2000; n++)
            expect_record(s, DFOPT_ZMQ_FINDINGS, "{\"i\":0}");
        kill_helper(&helpers[i]);
        /* what is left is whole, and then it waits */
        while (s->ops->next(s, 50, &r, NULL) == DFOPT_SOURCE_RECORD)
            assert_int_equal(r.len, 7);
    }
    struct dfopt_zmq_source_counts c;
    dfopt_zmq_source_counts(s, &c);
    for (int i = 0; i < DFOPT_ZMQ_NOTE_COUNT; i++)
        assert_int_equal(c.noted[i], 0);
    source_destroy(s);
}

static int open_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Made and destroyed in every state: idle, with a peer, with data both ways. */
static void test_cycles(void **state)
{
    (void)state;
    const int before = open_fds();
    const int64_t start = now_ms();
    for (int i = 0; i < 100; i++) {
        struct dfopt_source *source = open_source((struct dfopt_zmq_source_options){
            .findings = ANY_PORT, .findings_bind = true, .acks = ANY_PORT});
        struct dfopt_sink *sink = open_sink((struct dfopt_zmq_sink_options){
            .pattern = i % 2 ? DFOPT_ZMQ_PUB : DFOPT_ZMQ_PUSH, .linger_ms = -1});
        struct peer in = {0}, out = {0};
        struct dfopt_record r;
        if (i % 4 >= 1) {
            in = peer_connect(
                ZMQ_PUSH, dfopt_zmq_source_endpoint(source, DFOPT_ZMQ_FINDINGS));
            out = peer_connect(i % 2 ? ZMQ_SUB : ZMQ_PULL,
                               dfopt_zmq_sink_endpoint(sink));
            send_number(&in, i);
        }
        if (i % 4 >= 2)
            assert_int_equal(next_event(source, &r), DFOPT_SOURCE_RECORD);
        publish(sink, NULL, "k", i);
        if (i % 8 < 4 && in.ctx) {
            peer_close(&in);
            peer_close(&out);
        }
        source_destroy(source);
        sink_destroy(sink);
        if (in.ctx) {
            peer_close(&in);
            peer_close(&out);
        }
    }
    print_message("100 cycles in %d ms\n", (int)(now_ms() - start));
    assert_int_equal(open_fds(), before);
}

/* libzmq holds plans for a peer that does not read: destroy gives up in time. */
static void test_destroy_with_stalled_peer(void **state)
{
    (void)state;
    for (int pub = 0; pub < 2; pub++) {
        struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){
            .pattern = pub ? DFOPT_ZMQ_PUB : DFOPT_ZMQ_PUSH, .linger_ms = 300});
        struct peer p = peer_new(pub ? ZMQ_SUB : ZMQ_PULL);
        char *body = calloc(1, 1 << 20), text[256];
        assert_non_null(body);
        memset(body, ' ', (1 << 20) - 1);
        const struct dfopt_plan_message plan = {
            .body = body, .body_len = 1 << 20, .knob = "k"};
        set_int(p.socket, ZMQ_RCVHWM, 1);
        set_int(p.socket, ZMQ_RCVBUF, 16384);
        if (pub)
            assert_int_equal(zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, "", 0), 0);
        assert_int_equal(zmq_connect(p.socket, dfopt_zmq_sink_endpoint(s)), 0);
        zmq_pollitem_t item = {.socket = p.socket, .events = ZMQ_POLLIN};
        do {
            publish(s, NULL, "k", 0);
            (void)dfopt_zmq_sink_drain(s, 10);
        } while (zmq_poll(&item, 1, 10) == 0);
        (void)receive_frame(&p, text, sizeof text);
        for (int i = 0; i < 60; i++)
            assert_int_equal(s->ops->publish(s, &plan, NULL), DFOPT_OK);
        const int64_t start = now_ms();
        sink_destroy(s);
        assert_true(now_ms() - start < DEADLINE_MS / 2);
        free(body);
        peer_close(&p);
    }
}

/* In the middle of floods of producers. */
static void test_destroy_in_a_flood(void **state)
{
    (void)state;
    enum { HELPERS = 3 };
    struct helper helpers[HELPERS];
    struct dfopt_record r;
    for (int i = 0; i < HELPERS; i++)
        helpers[i] = start_helper(push);
    struct dfopt_source *s = open_source((struct dfopt_zmq_source_options){
        .findings = ANY_PORT, .findings_bind = true});
    for (int i = 0; i < HELPERS; i++)
        tell_endpoint(&helpers[i],
                      dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_FINDINGS));
    for (int i = 0; i < 5000; i++)
        assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    const int64_t start = now_ms();
    source_destroy(s);
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    for (int i = 0; i < HELPERS; i++)
        kill_helper(&helpers[i]);
}

/* A flood without end does not outlast the sentinel by more than the second that
 * is promised. */
static void test_sentinel_in_a_flood(void **state)
{
    (void)state;
    struct helper h = start_helper(push);
    struct dfopt_record r;
    struct dfopt_source *s = open_source((struct dfopt_zmq_source_options){
        .findings = ANY_PORT, .findings_bind = true});
    const char *to = dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_FINDINGS);
    tell_endpoint(&h, to);
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    struct peer p = peer_connect(ZMQ_PUSH, to);
    send_two(&p, "{\"type\":\"stop\"}", "{}");
    const int64_t start = now_ms();
    while (next_event(s, &r) == DFOPT_SOURCE_RECORD)
        assert_true(now_ms() - start < DEADLINE_MS);
    source_destroy(s);
    peer_close(&p);
    kill_helper(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_consumers_killed),
        cmocka_unit_test(test_producers_killed),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_destroy_with_stalled_peer),
        cmocka_unit_test(test_destroy_in_a_flood),
        cmocka_unit_test(test_sentinel_in_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
