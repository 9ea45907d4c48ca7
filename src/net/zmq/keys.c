/* CURVE keys. A key text never appears in a message, not even an invalid one:
 * it may be a mistyped secret key. */
#include "net/zmq/keys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define FILE_BYTES 4096 /* a key file is about 400 bytes */

static const char public_name[] = "public-key";
static const char secret_name[] = "secret-key";

static bool decode(const char *text, size_t len, struct dfopt_zmq_key *out)
{
    char z[DFOPT_ZMQ_KEY_TEXT + 1];
    if (len != DFOPT_ZMQ_KEY_TEXT || memchr(text, 0, len))
        return false;
    memcpy(z, text, len);
    z[len] = '\0';
    const bool ok = zmq_z85_decode(out->bytes, z) != NULL;
    explicit_bzero(z, sizeof z);
    return ok;
}

/* The key in a line `name = "key"`. */
static bool key_on_line(const char *line, const char *name,
                        struct dfopt_zmq_key *out)
{
    line += strspn(line, " \t");
    if (strncmp(line, name, strlen(name)) != 0)
        return false;
    line += strlen(name);
    line += strspn(line, " \t");
    if (*line++ != '=')
        return false;
    line += strspn(line, " \t");
    const char quote = *line++;
    const char *end = quote == '"' || quote == '\'' ? strchr(line, quote) : NULL;
    return end && decode(line, (size_t)(end - line), out);
}

/* text is NUL-terminated. */
static bool find_key(const char *text, const char *name, struct dfopt_zmq_key *out)
{
    const char *bare = text + strspn(text, " \t\r\n");
    size_t len = strlen(bare);
    while (len > 0 && isspace((unsigned char)bare[len - 1]))
        len--;
    if (decode(bare, len, out))
        return true;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (key_on_line(line, name, out))
            return true;
    }
    return false;
}

/* O_NONBLOCK: a FIFO must not block us; it is then rejected. */
static enum dfopt_err read_file(const char *path, bool secret, char *text,
                                struct dfopt_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: %s", path, strerror(errno));
    enum dfopt_err e = DFOPT_OK;
    ssize_t n = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        e = dfopt_error_set(err, DFOPT_ERR_ARG, "%s: not a regular file", path);
    else if (secret && (st.st_mode & 077) != 0)
        e = dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "%s: secret key is accessible to others (mode %04o); chmod 600 it",
            path, (unsigned)st.st_mode & 07777);
    else if ((n = read(fd, text, FILE_BYTES - 1)) < 0)
        e = dfopt_error_set(err, DFOPT_ERR_ARG, "%s: %s", path, strerror(errno));
    close(fd);
    if (!e)
        text[n] = '\0';
    return e;
}

static enum dfopt_err read_key(struct dfopt_zmq_key *out, const char *path,
                               const char *name, struct dfopt_error *err)
{
    char text[FILE_BYTES];
    enum dfopt_err e = read_file(path, name == secret_name, text, err);
    if (!e && !find_key(text, name, out))
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "%s: has no %s of 40 Z85 characters", path, name);
    explicit_bzero(text, sizeof text);
    return e;
}

enum dfopt_err dfopt_zmq_key_read_public(struct dfopt_zmq_key *out,
                                         const char *path, struct dfopt_error *err)
{
    return read_key(out, path, public_name, err);
}

/* Tries a file first: "/" and "." are Z85 characters, too. `what` is for the
 * message. */
static enum dfopt_err load(struct dfopt_zmq_key *out, const char *text,
                           const char *name, const char *what,
                           struct dfopt_error *err)
{
    if (!text || text[0] == '\0')
        return dfopt_error_set(err, DFOPT_ERR_ARG, "needs the %s", what);
    if (access(text, F_OK) == 0)
        return read_key(out, text, name, err);
    if (decode(text, strlen(text), out))
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_ARG,
                           "the %s must be a file or a key of 40 Z85 characters",
                           what);
}

static enum dfopt_err load_server(struct dfopt_zmq_keys *out,
                                  const struct dfopt_zmq_curve *curve,
                                  struct dfopt_error *err)
{
    out->server = true;
    out->check_clients = !curve->allow_any_client;
    if (out->check_clients && !curve->allowed_clients)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "needs the directory of allowed client keys");
    return load(&out->secret, curve->server_secret, secret_name,
                "server's secret key", err);
}

/* Derives the public key from a secret one. */
static bool make_public(const struct dfopt_zmq_key *secret,
                        struct dfopt_zmq_key *out)
{
    char s[DFOPT_ZMQ_KEY_TEXT + 1], p[DFOPT_ZMQ_KEY_TEXT + 1];
    const bool ok = zmq_z85_encode(s, secret->bytes, sizeof secret->bytes) &&
                    zmq_curve_public(p, s) == 0 && zmq_z85_decode(out->bytes, p);
    explicit_bzero(s, sizeof s);
    return ok;
}

static enum dfopt_err load_client(struct dfopt_zmq_keys *out,
                                  const struct dfopt_zmq_curve *curve,
                                  struct dfopt_error *err)
{
    struct dfopt_zmq_key made;
    enum dfopt_err e = load(&out->secret, curve->client_secret, secret_name,
                            "client's secret key", err);
    if (!e)
        e = load(&out->peer, curve->server_public, public_name,
                 "public key of the server that it connects to", err);
    if (e)
        return e;
    if (!make_public(&out->secret, &made))
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "the client's secret key is unusable");
    out->public = made;
    if (!curve->client_public)
        return DFOPT_OK;
    e = load(&out->public, curve->client_public, public_name, "client's public key",
             err);
    if (!e && memcmp(&made, &out->public, sizeof made) != 0)
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "the client's public and secret key are not a pair");
    return e;
}

enum dfopt_err dfopt_zmq_server_key_text(const struct dfopt_zmq_curve *curve,
                                         char text[DFOPT_ZMQ_KEY_TEXT + 1],
                                         struct dfopt_error *err)
{
    struct dfopt_zmq_key secret, public;
    enum dfopt_err e = load(&secret, curve->server_secret, secret_name,
                            "server's secret key", err);
    if (!e && (!make_public(&secret, &public) ||
               !zmq_z85_encode(text, public.bytes, sizeof public.bytes)))
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "the server's secret key is unusable");
    explicit_bzero(&secret, sizeof secret);
    return e;
}

enum dfopt_err dfopt_zmq_keys_load(struct dfopt_zmq_keys *out,
                                   const struct dfopt_zmq_curve *curve, bool server,
                                   const char *endpoint, struct dfopt_error *err)
{
    struct dfopt_zmq_keys keys = {.on = curve != NULL};
    enum dfopt_err e = DFOPT_OK;
    if (curve && !zmq_has("curve"))
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "this libzmq is built without CURVE");
    else if (curve)
        e = server ? load_server(&keys, curve, err)
                   : load_client(&keys, curve, err);
    if (!e)
        *out = keys;
    else
        dfopt_error_prefix(err, "%s: CURVE", endpoint);
    explicit_bzero(&keys, sizeof keys);
    return e;
}
