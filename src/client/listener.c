/* The listener thread: start, stop, and the loop between them. Each iteration waits
 * for work and does it. Nothing in the loop blocks except that wait, so a stop is
 * noticed at once. */
#include "base/clock.h"
#include "client/impl.h"
#include "json/json.h"

#include <signal.h>
#include <time.h>

#define PLANS_AT_A_TIME 64  /* before acks and a stop get their turn */
#define LEAST_LINGER_MS 50  /* to flush what the transport got last */
#define CLOSE_GRACE_MS  500 /* after that, a slow transport closes on its own */
#define NS_PER_MS       1000000

void dfopt_client_wake(dfopt_client *c)
{
    if (c->link)
        c->transport->wake(c->link);
}

/* ---- the loop ---- */

/* The state at the start of an iteration. */
struct round {
    bool stopping, acks, objectives, findings;
    int64_t deadline_ns;
    int64_t lease_ms;     /* left until the lease ends; negative: none runs */
    const char *function; /* whose registration is due; NULL: none */
    uint64_t connection;
};

static struct round look(dfopt_client *c)
{
    struct round r = {.connection = c->transport->connection(c->link)};
    pthread_mutex_lock(&c->lock);
    r.stopping = c->state == CLIENT_STOPPING;
    r.deadline_ns = c->stop_deadline_ns;
    r.acks = c->acks.n > 0;
    r.objectives = c->objectives.n > 0;
    r.findings = c->findings.n > 0;
    r.lease_ms = dfopt_client_lease_ms(c);
    for (size_t i = 0; r.connection && !r.function && i < c->n_functions; i++)
        if (c->functions[i].wanted && c->functions[i].sent_on != r.connection)
            r.function = c->functions[i].name;
    pthread_mutex_unlock(&c->lock);
    return r;
}

static int64_t left_ms(int64_t deadline_ns)
{
    int64_t left = deadline_ns - dfopt_clock_monotonic_ns();
    return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static void receive_plans(dfopt_client *c)
{
    struct dfopt_client_message m;
    for (int i = 0; i < PLANS_AT_A_TIME; i++) {
        enum dfopt_client_received what = c->transport->receive(c->link, &m);
        if (what == DFOPT_CLIENT_NOTHING)
            return;
        if (what == DFOPT_CLIENT_MESSAGE) {
            dfopt_client_take(c, &m);
            continue;
        }
        pthread_mutex_lock(&c->lock);
        c->stats.plans_received++;
        if (what == DFOPT_CLIENT_ELSEWHERE)
            c->stats.plans_other_node++;
        else
            c->stats.plans_malformed++;
        pthread_mutex_unlock(&c->lock);
        if (what == DFOPT_CLIENT_MISSHAPEN)
            dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                             "plan dropped: wrong number of message parts; is the "
                             "sender a dfopt-mpi?");
    }
}

static void mark(dfopt_client *c, const char *function, uint64_t sent_on)
{
    for (size_t i = 0; i < c->n_functions; i++)
        if (c->functions[i].name == function)
            c->functions[i].sent_on = sent_on;
}

static enum dfopt_err send_buffers(dfopt_client *c, enum dfopt_client_stream stream,
                                   const struct dfopt_buf *meta,
                                   const struct dfopt_buf *body)
{
    const struct dfopt_client_message m = {meta->data, body->data, meta->len,
                                           body->len};
    return c->transport->send(c->link, stream, &m);
}

/* Marks the registration as sent while building it, so that a later change makes it
 * due again. If sending fails, the mark is cleared. */
static void send_registration(dfopt_client *c, const struct round *r)
{
    struct dfopt_buf meta = {0}, body = {0};
    pthread_mutex_lock(&c->lock);
    dfopt_client_note_registered(c, r->function);
    enum dfopt_err e = dfopt_client_registration_json(c, r->function, &meta, &body);
    mark(c, r->function, r->connection);
    pthread_mutex_unlock(&c->lock);
    if (!e)
        e = send_buffers(c, DFOPT_CLIENT_REGISTRATIONS, &meta, &body);
    pthread_mutex_lock(&c->lock);
    if (e)
        mark(c, r->function, 0);
    else
        c->stats.registrations_sent++;
    pthread_mutex_unlock(&c->lock);
    if (!e)
        dfopt_client_say(c, DFOPT_CLIENT_INFO,
                         "knobs of function '%.80s' registered", r->function);
    dfopt_buf_free(&meta);
    dfopt_buf_free(&body);
}

/* Finds a function registered on the current connection and clears that mark; NULL:
 * none is left. */
static const char *forget_one(dfopt_client *c)
{
    const uint64_t connection = c->transport->connection(c->link);
    const char *function = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; connection && !function && i < c->n_functions; i++)
        if (c->functions[i].sent_on == connection) {
            c->functions[i].sent_on = 0;
            function = c->functions[i].name;
        }
    pthread_mutex_unlock(&c->lock);
    return function;
}

static bool send_unregistration(dfopt_client *c, const char *function)
{
    struct dfopt_buf meta = {0}, body = {0};
    enum dfopt_err e = dfopt_client_unregistration_json(c, function, &meta, &body);
    while (!e && send_buffers(c, DFOPT_CLIENT_REGISTRATIONS, &meta, &body)) {
        const int64_t left = left_ms(c->stop_deadline_ns);
        if (left == 0) {
            e = DFOPT_ERR_LIMIT;
        } else if (c->transport->wait(c->link, DFOPT_CLIENT_REGISTRATION_OUT,
                                      left) &
                   DFOPT_CLIENT_PLAN_IN) {
            receive_plans(c);
        }
    }
    dfopt_buf_free(&meta);
    dfopt_buf_free(&body);
    return !e;
}

/* The last messages: unregisters this client. */
static void unregister_all(dfopt_client *c)
{
    const char *function;
    while ((function = forget_one(c)) != NULL && send_unregistration(c, function))
        continue;
}

/* Skipped if the optimizer is not connected. */
static void send_end(dfopt_client *c)
{
    const struct dfopt_client_message end = {"{\"name\":\"end\"}", "{}", 14, 2};
    if (!c->options.findings_end || !c->options.findings_endpoint)
        return;
    while (c->transport->send(c->link, DFOPT_CLIENT_FINDINGS, &end)) {
        const int64_t left = left_ms(c->stop_deadline_ns);
        if (left == 0 || !c->transport->connection(c->link))
            return;
        if (c->transport->wait(c->link, DFOPT_CLIENT_FINDING_OUT, left) &
            DFOPT_CLIENT_PLAN_IN)
            receive_plans(c);
    }
}

/* Reports a connection made or lost since `before`. */
static void note_connection(dfopt_client *c, uint64_t before)
{
    const struct dfopt_client_options *o = &c->options;
    uint64_t now = c->transport->connection(c->link);
    if (now == before)
        return;
    pthread_mutex_lock(&c->lock);
    c->connection = now;
    if (now)
        c->stats.connections = now;
    dfopt_client_note_lease(c, now);
    pthread_mutex_unlock(&c->lock);
    dfopt_client_say(c, DFOPT_CLIENT_INFO, "optimizer at %.120s: %s",
                     o->registry_endpoint ? o->registry_endpoint
                     : o->group_file      ? o->group_file
                                          : o->transport,
                     now ? "connected" : "gone");
}

static bool has_more(const struct round *r)
{
    return r->acks || r->objectives || r->findings;
}

static void note_unanswered(dfopt_client *c)
{
    const char *endpoint;
    while ((endpoint = c->transport->unanswered(c->link)) != NULL)
        dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                         "no answer from %.160s for 5 s; check that the optimizer "
                         "runs there and that the name resolves; still trying",
                         endpoint);
}

static bool one_round(dfopt_client *c)
{
    struct round r = look(c);
    unsigned want = (r.function ? DFOPT_CLIENT_REGISTRATION_OUT : 0u) |
                    (r.acks ? DFOPT_CLIENT_ACK_OUT : 0u) |
                    (r.objectives ? DFOPT_CLIENT_OBJECTIVE_OUT : 0u) |
                    (r.findings ? DFOPT_CLIENT_FINDING_OUT : 0u);
    int64_t timeout_ms = !r.stopping    ? r.lease_ms
                         : has_more(&r) ? left_ms(r.deadline_ns)
                                        : 0;
    unsigned ready = c->transport->wait(c->link, want, timeout_ms);
    note_connection(c, r.connection);
    note_unanswered(c);
    if (!r.stopping)
        dfopt_client_look_at_lease(c);
    if (ready & DFOPT_CLIENT_PLAN_IN)
        receive_plans(c);
    if (ready & DFOPT_CLIENT_REGISTRATION_OUT &&
        r.connection == c->transport->connection(c->link))
        send_registration(c, &r);
    if (ready & DFOPT_CLIENT_ACK_OUT)
        dfopt_client_queue_send(c, &c->acks, DFOPT_CLIENT_ACKS);
    if (ready & DFOPT_CLIENT_OBJECTIVE_OUT)
        dfopt_client_queue_send(c, &c->objectives, DFOPT_CLIENT_OBJECTIVES);
    if (ready & DFOPT_CLIENT_FINDING_OUT)
        dfopt_client_queue_send(c, &c->findings, DFOPT_CLIENT_FINDINGS);
    if (!r.stopping)
        return true;
    const struct round then = look(c);
    return has_more(&r) && has_more(&then) && left_ms(r.deadline_ns) > 0;
}

/* The thread: arg is the client. */
static void *listener(void *arg)
{
    dfopt_client *c = arg;
    const struct dfopt_client_transport *transport = c->transport;
    while (one_round(c))
        continue;
    unregister_all(c);
    send_end(c);
    pthread_mutex_lock(&c->lock);
    void *link = c->link;
    int64_t linger_ms = left_ms(c->stop_deadline_ns);
    c->link = NULL;
    c->loop_done = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    transport->close(
        link, (int)(linger_ms > LEAST_LINGER_MS ? linger_ms : LEAST_LINGER_MS));
    return NULL; /* c may have been freed if closing took long */
}

/* ---- start and stop ---- */

static bool has_endpoint(const struct dfopt_client_options *o)
{
    return o->plans_endpoint || o->registry_endpoint || o->acks_endpoint ||
           o->objectives_endpoint || o->findings_endpoint;
}

/* Opens the transport and starts the thread; both block the application's signals.
 * The caller holds the lock. */
static enum dfopt_err launch(dfopt_client *c, struct dfopt_error *err)
{
    sigset_t all, before;
    enum dfopt_err e = dfopt_client_parser_create(c, &c->parser, err);
    if (e)
        return e;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = c->transport->open(&c->link, &c->options, c->instance, err);
    if (!e && pthread_create(&c->thread, NULL, listener, c) != 0) {
        c->transport->close(c->link, 0);
        c->link = NULL;
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM,
                            "cannot start the listener thread");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        dfopt_json_parser_destroy(c->parser);
        c->parser = NULL;
    }
    return e;
}

enum dfopt_err dfopt_client_start(dfopt_client *c, struct dfopt_error *err)
{
    if (!dfopt_client_usable(c))
        return dfopt_client_unusable(err);
    pthread_mutex_lock(&c->lock);
    enum dfopt_err e = DFOPT_OK;
    if (c->state != CLIENT_IDLE)
        e = dfopt_error_set(err, DFOPT_ERR_STATE, "the client is already running");
    for (size_t i = 0; !e && i < c->n_knobs; i++)
        c->knobs[i]->agreed = false;
    for (size_t i = 0; !e && i < c->n_functions; i++)
        c->functions[i] = (struct client_function){
            .name = c->functions[i].name,
            .wanted = c->functions[i].wanted || !c->options.lazy_registration,
        };
    if (!e && has_endpoint(&c->options)) {
        c->loop_done = false;
        c->connection = 0;
        c->lease_ends_ns = 0;
        c->lost = false;
        e = launch(c, err);
    }
    if (!e)
        c->state = CLIENT_RUNNING;
    pthread_mutex_unlock(&c->lock);
    return e;
}

/* Waits for the thread to close the transport, but not forever: libzmq can hang on
 * a host name that does not resolve. The thread then finishes by itself. */
static void join(pthread_t thread, int timeout_ms)
{
    const int64_t until_ns =
        dfopt_clock_monotonic_ns() +
        ((int64_t)timeout_ms + LEAST_LINGER_MS + CLOSE_GRACE_MS) * NS_PER_MS;
    /* ThreadSanitizer of GCC 12 does not know pthread_clockjoin_np */
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        if (dfopt_clock_monotonic_ns() >= until_ns) {
            pthread_detach(thread);
            return;
        }
        nanosleep(&(struct timespec){0, NS_PER_MS}, NULL);
    }
}

enum dfopt_err dfopt_client_stop(dfopt_client *c, int timeout_ms)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    timeout_ms = timeout_ms > 0 ? timeout_ms : 0;
    pthread_mutex_lock(&c->lock);
    while (c->state == CLIENT_STOPPING) /* another thread is stopping it */
        pthread_cond_wait(&c->changed, &c->lock);
    if (c->state == CLIENT_IDLE) {
        pthread_mutex_unlock(&c->lock);
        return DFOPT_OK;
    }
    bool threaded = has_endpoint(&c->options);
    c->state = CLIENT_STOPPING;
    pthread_cond_broadcast(&c->arrived);
    c->stop_deadline_ns =
        dfopt_clock_monotonic_ns() + (int64_t)timeout_ms * NS_PER_MS;
    dfopt_client_wake(c);
    while (threaded && !c->loop_done)
        pthread_cond_wait(&c->changed, &c->lock);
    size_t left = dfopt_client_queue_clear(&c->acks);
    left += dfopt_client_queue_clear(&c->objectives);
    left += dfopt_client_queue_clear(&c->findings);
    dfopt_client_ask_no_more(c);
    dfopt_json_parser_destroy(c->parser);
    c->parser = NULL;
    pthread_t thread = c->thread;
    pthread_mutex_unlock(&c->lock);
    if (threaded)
        join(thread, timeout_ms);
    pthread_mutex_lock(&c->lock);
    c->state = CLIENT_IDLE;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return left ? DFOPT_ERR_LIMIT : DFOPT_OK;
}
