/* Connections live a few seconds at most, however busy, and close after one
 * answer, so that a client can hold neither memory nor a slot. When there are too
 * many, the oldest are closed, not the newest, so that a scrape in between gets
 * its answer. */
#include "metrics/server.h"

#ifdef DFOPT_HAVE_METRICS

#include "base/clock.h"
#include "metrics/address.h"
#include "metrics/text.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIFE_NS          INT64_C(5000000000) /* of a connection */
#define CONNECTIONS_MAX  256
#define CONNECTION_BYTES 8192 /* for a request and its response headers */
#define LOOK_MS          200  /* between checks for old connections and the end */

struct client {
    TAILQ_ENTRY(client) link;
    int fd;
    int64_t since_ns;
};

TAILQ_HEAD(clients, client);

/* /metrics of a snapshot, shared by all requests until the next one. */
struct page {
    struct MHD_Response *response; /* owned; NULL: none yet */
    uint64_t number;               /* of the counts */
    uint32_t checks;               /* one bit per passing check */
};

struct dfopt_metrics_server {
    struct dfopt_board *board;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool stopping;
    struct clients clients; /* oldest first; server thread only */
    unsigned n_clients, max_clients;
    struct dfopt_snapshot *snapshot; /* owned; server thread only */
    struct page pages[2];            /* server thread only; [1]: OpenMetrics */
    char address[DFOPT_LISTEN_TEXT];
};

bool dfopt_metrics_can_serve(void)
{
    return true;
}

/* ---- connections ---- */

static void cut_off(const struct client *c)
{
    (void)shutdown(c->fd, SHUT_RDWR); /* the daemon notices and closes it */
}

static void noticed(void *arg, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode what)
{
    struct dfopt_metrics_server *s = arg;
    struct client *c = *context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!c)
            return;
        TAILQ_REMOVE(&s->clients, c, link);
        s->n_clients--;
        free(c);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    c = info ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        if (info)
            (void)shutdown(info->connect_fd, SHUT_RDWR);
        return;
    }
    c->fd = info->connect_fd;
    c->since_ns = dfopt_clock_monotonic_ns();
    TAILQ_INSERT_TAIL(&s->clients, c, link);
    *context = c;
    /* a quarter of the slots stays free, so that all can be accepted */
    struct client *oldest = TAILQ_FIRST(&s->clients);
    if (++s->n_clients > s->max_clients / 4 * 3)
        for (unsigned i = 0; i < s->n_clients - s->max_clients / 4 * 3; i++) {
            cut_off(oldest);
            oldest = TAILQ_NEXT(oldest, link);
        }
}

static void cut_off_old(struct dfopt_metrics_server *s)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    struct client *c;
    TAILQ_FOREACH(c, &s->clients, link)
    {
        if (now - c->since_ns < LIFE_NS)
            return;
        cut_off(c);
    }
}

/* ---- answers ---- */

/* Wraps a text, which it takes, as a response. NULL: out of memory. */
static struct MHD_Response *response_of(struct dfopt_buf *text, const char *type)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(text->len, text->data,
                                                             MHD_RESPMEM_MUST_FREE);
    if (!r) {
        dfopt_buf_free(text);
        return NULL;
    }
    *text = (struct dfopt_buf){0};
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return r;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct dfopt_buf *text)
{
    struct MHD_Response *r = response_of(text, "text/plain; charset=utf-8");
    if (!r)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const enum MHD_Result done = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return done;
}

static uint32_t checks_of(const struct dfopt_health *h)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < DFOPT_CHECK_COUNT; i++)
        bits |= h->problem[i][0] == '\0' ? 1U << i : 0;
    return bits;
}

/* Rebuilds the page only if its content has changed. */
static enum MHD_Result answer_metrics(struct dfopt_metrics_server *s,
                                      struct MHD_Connection *connection,
                                      bool openmetrics)
{
    struct page *p = &s->pages[openmetrics];
    const uint32_t checks = checks_of(&s->snapshot->health);
    if (p->response && p->number == s->snapshot->number && p->checks == checks)
        return MHD_queue_response(connection, MHD_HTTP_OK, p->response);
    struct dfopt_buf text = {0};
    struct MHD_Response *r = NULL;
    if (!dfopt_metrics_text(s->snapshot, openmetrics, &text))
        r = response_of(&text, openmetrics ? DFOPT_TYPE_OPENMETRICS
                                           : DFOPT_TYPE_PROMETHEUS);
    dfopt_buf_free(&text);
    if (!r)
        return MHD_NO;
    if (p->response)
        MHD_destroy_response(p->response); /* pending answers still hold it */
    *p = (struct page){r, s->snapshot->number, checks};
    return MHD_queue_response(connection, MHD_HTTP_OK, r);
}

static enum dfopt_err compose(const struct dfopt_metrics_server *s,
                              const char *path, unsigned *status,
                              struct dfopt_buf *text)
{
    if (strcmp(path, "/readyz") == 0) {
        *status = dfopt_health_is_good(&s->snapshot->health)
                      ? MHD_HTTP_OK
                      : MHD_HTTP_SERVICE_UNAVAILABLE;
        return dfopt_health_text(&s->snapshot->health, text);
    }
    if (strcmp(path, "/healthz") == 0) {
        *status = s->snapshot->alive ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
        return dfopt_buf_printf(
            text, "%s\n",
            s->snapshot->alive ? "ok"
                               : s->snapshot->health.problem[DFOPT_CHECK_LOOP]);
    }
    *status = strcmp(path, "/") == 0 ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND;
    return dfopt_buf_printf(text, "dfopt-mpi: /metrics /healthz /readyz\n");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *data, size_t *len,
                              void **context)
{
    struct dfopt_metrics_server *s = arg;
    struct dfopt_buf text = {0};
    unsigned status = MHD_HTTP_METHOD_NOT_ALLOWED;
    (void)version;
    (void)data;
    if (!*context) { /* headers only; a body may follow */
        *context = s;
        return MHD_YES;
    }
    if (*len) { /* a body is ignored */
        *len = 0;
        return MHD_YES;
    }
    enum dfopt_err e;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        e = dfopt_buf_printf(&text, "use GET or HEAD\n");
    } else {
        dfopt_board_read(s->board, dfopt_clock_monotonic_ns(), s->snapshot);
        if (strcmp(path, "/metrics") == 0)
            return answer_metrics(
                s, connection,
                dfopt_metrics_negotiate(MHD_lookup_connection_value(
                    connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT)));
        status = MHD_HTTP_OK;
        e = compose(s, path, &status, &text);
    }
    if (!e)
        return answer(connection, status, &text);
    dfopt_buf_free(&text);
    return MHD_NO;
}

/* ---- lifetime ---- */

static void *serve(void *arg)
{
    struct dfopt_metrics_server *s = arg;
    while (!atomic_load(&s->stopping)) {
        if (MHD_run_wait(s->daemon, LOOK_MS) != MHD_YES)
            usleep(LOOK_MS * 1000);
        cut_off_old(s);
    }
    return NULL;
}

/* Signals go to the deciding thread. */
static bool start_thread(struct dfopt_metrics_server *s)
{
    sigset_t all, was;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    const bool ok = pthread_create(&s->thread, NULL, serve, s) == 0;
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (ok)
        (void)pthread_setname_np(s->thread, "dfopt-metrics"); /* shown by top -H */
    return ok;
}

/* The service has first claim on file descriptors. */
static unsigned connections_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        files.rlim_cur / 4 >= CONNECTIONS_MAX)
        return CONNECTIONS_MAX;
    return files.rlim_cur < 64 ? 16 : (unsigned)(files.rlim_cur / 4);
}

static void release(struct dfopt_metrics_server *s)
{
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    for (int i = 0; i < 2; i++)
        if (s->pages[i].response)
            MHD_destroy_response(s->pages[i].response);
    free(s->snapshot);
    free(s);
}

enum dfopt_err dfopt_metrics_server_start(struct dfopt_metrics_server **out,
                                          const char *address,
                                          struct dfopt_board *board,
                                          struct dfopt_error *err)
{
    int fd;
    struct dfopt_metrics_server *s = calloc(1, sizeof *s);
    struct dfopt_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!s || !snapshot) {
        free(s);
        free(snapshot);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    s->board = board;
    s->snapshot = snapshot;
    s->max_clients = connections_max();
    TAILQ_INIT(&s->clients);
    enum dfopt_err e = dfopt_listen(address, &fd, s->address, err);
    if (e) {
        release(s);
        return e;
    }
    s->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, s->max_clients,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(LIFE_NS / 1000000000),
        MHD_OPTION_NOTIFY_CONNECTION, noticed, s, MHD_OPTION_END);
    if (!s->daemon)
        close(fd);
    if (!s->daemon || !start_thread(s)) {
        release(s);
        return dfopt_error_set(
            err, DFOPT_ERR_NOMEM,
            "%s: cannot start the server: out of memory or threads", address);
    }
    *out = s;
    return DFOPT_OK;
}

const char *dfopt_metrics_server_address(const struct dfopt_metrics_server *s)
{
    return s->address;
}

void dfopt_metrics_server_stop(struct dfopt_metrics_server *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    release(s);
}

#else

bool dfopt_metrics_can_serve(void)
{
    return false;
}

enum dfopt_err dfopt_metrics_server_start(struct dfopt_metrics_server **out,
                                          const char *address,
                                          struct dfopt_board *board,
                                          struct dfopt_error *err)
{
    (void)out;
    (void)board;
    return dfopt_error_set(err, DFOPT_ERR_STATE,
                           "%.80s: this dfopt-mpi was built without GNU "
                           "libmicrohttpd, which serves metrics",
                           address);
}

const char *dfopt_metrics_server_address(const struct dfopt_metrics_server *s)
{
    (void)s;
    return "";
}

void dfopt_metrics_server_stop(struct dfopt_metrics_server *s)
{
    (void)s;
}

#endif
