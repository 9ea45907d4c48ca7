/* Cost of a read. Readers are counted from begin to end, so only reads that really
 * are concurrent count. */
#include "cmd/demo/storage.h"
#include "cmd/demo/timing.h"

#include <math.h>
#include <xxhash.h>

#define SECOND_NS    1e9
#define GOLDEN_RATIO 0.61803398874989485 /* its fractional part */
#define LUCK_POWER   6

enum demo_profile demo_storage_profile(const struct demo_storage_options *o,
                                       int64_t window)
{
    if (o->profile != DEMO_STEP)
        return o->profile;
    return window < o->step_at ? DEMO_LATENCY : o->step_to;
}

int64_t demo_bucket_take(struct demo_bucket *b, int64_t bytes_per_second,
                         int64_t now_ns, size_t bytes)
{
    const int64_t full = now_ns - DEMO_BURST_NS;
    const int64_t begin = b->next_ns > full ? b->next_ns : full;
    b->next_ns =
        begin + (int64_t)((double)bytes * SECOND_NS / (double)bytes_per_second);
    return b->next_ns > now_ns ? b->next_ns - now_ns : 0;
}

static double shared(double readers, double best)
{
    return readers * (readers - 1) / (best * best);
}

int64_t demo_contention_ns(int64_t latency_ns, int64_t best, unsigned readers,
                           double luck)
{
    const double n = readers, b = (double)best, fair = shared(fmin(n, b), b);
    return (int64_t)((double)latency_ns *
                     (1 + fair + luck * (shared(n, b) - fair)));
}

/* Steps of the golden ratio cover 0..1 evenly, however few there are. So all
 * windows get equally lucky reads overall, and differ by their settings only. */
double demo_luck(uint64_t seed, uint64_t read)
{
    const double start =
        (double)(XXH3_64bits_withSeed("", 0, seed) >> 11) * 0x1p-53;
    const double u = fmod(start + (double)read * GOLDEN_RATIO, 1);
    return (LUCK_POWER + 1) * pow(u, LUCK_POWER);
}

int64_t demo_memory_ns(int64_t latency_ns, int64_t budget, uint64_t held)
{
    return held > (uint64_t)budget ? DEMO_MEMORY_PENALTY * latency_ns : latency_ns;
}

void demo_storage_init(struct demo_storage *s,
                       const struct demo_storage_options *options)
{
    *s = (struct demo_storage){.options = *options,
                               .profile = demo_storage_profile(options, 1)};
    pthread_mutex_init(&s->lock, NULL);
}

void demo_storage_destroy(struct demo_storage *s)
{
    pthread_mutex_destroy(&s->lock);
}

void demo_storage_window(struct demo_storage *s, int64_t window)
{
    pthread_mutex_lock(&s->lock);
    s->profile = demo_storage_profile(&s->options, window);
    pthread_mutex_unlock(&s->lock);
}

/* The caller holds the lock. */
static int64_t cost_ns(struct demo_storage *s, size_t bytes, uint64_t held)
{
    const struct demo_storage_options *o = &s->options;
    int64_t wait;
    switch (s->profile) {
    case DEMO_BANDWIDTH:
        wait =
            demo_bucket_take(&s->bucket, o->bytes_per_second, demo_now_ns(), bytes);
        return wait > o->latency_ns ? wait : o->latency_ns;
    case DEMO_CONTENTION:
        return demo_contention_ns(o->latency_ns, o->best_readers, s->readers,
                                  demo_luck(o->seed, s->reads));
    case DEMO_MEMORY:
        return demo_memory_ns(o->latency_ns, o->budget, held);
    case DEMO_LATENCY:
    case DEMO_STEP:
        break;
    }
    return o->latency_ns;
}

void demo_storage_begin(struct demo_storage *s, size_t bytes, uint64_t held)
{
    pthread_mutex_lock(&s->lock);
    s->readers++;
    s->reads++;
    const int64_t wait = cost_ns(s, bytes, held);
    pthread_mutex_unlock(&s->lock);
    demo_sleep_ns(wait);
}

void demo_storage_end(struct demo_storage *s)
{
    pthread_mutex_lock(&s->lock);
    s->readers--;
    pthread_mutex_unlock(&s->lock);
}
