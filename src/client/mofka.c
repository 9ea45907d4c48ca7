/* The transport over Mofka: reads plans from a topic, writes registrations and acks
 * to topics, and copies those to topics of a global optimizer. It shares the code
 * of the service that talks to Mofka's client (net/mofka); the client itself is
 * loaded on demand, so the library does not depend on it.
 *
 * Connecting may take long, so a thread retries until it succeeds, then hands over
 * to the listener. A broker that dies does not return under the same group file:
 * the transport then stays disconnected. */
#include "base/clock.h"
#include "client/transport.h"
#include "net/mofka/inbox.h"
#include "net/mofka/outbox.h"
#include "net/mofka/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BROKER_TIMEOUT_MS 10000
#define AGAIN_MS          1000       /* between attempts to connect */
#define WAIT_MS           1000       /* between checks of the brokers' health */
#define QUIET_NS          5000000000 /* before reporting that no broker answers */
#define CLOSE_MS          500        /* for the connecting thread to finish */
#define MAX_PENDING       1000       /* messages in flight to a broker */
#define STREAMS           4          /* enum dfopt_client_stream */

/* A stream's destination: a topic, and optionally one of the global optimizer. */
struct way {
    const char *topic, *global_topic;
    struct dfopt_mofka_outbox *outbox, *global;
};

struct mofka_link {
    char *texts; /* storage of the texts below, one after the other */
    const char *group_file, *global_group_file, *plans, *consumer;
    struct way ways[STREAMS];
    size_t event_bytes;
    size_t where; /* one partition for all messages of this process */
    struct dfopt_mofka_link *link;
    struct dfopt_mofka_inbox *inbox; /* NULL: plans are not wanted */
    struct dfopt_mofka_event *next, *current;
    pthread_t connector;
    pthread_mutex_t lock; /* guards the three below */
    pthread_cond_t changed;
    bool closing, connected, woken;
    bool gone; /* the connection was lost; listener only */
    bool told; /* reported that no broker answers */
    int64_t opened_ns;
};

/* ---- connecting ---- */

static enum dfopt_err open_plans(struct mofka_link *l, struct dfopt_error *err)
{
    const struct dfopt_mofka_subscription plans = {.group_file = l->group_file,
                                                   .topic = l->plans,
                                                   .consumer = l->consumer,
                                                   .event_bytes = l->event_bytes};
    if (!l->plans || l->inbox)
        return DFOPT_OK;
    struct dfopt_mofka_inbox *in = NULL;
    enum dfopt_err e = dfopt_mofka_inbox_create(&in, l->link, err);
    if (!e)
        e = dfopt_mofka_inbox_add(in, &plans, err);
    if (!e)
        e = dfopt_mofka_inbox_start(in, err);
    if (!e)
        l->inbox = in;
    else
        (void)dfopt_mofka_inbox_destroy(in);
    return e;
}

static enum dfopt_err open_way(struct mofka_link *l,
                               struct dfopt_mofka_outbox **out,
                               const char *group_file, const char *topic,
                               struct dfopt_error *err)
{
    return !group_file || !topic || *out
               ? DFOPT_OK
               : dfopt_mofka_outbox_create(out, l->link, group_file, topic, err);
}

/* A global optimizer that cannot be reached is ignored. */
static enum dfopt_err open_all(struct mofka_link *l, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < STREAMS && !e; i++)
        e = open_way(l, &l->ways[i].outbox, l->group_file, l->ways[i].topic, err);
    if (!e)
        e = open_plans(l, err);
    for (size_t i = 0; i < STREAMS && !e; i++)
        (void)open_way(l, &l->ways[i].global, l->global_group_file,
                       l->ways[i].global_topic, NULL);
    return e;
}

static void *connect_all(void *arg)
{
    struct mofka_link *l = arg;
    struct dfopt_error ignored;
    pthread_mutex_lock(&l->lock);
    while (!l->closing && !l->connected) {
        pthread_mutex_unlock(&l->lock);
        const enum dfopt_err e = open_all(l, &ignored);
        pthread_mutex_lock(&l->lock);
        l->connected = !e;
        if (e && !l->closing)
            dfopt_mofka_cond_wait(&l->changed, &l->lock,
                                  dfopt_mofka_in_ms(AGAIN_MS));
    }
    l->woken = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- open ---- */

static size_t place_of(const char *hostname)
{
    size_t h = (size_t)getpid();
    for (const char *c = hostname; *c; c++)
        h = h * 31 + (unsigned char)*c;
    return h;
}

/* Appends a copy of a text; NULL stays NULL. */
static const char *keep(char **end, const char *text)
{
    if (!text)
        return NULL;
    const size_t n = strlen(text) + 1;
    char *own = memcpy(*end, text, n);
    *end += n;
    return own;
}

static bool keep_texts(struct mofka_link *l, const struct dfopt_client_options *o,
                       const char *instance)
{
    char unique[512]; /* two of one name would share the plans */
    snprintf(unique, sizeof unique, "dfopt-client.%.100s.%s", o->app_namespace,
             instance);
    const char *const all[] = {o->group_file,
                               o->global_group_file,
                               o->plans_endpoint,
                               o->consumer_name ? o->consumer_name : unique,
                               o->registry_endpoint,
                               o->acks_endpoint,
                               o->global_registry_topic,
                               o->global_acks_topic,
                               o->objectives_endpoint,
                               o->global_objectives_topic,
                               o->findings_endpoint};
    size_t size = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        size += all[i] ? strlen(all[i]) + 1 : 0;
    char *end = l->texts = malloc(size);
    if (!end)
        return false;
    l->group_file = keep(&end, all[0]);
    l->global_group_file = keep(&end, all[1]);
    l->plans = keep(&end, all[2]);
    l->consumer = keep(&end, all[3]);
    struct way *registry = &l->ways[DFOPT_CLIENT_REGISTRATIONS];
    struct way *acks = &l->ways[DFOPT_CLIENT_ACKS];
    registry->topic = keep(&end, all[4]);
    acks->topic = keep(&end, all[5]);
    registry->global_topic = keep(&end, all[6]);
    acks->global_topic = keep(&end, all[7]);
    struct way *objectives = &l->ways[DFOPT_CLIENT_OBJECTIVES];
    objectives->topic = keep(&end, all[8]);
    objectives->global_topic = keep(&end, all[9]);
    l->ways[DFOPT_CLIENT_FINDINGS].topic = keep(&end, all[10]);
    if (l->global_group_file && strcmp(l->global_group_file, l->group_file) == 0)
        l->global_group_file = NULL;                   /* it gets them already */
    for (size_t i = 0; i < DFOPT_CLIENT_FINDINGS; i++) /* findings stay local */
        if (!l->ways[i].global_topic)
            l->ways[i].global_topic = l->ways[i].topic;
    return true;
}

static void free_link(struct mofka_link *l)
{
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l->texts);
    free(l);
}

static enum dfopt_err link_open(void **out, const struct dfopt_client_options *o,
                                const char *instance, struct dfopt_error *err)
{
    if (!o->group_file)
        return dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "option group_file is missing; transport mofka needs it");
    struct mofka_link *l = calloc(1, sizeof *l);
    if (!l)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    pthread_mutex_init(&l->lock, NULL);
    dfopt_mofka_cond_init(&l->changed);
    l->event_bytes = o->max_message_bytes;
    l->where = place_of(o->hostname);
    l->opened_ns = dfopt_clock_monotonic_ns();
    enum dfopt_err e = DFOPT_OK;
    if (!keep_texts(l, o, instance))
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = dfopt_mofka_link_create(&l->link, NULL, BROKER_TIMEOUT_MS, err);
    if (!e)
        e = dfopt_mofka_thread_start(&l->connector, connect_all, l, err);
    if (e) {
        dfopt_mofka_link_destroy(l->link);
        free_link(l);
        return e;
    }
    *out = l;
    return DFOPT_OK;
}

/* ---- running ---- */

/* Sleeps until woken or connected. */
static void sleep_on(struct mofka_link *l, int64_t timeout_ms)
{
    const int64_t until_ns =
        timeout_ms < 0 ? INT64_MAX / 2 : dfopt_mofka_in_ms(timeout_ms);
    bool in_time = true;
    pthread_mutex_lock(&l->lock);
    while (!l->woken && in_time)
        in_time = dfopt_mofka_cond_wait(&l->changed, &l->lock, until_ns);
    l->woken = false;
    pthread_mutex_unlock(&l->lock);
}

static bool is_connected(struct mofka_link *l)
{
    pthread_mutex_lock(&l->lock);
    const bool connected = l->connected;
    pthread_mutex_unlock(&l->lock);
    return connected && !l->gone;
}

static bool has_room(const struct mofka_link *l, enum dfopt_client_stream stream)
{
    const struct way *w = &l->ways[stream];
    return w->outbox && dfopt_mofka_outbox_pending(w->outbox) < MAX_PENDING;
}

static bool is_healthy(struct mofka_link *l)
{
    return dfopt_mofka_watch_health(dfopt_mofka_link_watch(l->link), NULL) ==
           DFOPT_OK;
}

static unsigned link_wait(void *t, unsigned want, int64_t timeout_ms)
{
    struct mofka_link *l = t;
    if (!is_connected(l)) {
        const bool until_told = !l->told && !l->gone;
        sleep_on(l, until_told && (timeout_ms < 0 || timeout_ms > WAIT_MS)
                        ? WAIT_MS
                        : timeout_ms);
        return 0;
    }
    unsigned ready = 0;
    if (want & DFOPT_CLIENT_REGISTRATION_OUT &&
        has_room(l, DFOPT_CLIENT_REGISTRATIONS))
        ready |= DFOPT_CLIENT_REGISTRATION_OUT;
    if (want & DFOPT_CLIENT_ACK_OUT && has_room(l, DFOPT_CLIENT_ACKS))
        ready |= DFOPT_CLIENT_ACK_OUT;
    if (want & DFOPT_CLIENT_OBJECTIVE_OUT && has_room(l, DFOPT_CLIENT_OBJECTIVES))
        ready |= DFOPT_CLIENT_OBJECTIVE_OUT;
    if (want & DFOPT_CLIENT_FINDING_OUT && has_room(l, DFOPT_CLIENT_FINDINGS))
        ready |= DFOPT_CLIENT_FINDING_OUT;
    const int64_t most_ms = ready                                    ? 0
                            : timeout_ms < 0 || timeout_ms > WAIT_MS ? WAIT_MS
                                                                     : timeout_ms;
    size_t topic;
    if (!l->inbox)
        sleep_on(l, most_ms);
    else if (!l->next)
        l->next = dfopt_mofka_inbox_take(l->inbox, (int)most_ms, &topic);
    if (l->next)
        ready |= DFOPT_CLIENT_PLAN_IN;
    else if (!ready && !is_healthy(l))
        l->gone = true;
    return ready;
}

static void put_away(struct mofka_link *l)
{
    if (l->current)
        dfopt_mofka_link_module(l->link)->event_free(l->current);
    l->current = NULL;
}

static enum dfopt_client_received link_receive(void *t,
                                               struct dfopt_client_message *out)
{
    struct mofka_link *l = t;
    size_t topic;
    put_away(l);
    if (!l->next && l->inbox)
        l->next = dfopt_mofka_inbox_take(l->inbox, 0, &topic);
    l->current = l->next;
    l->next = NULL;
    if (!l->current)
        return DFOPT_CLIENT_NOTHING;
    const struct dfopt_mofka_event *e = l->current;
    if (e->stop || e->len == 0 || e->full_len > e->len)
        return DFOPT_CLIENT_MISSHAPEN;
    *out = (struct dfopt_client_message){"{}", e->data, 2, e->len};
    return DFOPT_CLIENT_MESSAGE;
}

static enum dfopt_err link_send(void *t, enum dfopt_client_stream stream,
                                const struct dfopt_client_message *message)
{
    struct mofka_link *l = t;
    const struct dfopt_mofka_message m = {.metadata = message->meta,
                                          .metadata_len = message->meta_len,
                                          .body = message->body,
                                          .body_len = message->body_len,
                                          .where = l->where};
    if (!is_connected(l) || !has_room(l, stream))
        return DFOPT_ERR_STATE;
    const struct way *w = &l->ways[stream];
    if (dfopt_mofka_outbox_send(w->outbox, &m, NULL)) {
        l->gone = true;
        return DFOPT_ERR_STATE;
    }
    if (w->global && dfopt_mofka_outbox_pending(w->global) < MAX_PENDING)
        (void)dfopt_mofka_outbox_send(w->global, &m, NULL);
    return DFOPT_OK;
}

static uint64_t link_connection(void *t)
{
    return is_connected(t) ? 1 : 0;
}

static const char *link_unanswered(void *t)
{
    struct mofka_link *l = t;
    if (l->told || is_connected(l) || l->gone ||
        dfopt_clock_monotonic_ns() < l->opened_ns + QUIET_NS)
        return NULL;
    l->told = true;
    return l->group_file;
}

static void link_wake(void *t)
{
    struct mofka_link *l = t;
    pthread_mutex_lock(&l->lock);
    l->woken = true;
    pthread_cond_broadcast(&l->changed);
    if (l->connected && l->inbox)
        dfopt_mofka_inbox_wake(l->inbox);
    pthread_mutex_unlock(&l->lock);
}

/* ---- the end ---- */

/* What does not shut down in time is leaked until the process exits. */
static void link_close(void *t, int linger_ms)
{
    struct mofka_link *l = t;
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (!dfopt_mofka_thread_join(l->connector, dfopt_mofka_in_ms(CLOSE_MS)))
        return;
    put_away(l);
    if (l->next)
        dfopt_mofka_link_module(l->link)->event_free(l->next);
    bool all = true;
    for (size_t i = 0; i < STREAMS; i++) {
        all = dfopt_mofka_outbox_destroy(l->ways[i].outbox, linger_ms) && all;
        all = dfopt_mofka_outbox_destroy(l->ways[i].global, linger_ms) && all;
    }
    all = dfopt_mofka_inbox_destroy(l->inbox) && all;
    all = dfopt_mofka_link_destroy(l->link) && all;
    if (all)
        free_link(l);
}

const struct dfopt_client_transport dfopt_client_transport_mofka = {
    .abi = DFOPT_CLIENT_TRANSPORT_ABI,
    .name = "mofka",
    .open = link_open,
    .wait = link_wait,
    .receive = link_receive,
    .send = link_send,
    .connection = link_connection,
    .unanswered = link_unanswered,
    .wake = link_wake,
    .close = link_close,
};
