/* The ZAP thread. After create it alone uses the list of keys; only the count
 * of refusals is shared. It ends when the context is shut down. Invariant: the
 * socket stays open while the context may do handshakes, even if the thread
 * fails, because libzmq admits everybody when nobody can answer. */
#include "net/zmq/zap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "net/zmq/keys.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#define ENDPOINT        "inproc://zeromq.zap.01"
#define LOOK_AGAIN_NS   1000000000
#define MAX_FRAME_BYTES 256

struct dfopt_zmq_zap {
    void *socket;
    pthread_t thread;
    char *dir;
    struct dfopt_buf keys; /* rows of struct dfopt_zmq_key */
    struct timespec changed;
    int64_t read_ns;
    atomic_uint_fast64_t refused;
};

/* A request from libzmq: version, request id, domain, address, routing id,
 * mechanism, credentials. */
enum {
    VERSION,
    REQUEST,
    DOMAIN_,
    ADDRESS,
    ROUTING,
    MECHANISM,
    CREDENTIALS,
    FRAMES
};

struct frame {
    size_t len;
    char bytes[MAX_FRAME_BYTES];
};

/* ---- the allowed keys ---- */

static bool is_key_file(const char *name)
{
    static const char secret[] = "_secret";
    const size_t n = strlen(name), k = sizeof secret - 1;
    return name[0] != '.' && !(n >= k && strcmp(name + n - k, secret) == 0);
}

static enum dfopt_err add_file(struct dfopt_buf *keys, const char *dir,
                               const char *name, bool strict,
                               struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    struct dfopt_zmq_key key;
    struct stat st;
    enum dfopt_err e = dfopt_buf_printf(&path, "%s/%s", dir, name);
    if (!e && stat(path.data, &st) == 0 && S_ISDIR(st.st_mode)) {
        dfopt_buf_free(&path);
        return DFOPT_OK;
    }
    if (!e) {
        e = dfopt_zmq_key_read_public(&key, path.data, err);
        if (!e)
            e = dfopt_buf_add(keys, &key, sizeof key);
        else if (!strict)
            e = DFOPT_OK;
    }
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(err, e, "%s: out of memory", dir);
    dfopt_buf_free(&path);
    return e;
}

/* Replaces the list, or leaves it unchanged on error. */
static enum dfopt_err read_keys(struct dfopt_zmq_zap *z, bool strict,
                                struct dfopt_error *err)
{
    struct dfopt_buf keys = {0};
    struct stat st;
    enum dfopt_err e = DFOPT_OK;
    DIR *d = opendir(z->dir);
    if (!d || fstat(dirfd(d), &st) != 0) {
        e = dfopt_error_set(err, DFOPT_ERR_ARG, "%s: %s", z->dir, strerror(errno));
        if (d)
            closedir(d);
        return e;
    }
    for (struct dirent *entry; !e && (entry = readdir(d));)
        if (is_key_file(entry->d_name))
            e = add_file(&keys, z->dir, entry->d_name, strict, err);
    closedir(d);
    if (e) {
        dfopt_buf_free(&keys);
        return e;
    }
    dfopt_buf_free(&z->keys);
    z->keys = keys;
    z->changed = st.st_mtim;
    z->read_ns = dfopt_clock_monotonic_ns();
    return DFOPT_OK;
}

static bool has_changed(const struct dfopt_zmq_zap *z)
{
    struct stat st;
    if (stat(z->dir, &st) != 0)
        return true;
    return st.st_mtim.tv_sec != z->changed.tv_sec ||
           st.st_mtim.tv_nsec != z->changed.tv_nsec;
}

static bool is_listed(const struct dfopt_zmq_zap *z, const struct frame *key)
{
    const struct dfopt_zmq_key *keys =
        DFOPT_ROW(&z->keys, const struct dfopt_zmq_key);
    for (size_t i = 0; i < DFOPT_ROWS(&z->keys, struct dfopt_zmq_key); i++)
        if (memcmp(keys[i].bytes, key->bytes, sizeof keys[i].bytes) == 0)
            return true;
    return false;
}

/* A missing directory allows nobody. Completing a file that was read
 * half-written does not touch the directory: hence the timer. */
static bool is_allowed(struct dfopt_zmq_zap *z, const struct frame *key)
{
    if (key->len != DFOPT_ZMQ_KEY_BYTES)
        return false;
    const int64_t age = dfopt_clock_monotonic_ns() - z->read_ns;
    if (has_changed(z) || (!is_listed(z, key) && age > LOOK_AGAIN_NS))
        if (read_keys(z, false, NULL) != DFOPT_OK)
            dfopt_buf_clear(&z->keys);
    return is_listed(z, key);
}

/* ---- the thread ---- */

/* Reads one request. Returns false when the context is shut down. Too many or
 * oversized frames leave n at 0. */
static bool receive(void *socket, struct frame frames[FRAMES], int *n)
{
    int more = 1;
    size_t more_len = sizeof more;
    bool fits = true;
    for (*n = 0; more;) {
        struct frame spare, *f = *n < FRAMES ? &frames[*n] : &spare;
        const int len = zmq_recv(socket, f->bytes, sizeof f->bytes, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_len) != 0)
            return false;
        fits = fits && *n < FRAMES && (size_t)len <= sizeof f->bytes;
        f->len = fits ? (size_t)len : 0;
        *n += *n < FRAMES;
    }
    if (!fits)
        *n = 0;
    return true;
}

static bool send_text(void *socket, const char *text, size_t len, int flags)
{
    int rc;
    do
        rc = zmq_send(socket, text, len, flags);
    while (rc < 0 && errno == EINTR);
    return rc >= 0;
}

/* version, request id, status, status text, user id, metadata */
static bool reply(void *socket, const struct frame *request, bool allowed)
{
    static const char yes[] = "OK", no[] = "key not allowed";
    const char *text = allowed ? yes : no;
    return send_text(socket, "1.0", 3, ZMQ_SNDMORE) &&
           send_text(socket, request->bytes, request->len, ZMQ_SNDMORE) &&
           send_text(socket, allowed ? "200" : "400", 3, ZMQ_SNDMORE) &&
           send_text(socket, text, strlen(text), ZMQ_SNDMORE) &&
           send_text(socket, "", 0, ZMQ_SNDMORE) && send_text(socket, "", 0, 0);
}

static bool frame_is(const struct frame *f, const char *text)
{
    return f->len == strlen(text) && memcmp(f->bytes, text, f->len) == 0;
}

static void *serve(void *arg)
{
    struct dfopt_zmq_zap *z = arg;
    struct frame frames[FRAMES];
    int n = 0;
    while (receive(z->socket, frames, &n)) {
        const bool allowed = n == FRAMES && frame_is(&frames[VERSION], "1.0") &&
                             frame_is(&frames[MECHANISM], "CURVE") &&
                             is_allowed(z, &frames[CREDENTIALS]);
        if (n <= REQUEST)
            frames[REQUEST].len = 0;
        if (!allowed)
            atomic_fetch_add_explicit(&z->refused, 1, memory_order_relaxed);
        if (!reply(z->socket, &frames[REQUEST], allowed))
            break;
    }
    return NULL;
}

/* Signals go to the program's own threads. */
static int start_thread(struct dfopt_zmq_zap *z)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const int why = pthread_create(&z->thread, NULL, serve, z);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return why;
}

static void free_zap(struct dfopt_zmq_zap *z)
{
    dfopt_buf_free(&z->keys);
    free(z->dir);
    free(z);
}

enum dfopt_err dfopt_zmq_zap_create(struct dfopt_zmq_zap **out, void *ctx,
                                    const char *dir, struct dfopt_error *err)
{
    struct dfopt_zmq_zap *z = calloc(1, sizeof *z);
    if (!z || !(z->dir = strdup(dir))) {
        free(z);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    const int linger = 0;
    enum dfopt_err e = read_keys(z, true, err);
    if (e)
        goto failed;
    e = DFOPT_ERR_IO;
    z->socket = zmq_socket(ctx, ZMQ_REP);
    if (!z->socket ||
        zmq_setsockopt(z->socket, ZMQ_LINGER, &linger, sizeof linger) ||
        zmq_bind(z->socket, ENDPOINT) != 0) {
        dfopt_error_set(err, e, "authentication: %s", zmq_strerror(errno));
        goto failed;
    }
    const int why = start_thread(z);
    if (why) {
        dfopt_error_set(err, e, "authentication: %s", strerror(why));
        goto failed;
    }
    *out = z;
    return DFOPT_OK;
failed:
    if (z->socket)
        zmq_close(z->socket);
    free_zap(z);
    return e;
}

void dfopt_zmq_zap_destroy(struct dfopt_zmq_zap *z)
{
    if (!z)
        return;
    pthread_join(z->thread, NULL);
    zmq_close(z->socket);
    free_zap(z);
}

uint64_t dfopt_zmq_zap_refused(const struct dfopt_zmq_zap *z)
{
    return z ? atomic_load_explicit(&z->refused, memory_order_relaxed) : 0;
}
