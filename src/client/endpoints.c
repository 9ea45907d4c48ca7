/* The endpoints file that a service writes (dfopt-mpi --endpoints-file). */
#include "client/impl.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES 65536
#define DEPTH      4

/* O_NONBLOCK: do not block on a FIFO, which is then refused. */
static enum dfopt_err read_file(const char *path, char text[FILE_BYTES],
                                size_t *len, struct dfopt_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = -1;
    enum dfopt_err e = DFOPT_OK;
    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        e = dfopt_error_set(err, DFOPT_ERR_IO,
                            "endpoints_file %s: not a regular file", path);
    else if (fd < 0 || (n = read(fd, text, FILE_BYTES)) < 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "endpoints_file %s: %s", path,
                            strerror(errno));
    else if (n == FILE_BYTES)
        e = dfopt_error_set(err, DFOPT_ERR_LIMIT, "endpoints_file %s: too long",
                            path);
    if (fd >= 0)
        close(fd);
    *len = e ? 0 : (size_t)n;
    return e;
}

/* The application's own options take precedence. */
static enum dfopt_err take(struct json_object *j, const char *name, const char **to,
                           struct dfopt_error *err)
{
    struct dfopt_text text = {0};
    const enum dfopt_err e = dfopt_json_get_text(j, name, &text, err);
    if (!e && text.len > 0 && !*to)
        *to = text.at; /* json-c terminates it with NUL */
    return e;
}

static enum dfopt_err take_pattern(struct json_object *j,
                                   struct dfopt_client_options *o,
                                   struct dfopt_error *err)
{
    struct dfopt_text text = dfopt_text_z("push");
    const enum dfopt_err e = dfopt_json_get_text(j, "plans_pattern", &text, err);
    if (e)
        return e;
    if (!dfopt_text_is(text, "push") && !dfopt_text_is(text, "pub"))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "plans_pattern must be push or pub");
    o->plans_pattern =
        dfopt_text_is(text, "pub") ? DFOPT_CLIENT_SUB : DFOPT_CLIENT_PULL;
    return DFOPT_OK;
}

/* Another file of JSON would leave the application untuned, silently. A service
 * without endpoints writes an empty object. */
static enum dfopt_err check_members(struct json_object *j, struct dfopt_error *err)
{
    static const char *const names[] = {
        "plans",      "plans_pattern", "registry",         "acks",
        "objectives", "findings",      "curve_server_key",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_object_get_ex(j, names[i], NULL))
            return DFOPT_OK;
    return json_object_object_length(j) == 0
               ? DFOPT_OK
               : dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                 "holds no endpoints; give the file that dfopt-mpi "
                                 "--endpoints-file writes");
}

static enum dfopt_err take_all(struct json_object *j,
                               struct dfopt_client_options *o,
                               struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    e = check_members(j, err);
    if (!e && !o->plans_endpoint)
        e = take_pattern(j, o, err);
    if (!e)
        e = take(j, "plans", &o->plans_endpoint, err);
    if (!e)
        e = take(j, "registry", &o->registry_endpoint, err);
    if (!e)
        e = take(j, "acks", &o->acks_endpoint, err);
    if (!e)
        e = take(j, "objectives", &o->objectives_endpoint, err);
    if (!e)
        e = take(j, "findings", &o->findings_endpoint, err);
    return e ? e : take(j, "curve_server_key", &o->curve_server_key, err);
}

enum dfopt_err dfopt_client_endpoints(struct dfopt_client_options *o,
                                      struct json_object **owner,
                                      struct dfopt_error *err)
{
    char text[FILE_BYTES];
    size_t len;
    struct dfopt_json_parser *parser;
    struct json_object *j;
    if (o->transport && strcmp(o->transport, "zmq") != 0)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "option endpoints_file needs transport zmq");
    enum dfopt_err e = read_file(o->endpoints_file, text, &len, err);
    if (e)
        return e;
    if (dfopt_json_parser_create(&parser, FILE_BYTES, DEPTH))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    e = dfopt_json_parse(parser, text, len, &j, err);
    if (!e) {
        e = take_all(j, o, err);
        if (e)
            json_object_put(j);
        else
            *owner = j;
    }
    if (e)
        dfopt_error_prefix(err, "endpoints_file %s", o->endpoints_file);
    dfopt_json_parser_destroy(parser);
    return e;
}
