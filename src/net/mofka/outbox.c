/* The thread takes a batch off the queue, pushes it and flushes: the broker has
 * a batch before the next one begins. So a batch is what arrived in the
 * meantime, and a lone message leaves at once. */
#include "net/mofka/outbox.h"

#include "base/clock.h"
#include "net/mofka/thread.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_STEP_MS 200
#define NS_PER_MS     INT64_C(1000000)

struct message {
    struct message *next;
    size_t metadata_len, body_len, where;
    char bytes[]; /* metadata, then body */
};

struct dfopt_mofka_outbox {
    struct dfopt_mofka_link *link;
    const struct dfopt_mofka_module *module;
    struct dfopt_mofka_at at;
    pthread_t thread;
    pthread_mutex_t lock; /* protects all below */
    pthread_cond_t some, sent;
    struct message *head, **tail;
    size_t pending;      /* queued or in flight */
    int64_t progress_ns; /* when the broker last accepted events, or pending
                          * rose from 0 */
    int64_t give_up_ns;  /* deadline once it is to stop */
    bool stop;
    enum dfopt_err failed;
    struct dfopt_error why;
};

/* ---- the thread ---- */

static void free_batch(struct message *m)
{
    while (m) {
        struct message *next = m->next;
        free(m);
        m = next;
    }
}

/* Takes up to one batch off the queue. Call with the lock held. */
static struct message *next_batch(struct dfopt_mofka_outbox *b, size_t *n)
{
    struct message *first = b->head, **end = &b->head;
    for (*n = 0; *end && *n < DFOPT_MOFKA_BATCH; ++*n)
        end = &(*end)->next;
    b->head = *end;
    *end = NULL;
    if (!b->head)
        b->tail = &b->head;
    return first;
}

/* Whether waiting for the broker is pointless by now. */
static bool is_hopeless(struct dfopt_mofka_outbox *b)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    const int64_t most_ns = dfopt_mofka_link_timeout_ms(b->link) * NS_PER_MS;
    if (dfopt_mofka_watch_health(dfopt_mofka_link_watch(b->link), NULL))
        return true;
    pthread_mutex_lock(&b->lock);
    const bool late =
        now - b->progress_ns > most_ns || (b->stop && now > b->give_up_ns);
    pthread_mutex_unlock(&b->lock);
    return late;
}

static enum dfopt_err send_batch(struct dfopt_mofka_outbox *b,
                                 struct dfopt_mofka_producer *p,
                                 const struct message *m, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (; m && !e; m = m->next)
        e = b->module->push(p, m->bytes, m->metadata_len,
                            m->bytes + m->metadata_len, m->body_len, m->where, err);
    while (!e) {
        e = b->module->flush(p, FLUSH_STEP_MS, err);
        if (e != DFOPT_ERR_STATE)
            return e;
        e = is_hopeless(b)
                ? dfopt_error_set(err, DFOPT_ERR_IO,
                                  "the broker accepted nothing for %d ms: it has "
                                  "ended, or the topic is stuck",
                                  dfopt_mofka_link_timeout_ms(b->link))
                : DFOPT_OK;
    }
    return e;
}

static void finish(struct dfopt_mofka_outbox *b, size_t n, enum dfopt_err e,
                   const struct dfopt_error *why)
{
    if (!e) {
        b->pending -= n;
        b->progress_ns = dfopt_clock_monotonic_ns();
    } else {
        b->failed = e;
        b->why = *why;
        dfopt_error_prefix(&b->why, "Mofka topic '%s'", b->at.name);
    }
    pthread_cond_broadcast(&b->sent);
}

/* After a failure the client may still use the batch: it is not freed. */
static void *send_all(void *arg)
{
    struct dfopt_mofka_outbox *b = arg;
    struct dfopt_mofka_producer *p = NULL;
    struct dfopt_error why = {0};
    enum dfopt_err e = b->module->producer_create(&p, b->at.topic, &why);
    pthread_mutex_lock(&b->lock);
    if (e)
        finish(b, 0, e, &why);
    while (!e && (b->head || !b->stop)) {
        size_t n;
        if (!b->head) {
            pthread_cond_wait(&b->some, &b->lock);
            continue;
        }
        struct message *batch = next_batch(b, &n);
        pthread_mutex_unlock(&b->lock);
        e = send_batch(b, p, batch, &why);
        if (!e)
            free_batch(batch);
        pthread_mutex_lock(&b->lock);
        finish(b, n, e, &why);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ---- calls ---- */

enum dfopt_err dfopt_mofka_outbox_create(struct dfopt_mofka_outbox **out,
                                         struct dfopt_mofka_link *l,
                                         const char *group_file, const char *topic,
                                         struct dfopt_error *err)
{
    struct dfopt_mofka_outbox *b = calloc(1, sizeof *b);
    if (!b)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    b->link = l;
    b->module = dfopt_mofka_link_module(l);
    b->tail = &b->head;
    enum dfopt_err e = dfopt_mofka_link_open(l, group_file, topic, &b->at, err);
    if (e) {
        free(b);
        return e;
    }
    pthread_mutex_init(&b->lock, NULL);
    dfopt_mofka_cond_init(&b->some);
    dfopt_mofka_cond_init(&b->sent);
    e = dfopt_mofka_thread_start(&b->thread, send_all, b, err);
    if (e)
        free(b);
    else
        *out = b;
    return e;
}

static enum dfopt_err state(struct dfopt_mofka_outbox *b, struct dfopt_error *err)
{
    if (b->failed && err)
        *err = b->why;
    return b->failed;
}

enum dfopt_err dfopt_mofka_outbox_send(struct dfopt_mofka_outbox *b,
                                       const struct dfopt_mofka_message *m,
                                       struct dfopt_error *err)
{
    struct message *own = malloc(sizeof *own + m->metadata_len + m->body_len);
    if (!own)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    own->next = NULL;
    own->metadata_len = m->metadata_len;
    own->body_len = m->body_len;
    own->where = m->where;
    memcpy(own->bytes, m->metadata, m->metadata_len);
    memcpy(own->bytes + m->metadata_len, m->body, m->body_len);
    pthread_mutex_lock(&b->lock);
    const enum dfopt_err e = state(b, err);
    if (!e) {
        if (b->pending++ == 0)
            b->progress_ns = dfopt_clock_monotonic_ns();
        *b->tail = own;
        b->tail = &own->next;
        pthread_cond_signal(&b->some);
    }
    pthread_mutex_unlock(&b->lock);
    if (e)
        free(own);
    return e;
}

size_t dfopt_mofka_outbox_pending(struct dfopt_mofka_outbox *b)
{
    pthread_mutex_lock(&b->lock);
    const size_t n = b->pending;
    pthread_mutex_unlock(&b->lock);
    return n;
}

/* Whether a flush begun at that time may continue: the broker keeps accepting
 * events or, once it is gone, the thread is expected back. */
static bool may_wait(struct dfopt_mofka_outbox *b, int64_t begun_ns,
                     int64_t progress_ns)
{
    const int patience_ms =
        dfopt_mofka_watch_patience_ms(dfopt_mofka_link_watch(b->link));
    const bool gone = patience_ms < dfopt_mofka_link_timeout_ms(b->link);
    return dfopt_clock_monotonic_ns() <
           (gone ? begun_ns : progress_ns) +
               (patience_ms + 2 * FLUSH_STEP_MS) * NS_PER_MS;
}

enum dfopt_err dfopt_mofka_outbox_flush(struct dfopt_mofka_outbox *b,
                                        struct dfopt_error *err)
{
    const int64_t begun_ns = dfopt_clock_monotonic_ns();
    bool in_time = true;
    pthread_mutex_lock(&b->lock);
    while (b->pending > 0 && !b->failed && in_time) {
        /* the thread notices by itself, unless it hangs in the client */
        if (dfopt_mofka_cond_wait(&b->sent, &b->lock,
                                  dfopt_mofka_in_ms(2 * FLUSH_STEP_MS)))
            continue;
        const int64_t progress_ns = b->progress_ns;
        pthread_mutex_unlock(&b->lock);
        in_time = may_wait(b, begun_ns, progress_ns);
        pthread_mutex_lock(&b->lock);
    }
    enum dfopt_err e = state(b, err);
    if (!e && b->pending > 0)
        e = dfopt_error_set(
            err, DFOPT_ERR_IO,
            "Mofka topic '%s': timed out waiting for the Mofka client", b->at.name);
    pthread_mutex_unlock(&b->lock);
    return e;
}

bool dfopt_mofka_outbox_destroy(struct dfopt_mofka_outbox *b, int linger_ms)
{
    if (!b)
        return true;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    b->give_up_ns = dfopt_mofka_in_ms(linger_ms);
    pthread_cond_signal(&b->some);
    pthread_mutex_unlock(&b->lock);
    const bool back = dfopt_mofka_thread_join(
        b->thread, dfopt_mofka_in_ms(linger_ms + 2 * FLUSH_STEP_MS));
    if (!back || b->failed)
        dfopt_mofka_link_set_stuck(b->link);
    if (!back)
        return false;
    free_batch(b->head);
    pthread_cond_destroy(&b->some);
    pthread_cond_destroy(&b->sent);
    pthread_mutex_destroy(&b->lock);
    free(b);
    return true;
}
