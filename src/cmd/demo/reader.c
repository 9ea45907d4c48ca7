/* Every sample has a ticket, its position in delivery order, and a ring slot.
 * Tickets are claimed in order under the lock and filled outside it; the consumer
 * takes them in order. So no sample is lost or duplicated, and the order does not
 * depend on which thread is faster.
 *
 * taken <= claimed <= taken + prefetch, unless prefetch has just been lowered.
 * Thread i continues while i < threads: a lower number retires the last ones. */
#include "cmd/demo/reader.h"
#include "cmd/demo/shuffle.h"
#include "cmd/demo/spread.h"
#include "cmd/demo/timing.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    bool filled;
    enum dfopt_err e; /* result of reading it */
    struct dfopt_error err;
    struct demo_sample sample;
};

struct reader_thread {
    struct demo_reader *reader;
    unsigned number;
    pthread_t id;
};

struct demo_reader {
    const struct demo_dataset *dataset;
    struct demo_storage storage;
    struct demo_spread spread; /* over all threads; lock-free */
    unsigned max_threads, max_prefetch;
    struct reader_thread *pool; /* max_threads */
    unsigned started;           /* consumer only: pool[0 .. started) run */

    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t room;  /* a ticket may be claimed, or a thread must end */
    pthread_cond_t ready; /* the slot of the ticket `taken` is filled */
    struct demo_shuffle shuffle;
    unsigned threads, prefetch;
    uint64_t claimed, taken;
    uint64_t held;     /* most of claimed - taken, this window */
    struct slot *ring; /* max_prefetch; ticket t has slot t % max_prefetch */
};

/* ---- the threads ---- */

static struct slot *slot_of(struct demo_reader *r, uint64_t ticket)
{
    return &r->ring[ticket % r->max_prefetch];
}

/* A thread's next read. */
struct claim {
    uint64_t ticket, record;
    uint64_t ahead; /* records claimed but not taken, with this one */
};

static void note_held(struct demo_reader *r)
{
    const uint64_t ahead = r->claimed - r->taken;
    r->held = ahead > r->held ? ahead : r->held;
}

/* Waits for something to read. Returns false if the thread must end. */
static bool claim(struct demo_reader *r, unsigned number, struct claim *c)
{
    pthread_mutex_lock(&r->lock);
    while (number < r->threads && r->claimed - r->taken >= r->prefetch)
        pthread_cond_wait(&r->room, &r->lock);
    const bool goes_on = number < r->threads;
    if (goes_on) {
        c->ticket = r->claimed++;
        c->record = demo_shuffle_next(&r->shuffle);
        c->ahead = r->claimed - r->taken;
        note_held(r);
    }
    pthread_mutex_unlock(&r->lock);
    return goes_on;
}

static void fill(struct demo_reader *r, const struct claim *c)
{
    struct slot *s = slot_of(r, c->ticket);
    const size_t bytes = demo_dataset_record_bytes(r->dataset);
    const int64_t begin = demo_now_ns();
    demo_storage_begin(&r->storage, bytes, c->ahead * bytes);
    s->e = demo_dataset_read(r->dataset, c->record, &s->sample, &s->err);
    demo_storage_end(&r->storage);
    demo_spread_add(&r->spread, demo_now_ns() - begin);
    pthread_mutex_lock(&r->lock);
    s->filled = true;
    if (c->ticket == r->taken)
        pthread_cond_signal(&r->ready);
    pthread_mutex_unlock(&r->lock);
}

static void *run(void *arg)
{
    const struct reader_thread *t = arg;
    struct claim c;
    while (claim(t->reader, t->number, &c))
        fill(t->reader, &c);
    return NULL;
}

/* ---- the consumer ---- */

enum dfopt_err demo_reader_next(struct demo_reader *r, struct demo_sample *out,
                                struct dfopt_error *err)
{
    pthread_mutex_lock(&r->lock);
    struct slot *s = slot_of(r, r->taken);
    while (!s->filled)
        pthread_cond_wait(&r->ready, &r->lock);
    const enum dfopt_err e = s->e;
    if (e && err)
        *err = s->err;
    struct demo_sample taken = s->sample;
    s->sample = *out;
    *out = taken;
    s->filled = false;
    r->taken++;
    pthread_cond_signal(&r->room);
    pthread_mutex_unlock(&r->lock);
    return e;
}

static void limits_set(struct demo_reader *r, unsigned threads, unsigned prefetch)
{
    pthread_mutex_lock(&r->lock);
    r->threads = threads;
    r->prefetch = prefetch;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
}

static void join_down_to(struct demo_reader *r, unsigned threads)
{
    while (r->started > threads)
        pthread_join(r->pool[--r->started].id, NULL);
}

static enum dfopt_err check(const char *what, unsigned n, unsigned most,
                            struct dfopt_error *err)
{
    if (n >= 1 && n <= most)
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_ARG, "%s must be from 1 to %u, not %u",
                           what, most, n);
}

enum dfopt_err demo_reader_threads_set(struct demo_reader *r, unsigned threads,
                                       struct dfopt_error *err)
{
    enum dfopt_err e = check("read_threads", threads, r->max_threads, err);
    if (e)
        return e;
    limits_set(r, threads, r->prefetch);
    join_down_to(r, threads);
    while (r->started < threads) {
        struct reader_thread *t = &r->pool[r->started];
        *t = (struct reader_thread){.reader = r, .number = r->started};
        int why = pthread_create(&t->id, NULL, run, t);
        if (why) {
            limits_set(r, r->started, r->prefetch);
            return dfopt_error_set(err, DFOPT_ERR_STATE,
                                   "started only %u of %u reader threads: %s",
                                   r->started, threads, strerror(why));
        }
        r->started++;
    }
    return DFOPT_OK;
}

enum dfopt_err demo_reader_prefetch_set(struct demo_reader *r, unsigned prefetch,
                                        struct dfopt_error *err)
{
    enum dfopt_err e = check("prefetch_size", prefetch, r->max_prefetch, err);
    if (!e)
        limits_set(r, r->threads, prefetch);
    return e;
}

void demo_reader_window(struct demo_reader *r, int64_t window)
{
    demo_storage_window(&r->storage, window);
    pthread_mutex_lock(&r->lock);
    r->held = 0;
    note_held(r);
    pthread_mutex_unlock(&r->lock);
}

uint64_t demo_reader_held(struct demo_reader *r)
{
    pthread_mutex_lock(&r->lock);
    const uint64_t held = r->held;
    pthread_mutex_unlock(&r->lock);
    return held * demo_dataset_record_bytes(r->dataset);
}

double demo_reader_spread(struct demo_reader *r)
{
    return demo_spread_take(&r->spread);
}

unsigned demo_reader_threads(const struct demo_reader *r)
{
    return r->started;
}

unsigned demo_reader_prefetch(const struct demo_reader *r)
{
    return r->prefetch;
}

/* ---- create and destroy ---- */

static enum dfopt_err allocate(struct demo_reader *r,
                               const struct demo_reader_options *o)
{
    r->pool = calloc(r->max_threads, sizeof *r->pool);
    r->ring = calloc(r->max_prefetch, sizeof *r->ring);
    enum dfopt_err e = !r->pool || !r->ring ? DFOPT_ERR_NOMEM : DFOPT_OK;
    for (unsigned i = 0; !e && i < r->max_prefetch; i++)
        e = demo_sample_init(&r->ring[i].sample, r->dataset);
    return e ? e
             : demo_shuffle_init(&r->shuffle, demo_dataset_records(r->dataset),
                                 o->seed);
}

enum dfopt_err demo_reader_create(struct demo_reader **out,
                                  const struct demo_dataset *dataset,
                                  const struct demo_reader_options *o,
                                  struct dfopt_error *err)
{
    enum dfopt_err e = check("max_threads", o->max_threads, DEMO_MAX_THREADS, err);
    if (!e)
        e = check("max_prefetch", o->max_prefetch, DEMO_MAX_PREFETCH, err);
    if (!e)
        e = check("prefetch_size", o->prefetch, o->max_prefetch, err);
    if (e)
        return e;
    struct demo_reader *r = calloc(1, sizeof *r);
    if (!r)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    r->dataset = dataset;
    demo_storage_init(&r->storage, &o->storage);
    r->max_threads = o->max_threads;
    r->max_prefetch = o->max_prefetch;
    r->prefetch = o->prefetch;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->room, NULL);
    pthread_cond_init(&r->ready, NULL);
    e = allocate(r, o);
    if (e)
        dfopt_error_set(err, e, "out of memory for the prefetch queue");
    else
        e = demo_reader_threads_set(r, o->threads, err);
    if (e)
        demo_reader_destroy(r);
    else
        *out = r;
    return e;
}

void demo_reader_destroy(struct demo_reader *r)
{
    if (!r)
        return;
    limits_set(r, 0, r->prefetch);
    join_down_to(r, 0);
    for (unsigned i = 0; r->ring && i < r->max_prefetch; i++)
        demo_sample_free(&r->ring[i].sample);
    demo_shuffle_free(&r->shuffle);
    free(r->ring);
    free(r->pool);
    pthread_cond_destroy(&r->ready);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    demo_storage_destroy(&r->storage);
    free(r);
}
