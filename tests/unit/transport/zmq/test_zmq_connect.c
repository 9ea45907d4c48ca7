/* The ZMQ source that connects: the peer may be late, go and come back, break the
 * protocol, and be somebody else for a while. */
#include "support/plain_peer.h"
#include "test_zmq.h"

#include <poll.h>

static struct peer bind_there(struct peer p, const char *endpoint)
{
    const int64_t until = now_ms() + DEADLINE_MS;
    while (zmq_bind(p.socket, endpoint) != 0)
        assert_true(now_ms() < until);
    return p;
}

/* Findings by connecting, as to the diagnoser; it may come later and come back. */
static void test_connect(void **state)
{
    (void)state;
    char endpoint[128];
    struct peer peer = peer_bind(ZMQ_PUSH, endpoint);
    peer_close(&peer);
    struct dfopt_source *s =
        open_source((struct dfopt_zmq_source_options){.findings = endpoint});
    assert_null(dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_ACKS));
    assert_string_equal(dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_FINDINGS), endpoint);
    for (int time = 0; time < 2; time++) {
        peer = bind_there(peer_new(ZMQ_PUSH), endpoint);
        send_number(&peer, time);
        expect_number(s, DFOPT_ZMQ_FINDINGS, time);
        peer_close(&peer);
    }
    source_destroy(s);
}

/* Sends a finding as soon as the source has connected, which is seen to in next. */
static void send_when_connected(struct dfopt_source *s, struct peer *p, int i)
{
    const int64_t until = now_ms() + DEADLINE_MS;
    struct dfopt_record r;
    zmq_pollitem_t item = {.socket = p->socket, .events = ZMQ_POLLOUT};
    while (zmq_poll(&item, 1, 0) == 0) {
        assert_int_equal(s->ops->next(s, 20, &r, NULL), DFOPT_SOURCE_WAIT);
        assert_true(now_ms() < until);
    }
    send_number(p, i);
}

/* Another program is at the port: it talks, and goes. */
static void test_other_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PLAIN_TEXTS; i++) {
        char endpoint[128];
        const int fd = listen_plain(endpoint, sizeof endpoint);
        struct dfopt_source *s =
            open_source((struct dfopt_zmq_source_options){.findings = endpoint});
        struct dfopt_record r;
        const int c = answer_plain(fd, i);
        if (i == 2)
            close(c);
        assert_int_equal(s->ops->next(s, 300, &r, NULL), DFOPT_SOURCE_WAIT);
        if (i != 2)
            close(c);
        close(fd);
        struct peer p = bind_there(peer_new(ZMQ_PUSH), endpoint);
        send_when_connected(s, &p, (int)i);
        expect_number(s, DFOPT_ZMQ_FINDINGS, (int)i);
        print_message("replaced %d times\n",
                      (int)source_noted(s, DFOPT_ZMQ_NOTE_PEER_BROKEN));
        peer_close(&p);
        source_destroy(s);
    }
}

/* A frame far beyond the limit cuts the peer off, not us: what comes then comes. */
static void test_far_too_large(void **state)
{
    (void)state;
    char endpoint[128];
    struct peer p = peer_bind(ZMQ_PUSH, endpoint);
    struct dfopt_source *s =
        open_source((struct dfopt_zmq_source_options){.findings = endpoint});
    const size_t n = (size_t)40 << 20;
    char *bytes = calloc(1, n);
    assert_non_null(bytes);
    send_number(&p, 1);
    expect_number(s, DFOPT_ZMQ_FINDINGS, 1);
    assert_int_equal(zmq_send(p.socket, "{}", 2, ZMQ_SNDMORE), 2);
    assert_int_equal(zmq_send(p.socket, bytes, n, 0), n);
    free(bytes);
    const int64_t until = now_ms() + DEADLINE_MS;
    struct dfopt_record r;
    while (source_noted(s, DFOPT_ZMQ_NOTE_PEER_BROKEN) == 0) {
        assert_int_equal(s->ops->next(s, 100, &r, NULL), DFOPT_SOURCE_WAIT);
        assert_true(now_ms() < until);
    }
    send_when_connected(s, &p, 2);
    expect_number(s, DFOPT_ZMQ_FINDINGS, 2);
    peer_close(&p);
    source_destroy(s);
}

/* A diagnoser without CURVE, then one with a wrong key, then the right one. */
static void test_keys_put_right(void **state)
{
    (void)state;
    if (!zmq_has("curve"))
        return;
    char endpoint[128], own_public[41], own[41], public_key[41], secret[41], no[41],
        x[41];
    assert_int_equal(zmq_curve_keypair(own_public, own), 0);
    assert_int_equal(zmq_curve_keypair(public_key, secret), 0);
    assert_int_equal(zmq_curve_keypair(x, no), 0);
    const char *const secrets[] = {NULL, no, secret};
    const struct dfopt_zmq_curve curve = {.client_secret = own,
                                          .server_public = public_key};
    struct peer p = peer_bind(ZMQ_PUSH, endpoint);
    peer_close(&p);
    struct dfopt_source *s = open_source(
        (struct dfopt_zmq_source_options){.findings = endpoint, .curve = &curve});
    for (int i = 0; i < 3; i++) {
        p = peer_new(ZMQ_PUSH);
        if (secrets[i]) {
            set_int(p.socket, ZMQ_CURVE_SERVER, 1);
            assert_int_equal(
                zmq_setsockopt(p.socket, ZMQ_CURVE_SECRETKEY, secrets[i], 41), 0);
        }
        p = bind_there(p, endpoint);
        if (i == 2) {
            send_when_connected(s, &p, 7);
            expect_number(s, DFOPT_ZMQ_FINDINGS, 7);
        } else {
            struct dfopt_record r;
            assert_int_equal(s->ops->next(s, 1500, &r, NULL), DFOPT_SOURCE_WAIT);
        }
        peer_close(&p);
    }
    print_message("replaced %d times\n",
                  (int)source_noted(s, DFOPT_ZMQ_NOTE_PEER_BROKEN));
    source_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_other_program),
        cmocka_unit_test(test_far_too_large),
        cmocka_unit_test(test_keys_put_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
