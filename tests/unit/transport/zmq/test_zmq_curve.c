/* CURVE: who holds the right key gets in, and nobody else. */
#include "test_zmq.h"
#include "support/transport_files.h"

#include <errno.h>

struct keys {
    char public_key[41], secret[41];
};

static struct keys new_keys(void)
{
    struct keys k;
    assert_int_equal(zmq_curve_keypair(k.public_key, k.secret), 0);
    return k;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* A peer with these keys (NULL: without CURVE), not connected yet. */
static struct peer keyed_peer(int type, const struct keys *own, const char *server)
{
    struct peer p = peer_new(type);
    if (own) {
        assert_int_equal(zmq_setsockopt(p.socket, ZMQ_CURVE_SERVERKEY, server, 41),
                         0);
        assert_int_equal(
            zmq_setsockopt(p.socket, ZMQ_CURVE_PUBLICKEY, own->public_key, 41), 0);
        assert_int_equal(
            zmq_setsockopt(p.socket, ZMQ_CURVE_SECRETKEY, own->secret, 41), 0);
    }
    return p;
}

static struct peer keyed_connect(int type, const struct keys *own,
                                 const char *server, const char *endpoint)
{
    struct peer p = keyed_peer(type, own, server);
    assert_int_equal(zmq_connect(p.socket, endpoint), 0);
    return p;
}

/* Keys of the service, of an allowed client, and of others; "allowed" holds the
 * allowed one. Works in a directory of its own. */
struct world {
    void *files;
    struct keys server, friend, stranger;
    struct dfopt_zmq_curve curve;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    files_setup(&w->files);
    w->server = new_keys();
    w->friend = new_keys();
    w->stranger = new_keys();
    assert_int_equal(mkdir("allowed", 0755), 0);
    write_file("allowed/friend", w->friend.public_key, 0644);
    write_file("allowed/.hidden", "nonsense", 0644);
    write_file("allowed/other_secret", "nonsense", 0644);
    w->curve = (struct dfopt_zmq_curve){.server_secret = w->server.secret,
                                        .allowed_clients = "allowed"};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    (void)!system("rm -rf allowed");
    files_teardown(&w->files);
    free(w);
    return 0;
}

/* Who gets something in: the friend alone. The friend sends last, so that what the
 * others sent would have come before. */
static void test_in(void **state)
{
    struct world *w = *state;
    struct dfopt_source *s =
        open_source((struct dfopt_zmq_source_options){.acks = ANY_PORT,
                                                      .registrations = ANY_PORT,
                                                      .objectives = ANY_PORT,
                                                      .curve = &w->curve});
    for (size_t k = 1; k < N_OF(own_socket); k++) {
        const int stream = own_socket[k];
        const char *to = dfopt_zmq_source_endpoint(s, own_socket[k]);
        struct peer bad[3] = {
            keyed_connect(ZMQ_PUSH, NULL, NULL, to),
            keyed_connect(ZMQ_PUSH, &w->stranger, w->server.public_key, to),
            keyed_connect(ZMQ_PUSH, &w->friend, w->stranger.public_key, to),
        };
        /* libzmq may have given them up by now */
        for (int i = 0; i < 3; i++)
            if (zmq_send(bad[i].socket, "{}", 2, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
                (void)zmq_send(bad[i].socket, "{}", 2, ZMQ_DONTWAIT);
        const int64_t until = now_ms() + DEADLINE_MS;
        struct dfopt_record r;
        while (source_noted(s, DFOPT_ZMQ_NOTE_PEER_REFUSED) < k) {
            assert_int_equal(s->ops->next(s, 20, &r, NULL), DFOPT_SOURCE_WAIT);
            assert_true(now_ms() < until);
        }
        struct peer good =
            keyed_connect(ZMQ_PUSH, &w->friend, w->server.public_key, to);
        for (int i = 0; i < 10; i++) {
            send_number(&good, i);
            expect_number(s, stream, i);
        }
        for (int i = 0; i < 3; i++)
            peer_close(&bad[i]);
        peer_close(&good);
    }
    source_destroy(s);
}

/* Who gets something out. */
static void test_out(void **state)
{
    struct world *w = *state;
    for (int pub = 0; pub < 2; pub++) {
        struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){
            .pattern = pub ? DFOPT_ZMQ_PUB : DFOPT_ZMQ_PUSH,
            .curve = &w->curve,
            .max_queued = 10,
            .linger_ms = -1});
        const int type = pub ? ZMQ_SUB : ZMQ_PULL;
        const char *to = dfopt_zmq_sink_endpoint(s);
        struct peer peers[3] = {
            keyed_peer(type, NULL, NULL),
            keyed_peer(type, &w->stranger, w->server.public_key),
            keyed_peer(type, &w->friend, w->server.public_key),
        };
        zmq_pollitem_t items[3];
        for (int i = 0; i < 3; i++) {
            if (pub)
                assert_int_equal(
                    zmq_setsockopt(peers[i].socket, ZMQ_SUBSCRIBE, "", 0), 0);
            items[i] =
                (zmq_pollitem_t){.socket = peers[i].socket, .events = ZMQ_POLLIN};
        }
        assert_int_equal(zmq_connect(peers[0].socket, to), 0);
        assert_int_equal(zmq_connect(peers[1].socket, to), 0);
        const int64_t until = now_ms() + DEADLINE_MS;
        while (sink_noted(s, DFOPT_ZMQ_NOTE_PEER_REFUSED) < 1) {
            publish(s, NULL, "k", 1);
            (void)dfopt_zmq_sink_drain(s, 20);
            assert_int_equal(zmq_poll(items, 2, 0), 0);
            assert_true(now_ms() < until);
        }
        assert_int_equal(zmq_connect(peers[2].socket, to), 0);
        do {
            publish(s, NULL, "k", 2);
            (void)dfopt_zmq_sink_drain(s, 20);
            assert_true(now_ms() < until);
            assert_int_equal(zmq_poll(items, 2, 0), 0);
        } while (zmq_poll(&items[2], 1, 0) == 0);
        assert_int_equal(zmq_poll(items, 2, 50), 0);
        for (int i = 0; i < 3; i++)
            peer_close(&peers[i]);
        sink_destroy(s);
    }
}

/* A key that comes into the directory later counts at once; one that goes, too. */
static void test_directory_changes(void **state)
{
    struct world *w = *state;
    struct dfopt_source *s = open_source(
        (struct dfopt_zmq_source_options){.acks = ANY_PORT, .curve = &w->curve});
    const char *to = dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_ACKS);
    write_file("allowed/bad", "nonsense", 0644); /* is left out */
    write_file("allowed/new", w->stranger.public_key, 0644);
    struct peer p = keyed_connect(ZMQ_PUSH, &w->stranger, w->server.public_key, to);
    send_number(&p, 1);
    expect_number(s, DFOPT_ZMQ_ACKS, 1);
    peer_close(&p);
    assert_int_equal(unlink("allowed/new"), 0);
    const uint64_t before = source_noted(s, DFOPT_ZMQ_NOTE_PEER_REFUSED);
    p = keyed_connect(ZMQ_PUSH, &w->stranger, w->server.public_key, to);
    struct dfopt_record r;
    const int64_t until = now_ms() + DEADLINE_MS;
    while (source_noted(s, DFOPT_ZMQ_NOTE_PEER_REFUSED) == before) {
        assert_int_equal(s->ops->next(s, 20, &r, NULL), DFOPT_SOURCE_WAIT);
        assert_true(now_ms() < until);
    }
    peer_close(&p);
    source_destroy(s);
}

/* We as the client of a diagnoser that is the server; and not of one without. */
static void test_client(void **state)
{
    struct world *w = *state;
    char endpoint[128], plain[128];
    size_t size = sizeof endpoint;
    struct peer server = peer_new(ZMQ_PUSH), other = peer_bind(ZMQ_PUSH, plain);
    set_int(server.socket, ZMQ_CURVE_SERVER, 1);
    assert_int_equal(
        zmq_setsockopt(server.socket, ZMQ_CURVE_SECRETKEY, w->server.secret, 41),
        0);
    assert_int_equal(zmq_bind(server.socket, ANY_PORT), 0);
    assert_int_equal(
        zmq_getsockopt(server.socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    const struct dfopt_zmq_curve curve = {.client_secret = w->friend.secret,
                                          .server_public = w->server.public_key};
    struct dfopt_source *s = open_source(
        (struct dfopt_zmq_source_options){.findings = endpoint, .curve = &curve});
    send_number(&server, 1);
    expect_number(s, DFOPT_ZMQ_FINDINGS, 1);
    source_destroy(s);
    s = open_source(
        (struct dfopt_zmq_source_options){.findings = plain, .curve = &curve});
    struct dfopt_record r;
    assert_int_equal(s->ops->next(s, 100, &r, NULL), DFOPT_SOURCE_WAIT);
    set_int(other.socket, ZMQ_SNDTIMEO, 0);
    assert_int_equal(zmq_send(other.socket, "{}", 2, 0), -1); /* it has no peer */
    source_destroy(s);
    peer_close(&server);
    peer_close(&other);
}

static void test_any_client(void **state)
{
    struct world *w = *state;
    const struct dfopt_zmq_curve curve = {.server_secret = w->server.secret,
                                          .allow_any_client = true};
    struct dfopt_source *s = open_source(
        (struct dfopt_zmq_source_options){.acks = ANY_PORT, .curve = &curve});
    const char *to = dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_ACKS);
    struct peer bad = keyed_connect(ZMQ_PUSH, NULL, NULL, to);
    struct peer good =
        keyed_connect(ZMQ_PUSH, &w->stranger, w->server.public_key, to);
    (void)zmq_send(bad.socket, "{}", 2, ZMQ_DONTWAIT);
    for (int i = 0; i < 10; i++) {
        send_number(&good, i);
        expect_number(s, DFOPT_ZMQ_ACKS, i);
    }
    peer_close(&bad);
    peer_close(&good);
    source_destroy(s);
}

/* keygen's files work as every kind of key, and are not overwritten. */
static void test_keygen(void **state)
{
    (void)state;
    struct dfopt_error err = {0};
    struct stat st;
    umask(022);
    assert_int_equal(dfopt_zmq_keygen("server", &err), DFOPT_OK);
    assert_int_equal(dfopt_zmq_keygen("allowed/app", &err), DFOPT_OK);
    assert_int_equal(stat("server.key_secret", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat("server.key", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(dfopt_zmq_keygen("server", &err), DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, "server.key_secret: File exists"));
    write_file("half.key", "x", 0644);
    assert_int_equal(dfopt_zmq_keygen("half", &err), DFOPT_ERR_IO);
    assert_int_equal(stat("half.key_secret", &st), -1);
    assert_int_equal(dfopt_zmq_keygen("no/such/place", &err), DFOPT_ERR_IO);

    const struct dfopt_zmq_curve service = {.server_secret = "server.key_secret",
                                            .allowed_clients = "allowed"};
    struct dfopt_sink *sink = open_sink(
        (struct dfopt_zmq_sink_options){.curve = &service, .linger_ms = -1});
    /* the other side by our own source, as a client that connects to a PUSH */
    const struct dfopt_zmq_curve client = {.client_secret =
                                               "allowed/app.key_secret",
                                           .client_public = "allowed/app.key",
                                           .server_public = "server.key"};
    struct dfopt_source *source = open_source((struct dfopt_zmq_source_options){
        .findings = dfopt_zmq_sink_endpoint(sink), .curve = &client});
    publish(sink, NULL, "k", 5);
    pump_empty(sink);
    expect_number(source, DFOPT_ZMQ_FINDINGS, 5);
    source_destroy(source);
    sink_destroy(sink);
}

/* Mistakes show at create, name the endpoint or the file, and never a key. */
static void test_bad_keys(void **state)
{
    struct world *w = *state;
    char short_key[41], space[64];
    snprintf(short_key, sizeof short_key, "%.39s", w->server.secret);
    snprintf(space, sizeof space, "%.39s ", w->server.secret);
    write_file("open", w->server.secret, 0644);
    write_file("empty", "", 0600);
    write_file("public", w->server.public_key, 0600);
    assert_int_equal(mkdir("bad", 0755), 0);
    write_file("bad/key", "nonsense", 0644);
    const char *sk = w->server.secret, *pk = w->friend.public_key;
    const struct {
        struct dfopt_zmq_curve curve;
        bool bind;
        const char *want;
    } cases[] = {
        {{0}, true, "tcp://127.0.0.1:*: CURVE: needs the directory"},
        {{.allow_any_client = true}, true, "needs the server's secret key"},
        {{.allowed_clients = "nowhere", .server_secret = sk},
         true,
         "nowhere: No such"},
        {{.allowed_clients = "bad", .server_secret = sk}, true, "bad/key: has no"},
        {{.allow_any_client = true, .server_secret = short_key},
         true,
         "must be a file or a key"},
        {{.allow_any_client = true, .server_secret = space},
         true,
         "must be a file or a key"},
        {{.allow_any_client = true, .server_secret = "nowhere"},
         true,
         "must be a file or a key"},
        {{.allow_any_client = true, .server_secret = "open"}, true, "chmod 600"},
        {{.allow_any_client = true, .server_secret = "empty"},
         true,
         "empty: has no"},
        {{.allow_any_client = true, .server_secret = "allowed"},
         true,
         "not a regular"},
        {{.server_secret = sk}, false, "needs the client's secret key"},
        {{.client_secret = sk}, false, "needs the public key of the server"},
        {{.client_secret = sk, .server_public = "x"},
         false,
         "must be a file or a key"},
        {{.client_secret = sk, .server_public = pk, .client_public = pk},
         false,
         "not a pair"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_error err = {0};
        struct dfopt_source *s = NULL;
        const struct dfopt_zmq_source_options o = {
            .findings = cases[i].bind ? ANY_PORT : "tcp://127.0.0.1:9",
            .findings_bind = cases[i].bind,
            .curve = &cases[i].curve};
        assert_int_equal(dfopt_zmq_source_create(&s, &o, &err), DFOPT_ERR_ARG);
        assert_null(s);
        if (!strstr(err.text, cases[i].want))
            fail_msg("%s: %s", cases[i].want, err.text);
        assert_null(strstr(err.text, short_key));
    }
    assert_int_equal(system("rm -r bad"), 0);
}

int main(void)
{
    if (!zmq_has("curve")) {
        print_message("this libzmq is built without CURVE\n");
        return 0;
    }
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_in),       TEST(test_out),        TEST(test_directory_changes),
        TEST(test_client),   TEST(test_any_client), TEST(test_keygen),
        TEST(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
