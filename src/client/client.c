/* Creates and destroys a client; helpers that its other parts share. */
#include "client/impl.h"
#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_PENDING_ACKS       ((size_t)1024)
#define DEFAULT_PENDING_OBJECTIVES ((size_t)1024)
#define DEFAULT_PENDING_FINDINGS   ((size_t)64)
#define DEFAULT_QUEUED_PLANS       ((size_t)1000)
#define DEFAULT_MESSAGE_BYTES      ((size_t)1 << 20)
#define MAX_MESSAGE_BYTES          ((size_t)1 << 30)
#define MAX_QUEUED_PLANS           ((size_t)1 << 24)
#define DEFAULT_LEASE_MS           30000
#define LOG_TEXT_SIZE              512
/* libzmq 4.3.4 mistakes the length of longer topics, up to 255 bytes, and loses the
 * connection; a host's name has at most 253. */
#define HOSTNAME_BYTES 245

const char *dfopt_client_version(void)
{
    return DFOPT_VERSION;
}

bool dfopt_client_usable(const dfopt_client *c)
{
    return c && c->pid == getpid();
}

enum dfopt_err dfopt_client_unusable(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_STATE,
                           "no client, or it belongs to the parent process: create "
                           "one in this process");
}

const char *dfopt_client_function_name(const dfopt_client *c, const char *function)
{
    return function ? function : c->options.function;
}

struct client_knob *dfopt_client_find(const dfopt_client *c, const char *function,
                                      const char *id)
{
    struct client_knob *by_id = NULL;
    for (size_t i = 0; i < c->n_knobs; i++) {
        struct client_knob *k = c->knobs[i];
        if (strcmp(k->id, id) != 0)
            continue;
        if (strcmp(k->function, function) == 0)
            return k;
        if (!by_id)
            by_id = k;
    }
    return *function ? NULL : by_id;
}

void dfopt_client_say(const dfopt_client *c, enum dfopt_client_level level,
                      const char *format, ...)
{
    if (!c->options.log)
        return;
    char text[LOG_TEXT_SIZE];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    c->options.log(c->options.log_arg, level, text);
}

/* ---- options ---- */

static enum dfopt_err check_keys(const struct dfopt_client_options *o,
                                 struct dfopt_error *err)
{
    const char *wrong = NULL;
    if (o->curve_server_key && !o->curve_secret_key)
        wrong = "option curve_secret_key is missing";
    else if (!o->curve_server_key && (o->curve_secret_key || o->curve_public_key))
        wrong = "option curve_server_key is missing";
    else if (o->curve_server_key && o->plans_bind)
        wrong = "option plans_bind cannot be combined with CURVE keys";
    return wrong ? dfopt_error_set(err, DFOPT_ERR_ARG, "%s", wrong) : DFOPT_OK;
}

static enum dfopt_err check_options(const struct dfopt_client_options *o,
                                    struct dfopt_error *err)
{
    const char *wrong = NULL;
    if (!o->app_namespace || !*o->app_namespace)
        wrong = "app_namespace";
    else if (o->function && strlen(o->function) >= DFOPT_CLIENT_TEXT_SIZE)
        wrong = "function";
    else if (o->hostname && (!*o->hostname || strlen(o->hostname) > HOSTNAME_BYTES))
        wrong = "hostname";
    else if (o->plans_pattern != DFOPT_CLIENT_PULL &&
             o->plans_pattern != DFOPT_CLIENT_SUB)
        wrong = "plans_pattern";
    else if ((unsigned)o->reports > DFOPT_CLIENT_REPORTS_NONE)
        wrong = "reports";
    else if (o->max_message_bytes > MAX_MESSAGE_BYTES)
        wrong = "max_message_bytes";
    else if (o->max_queued_plans > MAX_QUEUED_PLANS)
        wrong = "max_queued_plans";
    else if (o->lease_ms < 0)
        wrong = "lease_ms";
    if (wrong)
        return dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "option %s is missing or out of range; see struct dfopt_client_options",
            wrong);
    return check_keys(o, err);
}

/* Every text member of the options. The client owns a copy of each. */
/* clang-format off */
#define OPTION_TEXTS(X) \
    X(app_namespace) X(function) X(hostname) X(transport) X(plans_endpoint) \
    X(registry_endpoint) X(acks_endpoint) X(curve_server_key) \
    X(curve_public_key) X(curve_secret_key) X(group_file) X(consumer_name) \
    X(global_group_file) X(global_registry_topic) X(global_acks_topic) \
    X(objectives_endpoint) X(global_objectives_topic) X(findings_endpoint) \
    X(endpoints_file)
/* clang-format on */

static bool copy_options(struct dfopt_client_options *own,
                         const struct dfopt_client_options *from,
                         const char *hostname)
{
    struct dfopt_client_options o = *from;
    o.function = o.function ? o.function : "";
    o.hostname = hostname;
    o.transport = o.transport ? o.transport : "zmq";
    *own = o;
    own->max_pending_acks =
        o.max_pending_acks ? o.max_pending_acks : DEFAULT_PENDING_ACKS;
    own->max_pending_objectives = o.max_pending_objectives
                                      ? o.max_pending_objectives
                                      : DEFAULT_PENDING_OBJECTIVES;
    own->max_pending_findings =
        o.max_pending_findings ? o.max_pending_findings : DEFAULT_PENDING_FINDINGS;
    own->max_queued_plans =
        o.max_queued_plans ? o.max_queued_plans : DEFAULT_QUEUED_PLANS;
    own->max_message_bytes =
        o.max_message_bytes ? o.max_message_bytes : DEFAULT_MESSAGE_BYTES;
    own->lease_ms = o.lease_ms ? o.lease_ms : DEFAULT_LEASE_MS;
    bool ok = true;
#define COPY(name)                                                                 \
    own->name = o.name ? strdup(o.name) : NULL;                                    \
    ok = ok && (own->name || !o.name);
    OPTION_TEXTS(COPY)
#undef COPY
    return ok;
}

static void free_options(struct dfopt_client_options *o)
{
    if (o->curve_secret_key)
        explicit_bzero((char *)o->curve_secret_key, strlen(o->curve_secret_key));
#define FREE(name) free((char *)o->name);
    OPTION_TEXTS(FREE)
#undef FREE
}

/* ---- create and destroy ---- */

/* *options includes the values of the endpoints file. */
static enum dfopt_err create(dfopt_client **out,
                             const struct dfopt_client_options *options,
                             struct dfopt_error *err)
{
    const struct dfopt_client_transport *transport;
    char hostname[256] = "";
    enum dfopt_err e = check_options(options, err);
    if (!e)
        e = dfopt_client_transport_find(
            options->transport ? options->transport : "zmq", &transport, err);
    if (e)
        return e;
    if (!options->hostname && gethostname(hostname, sizeof hostname - 1) != 0)
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "the host name is empty; set option hostname");
    dfopt_client *c = calloc(1, sizeof *c);
    if (!c || !copy_options(&c->options, options,
                            options->hostname ? options->hostname : hostname)) {
        if (c)
            free_options(&c->options);
        free(c);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    c->pid = getpid();
    if (strchr(c->options.hostname, ':'))
        dfopt_client_say(
            c, DFOPT_CLIENT_WARNING,
            "hostname %.100s: a finding cannot name a node with a colon, "
            "so no plan for it can come",
            c->options.hostname);
    dfopt_client_instance(c->instance, c->options.hostname);
    c->transport = transport;
    dfopt_client_queue_init(&c->acks, c->options.max_pending_acks);
    dfopt_client_queue_init(&c->objectives, c->options.max_pending_objectives);
    dfopt_client_queue_init(&c->findings, c->options.max_pending_findings);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = c;
    return DFOPT_OK;
}

enum dfopt_err dfopt_client_create(dfopt_client **out,
                                   const struct dfopt_client_options *options,
                                   struct dfopt_error *err)
{
    struct json_object *owner = NULL;
    if (!out || !options)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "argument out or options is NULL");
    struct dfopt_client_options whole = *options;
    enum dfopt_err e = DFOPT_OK;
    if (options->endpoints_file)
        e = dfopt_client_endpoints(&whole, &owner, err);
    if (!e)
        e = create(out, &whole, err);
    json_object_put(owner);
    return e;
}

void dfopt_client_destroy(dfopt_client *c)
{
    if (!dfopt_client_usable(c))
        return; /* forked child: the copy may be inconsistent, so leave it */
    dfopt_client_stop(c, 0);
    for (size_t i = 0; i < c->n_knobs; i++)
        dfopt_client_knob_destroy(c->knobs[i]);
    free(c->knobs);
    free(c->functions);
    dfopt_client_queue_clear(&c->acks);
    dfopt_client_queue_clear(&c->objectives);
    dfopt_client_queue_clear(&c->findings);
    pthread_cond_destroy(&c->changed);
    pthread_cond_destroy(&c->arrived);
    pthread_mutex_destroy(&c->lock);
    free_options(&c->options);
    free(c);
}
