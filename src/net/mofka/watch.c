/* One thread, one exchange at a time. During an exchange `busy_ns` is its
 * start, which lets other threads detect that it hangs. */
#include "net/mofka/watch.h"

#include "base/clock.h"
#include "net/mofka/thread.h"

#include <stdlib.h>

#define PING_EVERY_MS 1000
#define LOOK_MS       100 /* how often waiters check health */
#define HOPELESS_MS   500 /* for threads to return after a broker is gone */
#define NS_PER_MS     INT64_C(1000000)

struct watched {
    struct dfopt_mofka_broker *broker;
    const char *group_file;
};

struct slot {
    const char *topic;
    struct dfopt_mofka_event *event; /* to be acknowledged; NULL: nothing */
};

struct dfopt_mofka_watch {
    const struct dfopt_mofka_module *module;
    int timeout_ms;
    pthread_t thread;
    pthread_mutex_t lock; /* protects all below */
    pthread_cond_t work, settled;
    struct watched *brokers;
    size_t n_brokers;
    struct slot *slots;
    size_t n_slots, n_waiting; /* slots with an event, one in flight included */
    int64_t busy_ns;           /* start of the exchange in flight; 0: none */
    const char *busy_with;     /* topic or group file */
    bool stop;
    enum dfopt_err failed; /* the first error; kept */
    struct dfopt_error why;
};

/* ---- the thread; it releases the lock only for an exchange ---- */

static void begin(struct dfopt_mofka_watch *w, const char *with)
{
    w->busy_ns = dfopt_clock_monotonic_ns();
    w->busy_with = with;
    pthread_mutex_unlock(&w->lock);
}

static void end(struct dfopt_mofka_watch *w, enum dfopt_err e,
                const struct dfopt_error *why)
{
    pthread_mutex_lock(&w->lock);
    w->busy_ns = 0;
    if (!e || w->failed)
        return;
    w->failed = e;
    w->why = *why;
    dfopt_error_prefix(&w->why, "Mofka: %s", w->busy_with);
}

static void acknowledge(struct dfopt_mofka_watch *w, size_t i)
{
    struct dfopt_error why = {0};
    struct dfopt_mofka_event *e = w->slots[i].event;
    w->slots[i].event = NULL;
    begin(w, w->slots[i].topic);
    const enum dfopt_err failed = w->module->acknowledge(e, &why);
    w->module->event_free(e);
    end(w, failed, &why);
    if (--w->n_waiting == 0)
        pthread_cond_broadcast(&w->settled);
}

static void ping(struct dfopt_mofka_watch *w, size_t i)
{
    struct dfopt_error why = {0};
    struct dfopt_mofka_broker *b = w->brokers[i].broker;
    begin(w, w->brokers[i].group_file);
    end(w, w->module->ping(b, &why), &why);
}

static void *watch(void *arg)
{
    struct dfopt_mofka_watch *w = arg;
    int64_t ping_ns = dfopt_mofka_in_ms(PING_EVERY_MS);
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        if (w->n_waiting == 0)
            dfopt_mofka_cond_wait(&w->work, &w->lock, ping_ns);
        for (size_t i = 0; i < w->n_slots; i++)
            if (w->slots[i].event)
                acknowledge(w, i);
        if (w->stop || dfopt_clock_monotonic_ns() < ping_ns)
            continue;
        for (size_t i = 0; i < w->n_brokers; i++)
            ping(w, i);
        ping_ns = dfopt_mofka_in_ms(PING_EVERY_MS);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- calls from other threads ---- */

enum dfopt_err dfopt_mofka_watch_create(struct dfopt_mofka_watch **out,
                                        const struct dfopt_mofka_module *module,
                                        int timeout_ms, struct dfopt_error *err)
{
    struct dfopt_mofka_watch *w = calloc(1, sizeof *w);
    if (!w)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    w->module = module;
    w->timeout_ms = timeout_ms;
    pthread_mutex_init(&w->lock, NULL);
    dfopt_mofka_cond_init(&w->work);
    dfopt_mofka_cond_init(&w->settled);
    const enum dfopt_err e = dfopt_mofka_thread_start(&w->thread, watch, w, err);
    if (e)
        free(w);
    else
        *out = w;
    return e;
}

enum dfopt_err dfopt_mofka_watch_add(struct dfopt_mofka_watch *w,
                                     struct dfopt_mofka_broker *b,
                                     const char *group_file,
                                     struct dfopt_error *err)
{
    pthread_mutex_lock(&w->lock);
    struct watched *more =
        realloc(w->brokers, (w->n_brokers + 1) * sizeof *w->brokers);
    if (more) {
        w->brokers = more;
        more[w->n_brokers++] = (struct watched){b, group_file};
    }
    pthread_mutex_unlock(&w->lock);
    return more ? DFOPT_OK : dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

enum dfopt_err dfopt_mofka_watch_slot(struct dfopt_mofka_watch *w,
                                      const char *topic, size_t *slot,
                                      struct dfopt_error *err)
{
    pthread_mutex_lock(&w->lock);
    struct slot *more = realloc(w->slots, (w->n_slots + 1) * sizeof *w->slots);
    if (more) {
        w->slots = more;
        more[w->n_slots] = (struct slot){topic, NULL};
        *slot = w->n_slots++;
    }
    pthread_mutex_unlock(&w->lock);
    return more ? DFOPT_OK : dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

void dfopt_mofka_watch_acknowledge(struct dfopt_mofka_watch *w, size_t slot,
                                   struct dfopt_mofka_event *e)
{
    pthread_mutex_lock(&w->lock);
    struct dfopt_mofka_event *before = w->slots[slot].event;
    w->slots[slot].event = e;
    if (!before)
        w->n_waiting++;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    w->module->event_free(before);
}

enum dfopt_err dfopt_mofka_watch_settle(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err)
{
    const int64_t deadline_ns = dfopt_mofka_in_ms(w->timeout_ms);
    bool left = true;
    enum dfopt_err e = DFOPT_OK;
    while (left && !e) {
        e = dfopt_mofka_watch_health(w, err);
        if (!e && dfopt_clock_monotonic_ns() > deadline_ns)
            e = dfopt_error_set(err, DFOPT_ERR_IO, "no answer for %d ms",
                                w->timeout_ms);
        pthread_mutex_lock(&w->lock);
        if (!e && w->n_waiting > 0)
            dfopt_mofka_cond_wait(&w->settled, &w->lock,
                                  dfopt_mofka_in_ms(LOOK_MS));
        left = w->n_waiting > 0;
        pthread_mutex_unlock(&w->lock);
    }
    if (e && left)
        dfopt_error_prefix(err, "some events were not acknowledged");
    return left ? e : DFOPT_OK;
}

enum dfopt_err dfopt_mofka_watch_health(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err)
{
    pthread_mutex_lock(&w->lock);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < w->n_brokers && !e; i++)
        if ((e = w->module->check(w->brokers[i].broker, err)) != DFOPT_OK)
            dfopt_error_prefix(err, "Mofka: %s", w->brokers[i].group_file);
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!e && !w->failed && w->busy_ns &&
        now - w->busy_ns > w->timeout_ms * NS_PER_MS)
        w->failed = dfopt_error_set(&w->why, DFOPT_ERR_IO,
                                    "Mofka: %s: no answer of the broker for %d ms",
                                    w->busy_with, w->timeout_ms);
    if (!e && (e = w->failed) != DFOPT_OK && err)
        *err = w->why;
    pthread_mutex_unlock(&w->lock);
    return e;
}

int dfopt_mofka_watch_patience_ms(struct dfopt_mofka_watch *w)
{
    return dfopt_mofka_watch_health(w, NULL) == DFOPT_OK ? w->timeout_ms
                                                         : HOPELESS_MS;
}

int64_t dfopt_mofka_watch_deadline_ns(struct dfopt_mofka_watch *w)
{
    const int patience_ms = dfopt_mofka_watch_patience_ms(w);
    int64_t since_ns = dfopt_clock_monotonic_ns();
    pthread_mutex_lock(&w->lock);
    if (w->busy_ns && patience_ms == w->timeout_ms)
        since_ns = w->busy_ns;
    pthread_mutex_unlock(&w->lock);
    return since_ns + patience_ms * NS_PER_MS;
}

bool dfopt_mofka_watch_destroy(struct dfopt_mofka_watch *w)
{
    if (!w)
        return true;
    const int64_t deadline_ns = dfopt_mofka_watch_deadline_ns(w);
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    if (!dfopt_mofka_thread_join(w->thread, deadline_ns))
        return false;
    for (size_t i = 0; i < w->n_slots; i++)
        w->module->event_free(w->slots[i].event);
    free(w->slots);
    free(w->brokers);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->settled);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return true;
}
