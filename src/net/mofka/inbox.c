/* Each topic has a thread that waits in the client and appends to the topic's
 * queue; the consumers' bounds limit the queues. The taker moves short runs
 * from all queues to its own lists, so that it rarely holds the lock.
 *
 * Making a consumer while another one receives crashes the client: so the
 * threads make all of them before the first is released. */
#include "net/mofka/inbox.h"

#include "base/clock.h"
#include "net/mofka/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PULL_MS       100 /* how soon a thread notices the stop flag */
#define QUIET_MS      50  /* silence after which the backlog counts as read */
#define QUIET_AT_MOST 2000
#define LOOK_EVERY_MS 1
#define HOPELESS_MS   500  /* for threads to return after a broker is gone */
#define HELD_EVENTS   8192 /* per topic, fetched and not taken */
#define HELD_BYTES    ((size_t)64 << 20)
#define BATCH         1024 /* events that a broker announces together */
#define BATCHES       4    /* fetched concurrently; more would only queue */
#define RUN_FIRST     64   /* events per turn of a topic that goes first */
#define RUN           256
#define NAME_BYTES    512

struct queue {
    struct dfopt_mofka_event *head, **tail;
};

struct ingest {
    struct dfopt_mofka_inbox *in;
    struct dfopt_mofka_at at;
    struct dfopt_mofka_consumer *consumer;
    char name[NAME_BYTES]; /* of the consumer */
    pthread_t thread;
    bool first, started;
    atomic_bool subscribed, quiet, broken;
    struct queue queue;     /* protected by the lock */
    struct dfopt_error why; /* set once it is broken */
};

struct dfopt_mofka_inbox {
    struct dfopt_mofka_link *link;
    const struct dfopt_mofka_module *module;
    struct ingest topics[DFOPT_MOFKA_INBOX_TOPICS];
    size_t n_topics;
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t some;
    bool waiting, woken;
    atomic_size_t queued;
    /* the taker's: runs moved out of the queues */
    struct queue ready[DFOPT_MOFKA_INBOX_TOPICS];
    size_t turn; /* the topic whose run is being taken */
};

/* ---- queues ---- */

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

static void queue_add(struct queue *q, struct dfopt_mofka_event *e)
{
    e->next = NULL;
    *q->tail = e;
    q->tail = &e->next;
}

static struct dfopt_mofka_event *queue_pop(struct queue *q)
{
    struct dfopt_mofka_event *e = q->head;
    if (!e)
        return NULL;
    q->head = e->next;
    if (!q->head)
        q->tail = &q->head;
    return e;
}

/* ---- the pulling threads ---- */

static void deliver(struct ingest *t, struct dfopt_mofka_event *e)
{
    struct dfopt_mofka_inbox *in = t->in;
    pthread_mutex_lock(&in->lock);
    queue_add(&t->queue, e);
    atomic_fetch_add(&in->queued, 1);
    if (in->waiting)
        pthread_cond_signal(&in->some);
    pthread_mutex_unlock(&in->lock);
}

static void set_broken(struct ingest *t, const struct dfopt_error *why)
{
    t->why = *why;
    dfopt_error_prefix(&t->why, "Mofka topic '%s'", t->at.name);
    atomic_store(&t->broken, true);
    dfopt_mofka_inbox_wake(t->in);
}

/* Pulls once. Returns false when there is nothing more to pull. */
static bool pull(struct ingest *t)
{
    struct dfopt_mofka_event *e = NULL;
    struct dfopt_error why = {0};
    const bool quiet = atomic_load(&t->quiet);
    switch (
        t->in->module->pull(t->consumer, quiet ? PULL_MS : QUIET_MS, &e, &why)) {
    case DFOPT_MOFKA_EVENT:
        deliver(t, e);
        return true;
    case DFOPT_MOFKA_NOTHING:
        atomic_store(&t->quiet, true);
        return true;
    case DFOPT_MOFKA_END:
        dfopt_error_set(&why, DFOPT_ERR_IO, "the broker closed the topic");
        break;
    default:
        break;
    }
    set_broken(t, &why);
    return false;
}

static void *pull_all(void *arg)
{
    struct ingest *t = arg;
    const struct dfopt_mofka_module *m = t->in->module;
    struct dfopt_error why = {0};
    if (m->consumer_subscribe(t->consumer, &why)) {
        set_broken(t, &why);
    } else {
        atomic_store(&t->subscribed, true);
        while (!atomic_load(&t->in->stop) && pull(t))
            continue;
    }
    while (!atomic_load(&t->in->stop)) { /* a broken one waits for the others */
        const struct timespec nap = {.tv_nsec = PULL_MS * 1000000L};
        nanosleep(&nap, NULL);
    }
    m->consumer_close(t->consumer);
    return NULL;
}

/* ---- opening and starting ---- */

enum dfopt_err dfopt_mofka_inbox_create(struct dfopt_mofka_inbox **out,
                                        struct dfopt_mofka_link *l,
                                        struct dfopt_error *err)
{
    struct dfopt_mofka_inbox *in = calloc(1, sizeof *in);
    if (!in)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    in->link = l;
    in->module = dfopt_mofka_link_module(l);
    pthread_mutex_init(&in->lock, NULL);
    dfopt_mofka_cond_init(&in->some);
    for (size_t i = 0; i < DFOPT_MOFKA_INBOX_TOPICS; i++)
        queue_init(&in->ready[i]);
    *out = in;
    return DFOPT_OK;
}

enum dfopt_err dfopt_mofka_inbox_add(struct dfopt_mofka_inbox *in,
                                     const struct dfopt_mofka_subscription *what,
                                     struct dfopt_error *err)
{
    if (in->n_topics == DFOPT_MOFKA_INBOX_TOPICS)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "too many topics");
    struct ingest *t = &in->topics[in->n_topics];
    const struct dfopt_mofka_bounds bounds = {.events = HELD_EVENTS,
                                              .bytes = HELD_BYTES,
                                              .event_bytes = what->event_bytes,
                                              .batch = BATCH,
                                              .batches = BATCHES};
    t->in = in;
    t->first = what->first;
    queue_init(&t->queue);
    enum dfopt_err e =
        dfopt_mofka_link_open(in->link, what->group_file, what->topic, &t->at, err);
    if (!e) {
        snprintf(t->name, sizeof t->name, "%s%s", what->consumer,
                 what->by_topic ? t->at.name : "");
        e = dfopt_mofka_link_consumer(in->link, &t->at, t->name, &bounds,
                                      &t->consumer, err);
    }
    if (!e)
        in->n_topics++;
    return e;
}

/* Polls until `is` holds for all topics, or with only_first for those marked
 * `first`: the client offers no notification. Returns false on timeout or if a
 * topic is broken. */
static bool wait_for(struct dfopt_mofka_inbox *in, bool (*is)(struct ingest *t),
                     bool only_first, int timeout_ms)
{
    const int64_t deadline_ns = dfopt_mofka_in_ms(timeout_ms);
    const struct timespec nap = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    for (size_t i = 0; i < in->n_topics;) {
        struct ingest *t = &in->topics[i];
        if (atomic_load(&t->broken))
            return false;
        if ((only_first && !t->first) || is(t)) {
            i++;
            continue;
        }
        if (dfopt_clock_monotonic_ns() > deadline_ns)
            return false;
        nanosleep(&nap, NULL);
    }
    return true;
}

static bool is_made(struct ingest *t)
{
    return t->in->module->consumer_is_made(t->consumer);
}

static bool is_subscribed(struct ingest *t)
{
    return atomic_load(&t->subscribed);
}

static bool is_quiet(struct ingest *t)
{
    return atomic_load(&t->quiet);
}

static void release(struct dfopt_mofka_inbox *in, bool first)
{
    for (size_t i = 0; i < in->n_topics; i++)
        if (in->topics[i].first == first)
            in->module->consumer_release(in->topics[i].consumer);
}

/* Why the topics fail to start. */
static enum dfopt_err no_start(struct dfopt_mofka_inbox *in,
                               struct dfopt_error *err)
{
    const enum dfopt_err e = dfopt_mofka_inbox_health(in, err);
    if (e)
        return e;
    const char *name = "";
    for (size_t i = 0; i < in->n_topics; i++)
        if (!is_subscribed(&in->topics[i]))
            name = in->topics[i].at.name;
    return dfopt_error_set(err, DFOPT_ERR_IO,
                           "Mofka topic '%s': subscribing timed out: no answer of "
                           "the broker for %d ms",
                           name, dfopt_mofka_link_timeout_ms(in->link));
}

enum dfopt_err dfopt_mofka_inbox_start(struct dfopt_mofka_inbox *in,
                                       struct dfopt_error *err)
{
    const int timeout_ms = dfopt_mofka_link_timeout_ms(in->link);
    for (size_t i = 0; i < in->n_topics; i++) {
        struct ingest *t = &in->topics[i];
        const enum dfopt_err e =
            dfopt_mofka_thread_start(&t->thread, pull_all, t, err);
        if (e)
            return e;
        t->started = true;
    }
    if (!wait_for(in, is_made, false, timeout_ms))
        return no_start(in, err);
    release(in, true);
    if (!wait_for(in, is_subscribed, true, timeout_ms))
        return no_start(in, err);
    (void)wait_for(in, is_quiet, true, QUIET_AT_MOST);
    release(in, false);
    return wait_for(in, is_subscribed, false, timeout_ms) ? DFOPT_OK
                                                          : no_start(in, err);
}

/* ---- taking ---- */

/* Moves a run of each queue to the taker's lists. Call with the lock held. */
static void collect(struct dfopt_mofka_inbox *in)
{
    for (size_t i = 0; i < in->n_topics; i++) {
        size_t most = in->topics[i].first ? RUN_FIRST : RUN;
        struct dfopt_mofka_event *e;
        for (; most > 0 && (e = queue_pop(&in->topics[i].queue)) != NULL; most--) {
            queue_add(&in->ready[i], e);
            atomic_fetch_sub(&in->queued, 1);
        }
    }
    in->turn = 0;
}

/* The next event of the taker's lists, first topics first. */
static struct dfopt_mofka_event *next_ready(struct dfopt_mofka_inbox *in,
                                            size_t *topic)
{
    for (; in->turn < 2 * in->n_topics; in->turn++) {
        const size_t i = in->turn % in->n_topics;
        if (in->topics[i].first != (in->turn < in->n_topics))
            continue;
        struct dfopt_mofka_event *e = queue_pop(&in->ready[i]);
        *topic = i;
        if (e)
            return e;
    }
    return NULL;
}

struct dfopt_mofka_event *dfopt_mofka_inbox_take(struct dfopt_mofka_inbox *in,
                                                 int timeout_ms, size_t *topic)
{
    struct dfopt_mofka_event *e = next_ready(in, topic);
    if (e || (timeout_ms == 0 && atomic_load(&in->queued) == 0))
        return e;
    const int64_t deadline_ns = dfopt_mofka_in_ms(timeout_ms);
    bool in_time = timeout_ms > 0;
    pthread_mutex_lock(&in->lock);
    in->waiting = true;
    while (atomic_load(&in->queued) == 0 && !in->woken && in_time)
        in_time = dfopt_mofka_cond_wait(&in->some, &in->lock, deadline_ns);
    in->waiting = in->woken = false;
    collect(in);
    pthread_mutex_unlock(&in->lock);
    return next_ready(in, topic);
}

void dfopt_mofka_inbox_wake(struct dfopt_mofka_inbox *in)
{
    pthread_mutex_lock(&in->lock);
    in->woken = true;
    pthread_cond_signal(&in->some);
    pthread_mutex_unlock(&in->lock);
}

enum dfopt_err dfopt_mofka_inbox_health(struct dfopt_mofka_inbox *in,
                                        struct dfopt_error *err)
{
    for (size_t i = 0; i < in->n_topics; i++)
        if (atomic_load(&in->topics[i].broken)) {
            if (err)
                *err = in->topics[i].why;
            return DFOPT_ERR_IO;
        }
    return dfopt_mofka_watch_health(dfopt_mofka_link_watch(in->link), err);
}

const struct dfopt_mofka_at *
dfopt_mofka_inbox_at(const struct dfopt_mofka_inbox *in, size_t topic)
{
    return &in->topics[topic].at;
}

const char *dfopt_mofka_inbox_consumer(const struct dfopt_mofka_inbox *in,
                                       size_t topic)
{
    return in->topics[topic].name;
}

/* ---- shutdown ---- */

static void free_events(struct dfopt_mofka_inbox *in, struct queue *q)
{
    struct dfopt_mofka_event *e;
    while ((e = queue_pop(q)) != NULL)
        in->module->event_free(e);
}

bool dfopt_mofka_inbox_destroy(struct dfopt_mofka_inbox *in)
{
    if (!in)
        return true;
    const bool well = dfopt_mofka_inbox_health(in, NULL) == DFOPT_OK;
    const int64_t deadline_ns =
        well ? dfopt_mofka_watch_deadline_ns(dfopt_mofka_link_watch(in->link))
             : dfopt_mofka_in_ms(HOPELESS_MS);
    bool all = true;
    atomic_store(&in->stop, true);
    for (size_t i = 0; i < in->n_topics; i++)
        in->module->consumer_stop(in->topics[i].consumer);
    for (size_t i = 0; i < in->n_topics; i++)
        if (in->topics[i].started)
            all = dfopt_mofka_thread_join(in->topics[i].thread, deadline_ns) && all;
    if (!all) {
        dfopt_mofka_link_set_stuck(in->link);
        return false;
    }
    for (size_t i = 0; i < in->n_topics; i++) {
        free_events(in, &in->topics[i].queue);
        free_events(in, &in->ready[i]);
    }
    pthread_cond_destroy(&in->some);
    pthread_mutex_destroy(&in->lock);
    free(in);
    return true;
}
