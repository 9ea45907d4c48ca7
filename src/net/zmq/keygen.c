/* Writes new CURVE keys to files. */
#include "net/zmq/keys.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define KEY_TEXT 41 /* including the NUL */

/* Creates the file, which must not exist; leaves none behind on failure. */
static enum dfopt_err write_new(const char *path, mode_t mode, const char *text,
                                size_t len, struct dfopt_error *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path, strerror(errno));
    int why = 0;
    const ssize_t n = write(fd, text, len);
    if (n != (ssize_t)len)
        why = n < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && !why && errno != EINTR)
        why = errno;
    if (!why)
        return DFOPT_OK;
    unlink(path);
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path, strerror(why));
}

static enum dfopt_err format_pair(struct dfopt_buf *b, const char *kind,
                                  const char *public_key, const char *secret)
{
    enum dfopt_err e =
        dfopt_buf_printf(b,
                         "# CURVE %s key of dfopt-mpi\n"
                         "metadata\ncurve\n    public-key = \"%s\"\n",
                         kind, public_key);
    if (!e && secret)
        e = dfopt_buf_printf(b, "    secret-key = \"%s\"\n", secret);
    return e;
}

enum dfopt_err dfopt_zmq_keygen(const char *base, struct dfopt_error *err)
{
    char public_key[KEY_TEXT], secret[KEY_TEXT];
    struct dfopt_buf path = {0}, secret_path = {0}, text = {0}, secret_text = {0};
    enum dfopt_err e = DFOPT_ERR_STATE;
    if (zmq_curve_keypair(public_key, secret) != 0)
        return dfopt_error_set(
            err, e, "%s: cannot create keys: libzmq is built without CURVE", base);
    if (dfopt_buf_printf(&path, "%s.key", base) ||
        dfopt_buf_printf(&secret_path, "%s.key_secret", base) ||
        dfopt_buf_reserve(&secret_text, 512) || /* so that growing leaves no copy */
        format_pair(&text, "public", public_key, NULL) ||
        format_pair(&secret_text, "secret", public_key, secret)) {
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", base);
        goto done;
    }
    e = write_new(secret_path.data, 0600, secret_text.data, secret_text.len, err);
    if (!e) {
        e = write_new(path.data, 0644, text.data, text.len, err);
        if (e)
            unlink(secret_path.data);
    }
done:
    explicit_bzero(secret, sizeof secret);
    if (secret_text.data)
        explicit_bzero(secret_text.data, secret_text.cap);
    dfopt_buf_free(&path);
    dfopt_buf_free(&secret_path);
    dfopt_buf_free(&text);
    dfopt_buf_free(&secret_text);
    return e;
}
