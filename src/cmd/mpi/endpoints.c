#include "cmd/mpi/endpoints.h"

#include "cmd/mpi/paths.h"
#include "json/write.h"
#include "transport/file/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_BYTES 256

/* Wildcard addresses, which stand for all of a host's. */
static const char *const any_host[] = {"tcp://0.0.0.0:", "tcp://[::]:"};

/* An endpoint as reachable from other hosts. */
static void put_endpoint(struct dfopt_put *p, const char *name,
                         const char *endpoint)
{
    char host[HOST_BYTES] = "", text[HOST_BYTES + DFOPT_ZMQ_KEY_TEXT];
    if (!endpoint || !*endpoint)
        return;
    for (size_t i = 0; i < sizeof any_host / sizeof *any_host; i++) {
        const size_t n = strlen(any_host[i]);
        if (strncmp(endpoint, any_host[i], n) == 0 &&
            gethostname(host, sizeof host - 1) == 0) {
            snprintf(text, sizeof text, "tcp://%s:%s", host, endpoint + n);
            endpoint = text;
        }
    }
    dfopt_member_text(p, name, endpoint);
}

/* The stream's own endpoint, or the one shared by all applications. */
static void put_stream(struct dfopt_put *p, const struct dfopt_live *l,
                       const char *name, enum dfopt_zmq_stream stream)
{
    const char *own = dfopt_zmq_source_endpoint(l->source, stream);
    put_endpoint(
        p, name,
        own ? own : dfopt_zmq_source_endpoint(l->source, DFOPT_ZMQ_APPLICATIONS));
}

static enum dfopt_err make_text(const struct dfopt_live *l,
                                const struct dfopt_live_options *o,
                                struct dfopt_buf *out, struct dfopt_error *err)
{
    char key[DFOPT_ZMQ_KEY_TEXT + 1] = "";
    enum dfopt_err e = DFOPT_OK;
    if (o->use_curve)
        e = dfopt_zmq_server_key_text(&o->curve, key, err);
    if (e)
        return e;
    struct dfopt_put p = dfopt_put_start(out, NULL);
    dfopt_put_raw(&p, "{");
    if (o->bind)
        put_endpoint(&p, "findings",
                     dfopt_zmq_source_endpoint(l->source, DFOPT_ZMQ_FINDINGS));
    if (l->plans) {
        put_endpoint(&p, "plans", dfopt_zmq_sink_endpoint(l->plans));
        dfopt_member_text(&p, "plans_pattern", o->plans_pub ? "pub" : "push");
    }
    put_stream(&p, l, "registry", DFOPT_ZMQ_REGISTRATIONS);
    put_stream(&p, l, "acks", DFOPT_ZMQ_ACKS);
    put_stream(&p, l, "objectives", DFOPT_ZMQ_OBJECTIVES);
    if (*key)
        dfopt_member_text(&p, "curve_server_key", key);
    dfopt_put_raw(&p, "}\n");
    e = dfopt_put_end(&p);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return true;
}

static enum dfopt_err failed(const char *path, struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "--endpoints-file %s: %s", path,
                           strerror(errno));
}

/* Whether a file holds what put_stream and its like write, perhaps of a service
 * that was killed, or nothing. */
static bool is_endpoints(const char *path)
{
    static const char *const starts[] = {
        "{}",         "{\"findings\":",   "{\"plans\":",           "{\"registry\":",
        "{\"acks\":", "{\"objectives\":", "{\"curve_server_key\":"};
    char text[32];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    bool ours = n == 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; i < sizeof starts / sizeof *starts && !ours; i++)
        ours = strncmp(text, starts[i], strlen(starts[i])) == 0;
    return ours;
}

enum dfopt_err dfopt_endpoints_check(const char *path, struct dfopt_error *err)
{
    struct stat st;
    if (!path || stat(path, &st) != 0)
        return DFOPT_OK;
    if (!S_ISREG(st.st_mode) || !is_endpoints(path))
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "--endpoints-file %s: exists, but holds no "
                               "endpoints; not replaced",
                               path);
    return dfopt_file_is_free(path, err);
}

/* mkstemp sets mode 0600. Returns the file, which stays open and locked. */
static enum dfopt_err put_in_place(const char *path, const struct dfopt_buf *text,
                                   int *out, struct dfopt_error *err)
{
    struct dfopt_buf name = {0};
    if (dfopt_buf_printf(&name, "%s.XXXXXX", path))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    const int fd = mkstemp(name.data);
    if (fd >= 0 && write_all(fd, text->data, text->len) &&
        !dfopt_file_lock(fd, path, NULL) && rename(name.data, path) == 0) {
        *out = fd;
        dfopt_buf_free(&name);
        return DFOPT_OK;
    }
    const enum dfopt_err e = failed(path, err);
    if (fd >= 0) {
        close(fd);
        unlink(name.data);
    }
    dfopt_buf_free(&name);
    return e;
}

enum dfopt_err dfopt_endpoints_write(const struct dfopt_live *l,
                                     const struct dfopt_options *o, int *fd,
                                     struct dfopt_error *err)
{
    struct dfopt_buf text = {0};
    char *path = dfopt_path_follow(o->live.endpoints_file);
    enum dfopt_err e = path
                           ? make_text(l, &o->live, &text, err)
                           : dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = put_in_place(path, &text, fd, err);
    dfopt_buf_free(&text);
    free(path);
    return e;
}

void dfopt_endpoints_remove(const char *path, int fd)
{
    char *real = fd < 0 ? NULL : dfopt_path_follow(path);
    if (real && dfopt_file_in_place(fd, real, NULL) == DFOPT_OK)
        unlink(real);
    free(real);
    if (fd >= 0)
        close(fd);
}
