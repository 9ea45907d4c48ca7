/* The ZMQ source: what comes through, what does not, and when it waits or ends. */
#include "test_zmq.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static struct dfopt_zmq_source_options all_bound(void)
{
    return (struct dfopt_zmq_source_options){.findings = ANY_PORT,
                                             .findings_bind = true,
                                             .registrations = ANY_PORT,
                                             .acks = ANY_PORT,
                                             .objectives = ANY_PORT,
                                             .applications = ANY_PORT};
}

static struct peer pusher(struct dfopt_source *s, enum dfopt_zmq_stream stream)
{
    return peer_connect(ZMQ_PUSH, dfopt_zmq_source_endpoint(s, stream));
}

static void test_streams(void **state)
{
    (void)state;
    struct dfopt_source *s = open_source(all_bound());
    struct dfopt_source_progress p = {0};
    for (size_t k = 0; k < N_OF(own_socket); k++) {
        const int stream = own_socket[k];
        struct peer peer = pusher(s, own_socket[k]);
        for (int i = 0; i < 500; i++)
            send_number(&peer, i);
        for (int i = 0; i < 500; i++)
            expect_number(s, stream, i);
        peer_close(&peer);
    }
    struct dfopt_zmq_source_counts c;
    dfopt_zmq_source_counts(s, &c);
    for (size_t k = 0; k < N_OF(own_socket); k++)
        assert_int_equal(c.received[own_socket[k]], 500);
    assert_int_equal(c.received[DFOPT_ZMQ_APPLICATIONS], 0);
    s->ops->progress(s, &p);
    assert_int_equal(p.bytes_done, c.bytes);
    assert_int_equal(p.bytes_total, 0);
    const struct dfopt_source_ops *ops = s->ops;
    source_destroy(s);
    ops->destroy(NULL);
}

static void test_offsets_and_empty_body(void **state)
{
    (void)state;
    struct dfopt_source *s = open_source(all_bound());
    struct peer peer = pusher(s, DFOPT_ZMQ_ACKS);
    struct dfopt_record r = {0};
    send_two(&peer, "{}", "");
    send_two(&peer, "{\"type\":\"stop\"}", "{}"); /* a sentinel only of findings */
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    assert_int_equal(r.offset, 0);
    assert_int_equal(r.len, 0);
    assert_string_equal(r.problem, "the body is empty");
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    assert_int_equal(r.offset, 1);
    assert_null(r.problem);
    peer_close(&peer);
    source_destroy(s);
}

struct told {
    uint64_t calls[DFOPT_ZMQ_NOTE_COUNT], total[DFOPT_ZMQ_NOTE_COUNT];
};

static void tell(void *arg, enum dfopt_zmq_note note, const char *endpoint,
                 const char *detail, uint64_t total)
{
    (void)detail;
    struct told *t = arg;
    assert_memory_equal(endpoint, "tcp://127.0.0.1:", 16);
    assert_true(dfopt_zmq_note_text(note)[0] != '\0');
    t->calls[note]++;
    t->total[note] = total;
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *parts[4];
        int n;
        enum dfopt_zmq_note note;
    } cases[] = {
        {{""}, 1, DFOPT_ZMQ_NOTE_EMPTY},
        {{"{}"}, 1, DFOPT_ZMQ_NOTE_ONE_PART},
        {{"{\"type\":\"stop\"}"}, 1, DFOPT_ZMQ_NOTE_ONE_PART},
        {{"{}", "{}", "{}"}, 3, DFOPT_ZMQ_NOTE_MANY_PARTS},
        {{"{}", "{}", "{}", ""}, 4, DFOPT_ZMQ_NOTE_MANY_PARTS},
        {{"[]", "{}"}, 2, DFOPT_ZMQ_NOTE_METADATA},
        {{"", "{}"}, 2, DFOPT_ZMQ_NOTE_METADATA},
        {{"null", "{}"}, 2, DFOPT_ZMQ_NOTE_METADATA},
    };
    const int n = N_OF(cases);
    struct told told = {0};
    struct dfopt_zmq_source_options o = all_bound();
    o.note = tell;
    o.note_arg = &told;
    uint64_t want[DFOPT_ZMQ_NOTE_COUNT] = {0};
    struct dfopt_source *s = open_source(o);
    for (size_t k = 0; k < N_OF(own_socket); k++) {
        const int stream = own_socket[k];
        struct peer peer = pusher(s, own_socket[k]);
        for (int i = 0; i < n * 100; i++) {
            send_parts(&peer, cases[i % n].parts, cases[i % n].n);
            want[cases[i % n].note]++;
        }
        send_number(&peer, stream);
        expect_number(s, stream, stream);
        peer_close(&peer);
    }
    for (int i = 0; i < DFOPT_ZMQ_NOTE_COUNT; i++)
        assert_int_equal(source_noted(s, (enum dfopt_zmq_note)i), want[i]);
    source_destroy(s);
    for (int i = 0; i < DFOPT_ZMQ_NOTE_COUNT;
         i++) { /* told at the end what is left */
        assert_int_equal(told.total[i], want[i]);
        assert_true(want[i] == 0 ? told.calls[i] == 0 : told.calls[i] < 20);
    }
}

static void send_large(struct peer *p, size_t n, bool metadata)
{
    char *bytes = calloc(1, n);
    assert_non_null(bytes);
    if (!metadata)
        assert_int_equal(zmq_send(p->socket, "{}", 2, ZMQ_SNDMORE), 2);
    assert_int_equal(zmq_send(p->socket, bytes, n, metadata ? ZMQ_SNDMORE : 0), n);
    if (metadata)
        assert_int_equal(zmq_send(p->socket, "{}", 2, 0), 2);
    free(bytes);
}

/* 20 MB: dropped and counted, the peer goes on. Far beyond: the peer is cut off,
 * its message does not come, and it works again when it has connected again. */
static void test_too_large(void **state)
{
    (void)state;
    struct dfopt_source *s = open_source(all_bound());
    struct peer peer = pusher(s, DFOPT_ZMQ_FINDINGS);
    struct dfopt_record r;
    send_large(&peer, 20000000, false);
    send_large(&peer, 20000000, true);
    send_number(&peer, 1);
    expect_number(s, DFOPT_ZMQ_FINDINGS, 1);
    assert_int_equal(source_noted(s, DFOPT_ZMQ_NOTE_TOO_LARGE), 2);
    send_large(&peer, (size_t)16 << 20, false); /* just as large as it may be */
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    assert_int_equal(r.len, (size_t)16 << 20);
    send_large(&peer, (size_t)40 << 20, false);
    struct peer other = pusher(s, DFOPT_ZMQ_FINDINGS);
    send_number(&other, 2);
    expect_number(s, DFOPT_ZMQ_FINDINGS, 2);
    assert_int_equal(source_noted(s, DFOPT_ZMQ_NOTE_TOO_LARGE), 2);
    peer_close(&peer);
    peer_close(&other);
    source_destroy(s);
}

/* One socket for all that applications send: the type tells what it is. */
static void test_applications(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        int stream; /* -1: dropped */
    } cases[] = {
        {"{\"type\":\"objective\",\"node\":\"n1\"}", DFOPT_ZMQ_OBJECTIVES},
        {"{\"type\":\"knob_registration\"}", DFOPT_ZMQ_REGISTRATIONS},
        {"{ \"plan_id\" : \"x\", \"type\" : \"action_ack\" }", DFOPT_ZMQ_ACKS},
        {"{\"type\":\"objective\",\"type\":\"action_ack\"}", DFOPT_ZMQ_ACKS},
        {"{\"name\":\"end\",\"type\":\"objective\"}", DFOPT_ZMQ_OBJECTIVES},
        {"{}", -1},
        {"{\"type\":\"stop\"}", -1},
        {"{\"type\":\"diagnosis_finding\"}", -1},
        {"{\"type\":\"objectives\"}", -1},
        {"{\"type\":[\"objective\"]}", -1},
        {"{\"type\":\"objective\",\"type\":null}", -1},
        {"{\"x\":{\"type\":\"objective\"}}", -1},
    };
    struct dfopt_source *s = open_source(all_bound());
    struct peer peer = pusher(s, DFOPT_ZMQ_APPLICATIONS);
    struct dfopt_record r = {0};
    uint64_t kept = 0, dropped = 0;
    for (size_t i = 0; i < N_OF(cases); i++) {
        send_two(&peer, cases[i].metadata, "{\"of\":\"case\"}");
        send_two(&peer, "{\"type\":\"action_ack\"}", "{\"i\":1}");
        if (cases[i].stream >= 0) {
            assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
            if (r.stream != cases[i].stream || r.offset != kept++)
                fail_msg("%s: stream %d", cases[i].metadata, r.stream);
        }
        assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
        assert_int_equal(r.stream, DFOPT_ZMQ_ACKS);
        assert_int_equal(r.offset, kept++);
        assert_string_equal(r.origin,
                            dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_APPLICATIONS));
        dropped += cases[i].stream < 0;
    }
    assert_int_equal(source_noted(s, DFOPT_ZMQ_NOTE_TYPE), dropped);
    struct dfopt_zmq_source_counts c;
    dfopt_zmq_source_counts(s, &c);
    assert_int_equal(c.received[DFOPT_ZMQ_APPLICATIONS], kept);
    assert_int_equal(c.stops, 0);
    peer_close(&peer);
    source_destroy(s);
}

/* What came before the sentinel is delivered, of every socket; then END, for good.
 */
static void test_sentinel(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct dfopt_source *s = open_source(all_bound());
        struct peer findings = pusher(s, DFOPT_ZMQ_FINDINGS);
        struct peer acks = pusher(s, DFOPT_ZMQ_ACKS);
        struct dfopt_record r;
        send_number(&acks, 0);
        expect_number(s, DFOPT_ZMQ_ACKS, 0); /* both are connected from here on */
        for (int i = 0; i < 300; i++)
            send_number(&findings, i);
        send_two(&findings, kind ? "{\"type\":\"stop\"}" : "{\"name\":\"end\"}",
                 "");
        for (int i = 0; i < 300; i++)
            expect_number(s, DFOPT_ZMQ_FINDINGS, i);
        for (int i = 0; i < 3; i++)
            assert_int_equal(next_event(s, &r), DFOPT_SOURCE_END);
        struct dfopt_zmq_source_counts c;
        dfopt_zmq_source_counts(s, &c);
        assert_int_equal(c.stops, 1);
        peer_close(&findings);
        peer_close(&acks);
        source_destroy(s);
    }
}

/* Whether a shorter wait was over in time: while the machine stands still, a source
 * is idle, too. */
static bool idles_out(void)
{
    struct dfopt_zmq_source_options o = all_bound();
    o.idle_timeout_s = 0.2;
    struct dfopt_source *s = open_source(o);
    struct peer findings = pusher(s, DFOPT_ZMQ_FINDINGS);
    struct peer registrations = pusher(s, DFOPT_ZMQ_REGISTRATIONS);
    struct dfopt_record r;
    send_number(&registrations, 0);
    expect_number(s, DFOPT_ZMQ_REGISTRATIONS, 0);
    assert_int_equal(s->ops->next(s, 400, &r, NULL), DFOPT_SOURCE_WAIT);
    send_number(&findings, 1);
    int64_t start = now_ms();
    expect_number(s, DFOPT_ZMQ_FINDINGS, 1);
    const bool in_time = s->ops->next(s, 100, &r, NULL) == DFOPT_SOURCE_WAIT;
    if (in_time) {
        send_number(&registrations, 2); /* anything counts, once it has begun */
        start = now_ms();
        expect_number(s, DFOPT_ZMQ_REGISTRATIONS, 2);
        assert_int_equal(s->ops->next(s, DEADLINE_MS, &r, NULL), DFOPT_SOURCE_END);
        assert_true(now_ms() - start < DEADLINE_MS / 2);
    }
    assert_true(now_ms() - start >= 199);
    peer_close(&findings);
    peer_close(&registrations);
    source_destroy(s);
    return in_time;
}

static void test_idle_timeout(void **state)
{
    (void)state;
    wait_until(idles_out());
}

static void test_waits(void **state)
{
    (void)state;
    struct dfopt_zmq_source_options o = all_bound();
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    o.wake_fds[0] = fds[0];
    o.n_wake_fds = 1;
    struct dfopt_source *s = open_source(o);
    struct dfopt_record r;
    int64_t start = now_ms();
    assert_int_equal(s->ops->next(s, 0, &r, NULL), DFOPT_SOURCE_WAIT);
    assert_int_equal(s->ops->next(s, 50, &r, NULL), DFOPT_SOURCE_WAIT);
    assert_true(now_ms() - start >= 50);
    start = now_ms();
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(s->ops->next(s, -1, &r, NULL), DFOPT_SOURCE_WAIT);
    assert_int_equal(s->ops->next(s, DEADLINE_MS, &r, NULL), DFOPT_SOURCE_WAIT);
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    source_destroy(s);
    close(fds[0]);
    close(fds[1]);
}

static void on_signal(int number)
{
    (void)number;
}

static void test_signal(void **state)
{
    (void)state;
    struct dfopt_source *s = open_source(all_bound());
    const struct sigaction action = {.sa_handler = on_signal};
    const struct itimerval every = {.it_interval.tv_usec = 20000,
                                    .it_value.tv_usec = 20000};
    struct dfopt_record r;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    const int64_t start = now_ms();
    assert_int_equal(s->ops->next(s, DEADLINE_MS, &r, NULL), DFOPT_SOURCE_WAIT);
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    assert_int_equal(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL), 0);
    source_destroy(s);
}

struct flood {
    struct peer peer;
    pthread_t thread;
    atomic_bool *stop;
};

static void *flood(void *arg)
{
    struct flood *f = arg;
    set_int(f->peer.socket, ZMQ_SNDTIMEO, 100);
    while (!atomic_load(f->stop)) {
        if (zmq_send(f->peer.socket, "{}", 2, ZMQ_SNDMORE) < 0)
            continue;
        while (zmq_send(f->peer.socket, "{}", 2, 0) < 0 && !atomic_load(f->stop))
            ;
    }
    return NULL;
}

/* With all flooded without end each gets its share. */
static void test_fairness(void **state)
{
    (void)state;
    struct dfopt_source *s = open_source(all_bound());
    struct flood floods[N_OF(own_socket)];
    struct dfopt_record r;
    atomic_bool stop = false;
    uint64_t seen[DFOPT_ZMQ_STREAMS] = {0}, total = 0;
    for (size_t i = 0; i < N_OF(own_socket); i++) {
        floods[i] = (struct flood){.peer = pusher(s, own_socket[i]), .stop = &stop};
        assert_int_equal(pthread_create(&floods[i].thread, NULL, flood, &floods[i]),
                         0);
    }
    for (bool all = false;
         !all || total < 60000;) { /* counted when all have begun */
        assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
        seen[r.stream]++;
        total += all;
        if (!all && seen[0] && seen[1] && seen[2] && seen[DFOPT_ZMQ_OBJECTIVES]) {
            all = true;
            memset(seen, 0, sizeof seen);
        }
    }
    print_message("findings %d, registrations %d, acks %d, objectives %d\n",
                  (int)seen[0], (int)seen[1], (int)seen[2],
                  (int)seen[DFOPT_ZMQ_OBJECTIVES]);
    for (size_t i = 0; i < N_OF(own_socket); i++)
        assert_true(seen[own_socket[i]] >= total / 20);
    atomic_store(&stop, true);
    for (size_t i = 0; i < N_OF(own_socket); i++) {
        pthread_join(floods[i].thread, NULL);
        peer_close(&floods[i].peer);
    }
    source_destroy(s);
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A lone finding does not wait for anything. */
static void test_latency(void **state)
{
    (void)state;
    enum { N = 400 };
    int64_t ns[N];
    struct dfopt_source *s = open_source(all_bound());
    struct peer peer = pusher(s, DFOPT_ZMQ_FINDINGS);
    for (int i = 0; i < N; i++) {
        ns[i] = -dfopt_clock_monotonic_ns();
        send_number(&peer, i);
        expect_number(s, DFOPT_ZMQ_FINDINGS, i);
        ns[i] += dfopt_clock_monotonic_ns();
    }
    qsort(ns, N, sizeof *ns, by_size);
    print_message("finding to next(): median %.0f us, p99 %.0f us\n",
                  (double)ns[N / 2] / 1e3, (double)ns[N * 99 / 100] / 1e3);
    assert_true(ns[N / 2] < 5 * MS);
    peer_close(&peer);
    source_destroy(s);
}

static void test_errors(void **state)
{
    (void)state;
    char taken[128];
    struct peer peer = peer_bind(ZMQ_PULL, taken);
    const struct {
        const char *endpoint;
        bool bind;
        const char *want;
    } cases[] = {
        {NULL, false, "no endpoint"},
        {"", true, "no endpoint"},
        {"nonsense", true, "nonsense: malformed endpoint"},
        {"tcp://127.0.0.1", true, "tcp://127.0.0.1: malformed endpoint"},
        {"http://127.0.0.1:5", false, "http://127.0.0.1:5: unknown transport"},
        {"tcp://192.0.2.1:0", true, "tcp://192.0.2.1:0: not an address"},
        {"tcp://no-such-interface:0", true, "not an address or interface"},
        {taken, true, "Address already in use"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_error err = {0};
        struct dfopt_source *s = NULL;
        const struct dfopt_zmq_source_options o = {.findings = cases[i].endpoint,
                                                   .findings_bind = cases[i].bind};
        assert_int_not_equal(dfopt_zmq_source_create(&s, &o, &err), DFOPT_OK);
        assert_null(s);
        if (!strstr(err.text, cases[i].want))
            fail_msg("%s: %s", cases[i].want, err.text);
    }
    peer_close(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_offsets_and_empty_body),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_applications),
        cmocka_unit_test(test_sentinel),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
