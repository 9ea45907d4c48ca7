/* The server, over sockets: what it answers, and clients that mean no good while
 * the poster posts. */
#include "metrics/server.h"
#include "base/clock.h"
#include "support/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROWD 400 /* more than there are places */

struct world {
    struct dfopt_board *board;
    struct dfopt_counts *counts;
    struct dfopt_metrics_server *server;
    struct sockaddr_in at;
    char reply[65536];
};

static void post(struct world *w)
{
    const struct dfopt_health good = {0};
    w->counts->undecided++;
    dfopt_board_post(w->board, w->counts, &good, dfopt_clock_monotonic_ns());
}

static void begin(struct world *w)
{
    struct dfopt_error err = {0};
    memset(w, 0, sizeof *w);
    w->counts = calloc(1, sizeof *w->counts);
    assert_non_null(w->counts);
    dfopt_counts_init(w->counts);
    assert_int_equal(dfopt_board_create(&w->board, "0.1.0", "zmq"), DFOPT_OK);
    assert_int_equal(
        dfopt_metrics_server_start(&w->server, "127.0.0.1:0", w->board, &err),
        DFOPT_OK);
    const char *port = strrchr(dfopt_metrics_server_address(w->server), ':') + 1;
    w->at = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(port)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    post(w);
}

static void end(struct world *w)
{
    dfopt_metrics_server_stop(w->server);
    dfopt_board_destroy(w->board);
    dfopt_counts_free(w->counts);
    free(w->counts);
}

static int connect_to(const struct world *w)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&w->at, sizeof w->at), 0);
    return fd;
}

/* Everything up to the end of the connection. */
static size_t read_all(struct world *w, int fd)
{
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, w->reply + len, sizeof w->reply - 1 - len, 0)) > 0)
        len += (size_t)n;
    w->reply[len] = '\0';
    return len;
}

static int ask(struct world *w, const char *request)
{
    int status = 0;
    const int fd = connect_to(w);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
                     (ssize_t)strlen(request));
    read_all(w, fd);
    close(fd);
    (void)sscanf(w->reply, "HTTP/1.1 %d", &status);
    return status;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void test_answers(void **state)
{
    (void)state;
    static struct world w;
    begin(&w);
    assert_int_equal(ask(&w, GET("/metrics")), 200);
    assert_non_null(strstr(w.reply, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(w.reply, "dfopt_undecided_events 1\n"));
    assert_int_equal(ask(&w, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: "
                             "application/openmetrics-text\r\n\r\n"),
                     200);
    assert_non_null(strstr(w.reply, "Content-Type: application/openmetrics-text"));
    assert_non_null(strstr(w.reply, "\n# EOF\n"));
    assert_int_equal(ask(&w, GET("/readyz")), 200);
    assert_non_null(strstr(w.reply, "\r\n\r\nloop: ok\n"));
    assert_int_equal(ask(&w, GET("/healthz")), 200);
    assert_int_equal(ask(&w, GET("/")), 200);
    assert_int_equal(ask(&w, GET("/../etc/passwd")), 404);
    assert_int_equal(ask(&w, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_null(strstr(w.reply, "dfopt_"));
    assert_int_equal(ask(&w, "POST /metrics HTTP/1.1\r\nHost: x\r\n"
                             "Content-Length: 3\r\n\r\nabc"),
                     405);
    assert_int_equal(ask(&w, "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_int_equal(ask(&w, "GET /metrics HTTP/1.0\r\n\r\n"), 200);
    assert_non_null(strstr(w.reply, "dfopt_undecided_events 1\n"));
    assert_int_equal(ask(&w, "GET /metrics?name[]=x HTTP/1.1\r\nHost: x\r\n\r\n"),
                     200);
    end(&w);
    dfopt_metrics_server_stop(NULL);
}

/* The page is written once a snapshot, in both formats, and again as soon as a
 * check turns. */
static void test_pages(void **state)
{
    (void)state;
    static struct world w;
    struct dfopt_health health = {0};
    int64_t now = dfopt_clock_monotonic_ns();
    begin(&w);
    for (int i = 0; i < 3; i++) {
        const bool bad = i == 1;
        char ready[64], undecided[64];
        snprintf(ready, sizeof ready, "dfopt_ready{check=\"ranks\"} %d\n", !bad);
        snprintf(undecided, sizeof undecided, "dfopt_undecided_events %d\n",
                 i == 2 ? 2 : 1);
        w.counts->undecided = 2;
        if (i == 2) /* counts are due */
            now += DFOPT_BOARD_EVERY_NS + DFOPT_LOOP_SILENT_NS;
        strcpy(health.problem[DFOPT_CHECK_RANKS], bad ? "away" : "");
        dfopt_board_post(w.board, w.counts, &health, now);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(ask(&w, k % 2 ? GET("/metrics")
                                           : "GET /metrics HTTP/1.1\r\nHost: x\r\n"
                                             "Accept: application/openmetrics-text"
                                             "\r\n\r\n"),
                             200);
            assert_non_null(strstr(w.reply, ready));
            assert_non_null(strstr(w.reply, undecided));
            assert_int_equal(strstr(w.reply, "# EOF") != NULL, k % 2 == 0);
        }
    }
    end(&w);
}

/* Half of a request, nonsense, or nothing: each is cut off, and asking in between
 * is answered at once. */
static void test_crowd(void **state)
{
    (void)state;
    static struct world w;
    static int fds[CROWD];
    static const char *const sent[] = {"", "GET /met", "\x16\x03\x01\x02",
                                       "GET / HTTP/1.1\r\nX: ", "\r\n\r\n\r\n"};
    begin(&w);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_to(&w);
        const char *text = sent[i % 5];
        (void)!send(fds[i], text, strlen(text), MSG_NOSIGNAL);
        post(&w);
        if (i % 50 == 0)
            assert_int_equal(ask(&w, GET("/metrics")), 200);
    }
    for (int i = 0; i < CROWD; i++) {
        char byte[4096]; /* an error, or only the end */
        const struct timeval patience = {.tv_sec = DEADLINE_MS / 1000};
        setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        while (recv(fds[i], byte, sizeof byte, 0) > 0)
            ;
        assert_true(errno != EAGAIN);
        close(fds[i]);
    }
    assert_int_equal(ask(&w, GET("/healthz")), 200);
    end(&w);
}

/* A client that never stops sending is cut off, too. */
static void test_dripping(void **state)
{
    (void)state;
    static struct world w;
    begin(&w);
    const int fd = connect_to(&w);
    (void)!send(fd, "GET / HTTP/1.1\r\nX: ", 19, MSG_NOSIGNAL);
    const int64_t until = now_ms() + DEADLINE_MS;
    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
        assert_true(now_ms() < until);
        pause_ms(20);
    }
    close(fd);
    end(&w);
}

static void test_in_use(void **state)
{
    (void)state;
    static struct world w;
    struct dfopt_metrics_server *other = NULL;
    struct dfopt_error err = {0};
    begin(&w);
    const char *at = dfopt_metrics_server_address(w.server);
    assert_int_equal(dfopt_metrics_server_start(&other, at, w.board, &err),
                     DFOPT_ERR_IO);
    assert_null(other);
    assert_non_null(strstr(err.text, at));
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_pages),
        cmocka_unit_test(test_crowd), cmocka_unit_test(test_dripping),
        cmocka_unit_test(test_in_use)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
