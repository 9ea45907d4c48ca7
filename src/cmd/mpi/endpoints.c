#include "cmd/mpi/endpoints.h"

#include "json/write.h"

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

/* mkstemp sets mode 0600. */
static enum dfopt_err put_in_place(const char *path, const struct dfopt_buf *text,
                                   struct dfopt_error *err)
{
    struct dfopt_buf name = {0};
    if (dfopt_buf_printf(&name, "%s.XXXXXX", path))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = DFOPT_OK;
    const int fd = mkstemp(name.data);
    if (fd < 0) {
        e = failed(path, err);
    } else {
        const bool whole = write_all(fd, text->data, text->len);
        if ((close(fd) != 0 || !whole) || rename(name.data, path) != 0) {
            e = failed(path, err);
            unlink(name.data);
        }
    }
    dfopt_buf_free(&name);
    return e;
}

enum dfopt_err dfopt_endpoints_write(const struct dfopt_live *l,
                                     const struct dfopt_options *o,
                                     struct dfopt_error *err)
{
    struct dfopt_buf text = {0};
    enum dfopt_err e = make_text(l, &o->live, &text, err);
    if (!e)
        e = put_in_place(o->live.endpoints_file, &text, err);
    dfopt_buf_free(&text);
    return e;
}
