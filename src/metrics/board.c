/* A mutex over the copies; the poster only tries to lock it. */
#include "metrics/board.h"

#include "base/clock.h"
#include "base/names.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct dfopt_board {
    pthread_mutex_t lock; /* over the copies */
    struct dfopt_counts counts;
    uint64_t number; /* of the counts */
    struct dfopt_health health;
    _Atomic int64_t looped_ns; /* monotonic; of the last post */
    int64_t counted_ns;        /* the poster's; of the last counts */
    int64_t started_ns;
    const char *version, *transport;
};

DFOPT_NAME_FUNCTION(dfopt_check_name, DFOPT_CHECK_LIST, DFOPT_NAME_TEXT)

void dfopt_health_add(struct dfopt_health *h, enum dfopt_check check,
                      const char *format, ...)
{
    va_list args;
    if (h->problem[check][0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(h->problem[check], sizeof h->problem[check], format, args);
    va_end(args);
}

bool dfopt_health_is_good(const struct dfopt_health *h)
{
    for (int i = 0; i < DFOPT_CHECK_COUNT; i++)
        if (h->problem[i][0] != '\0')
            return false;
    return true;
}

enum dfopt_err dfopt_board_create(struct dfopt_board **out, const char *version,
                                  const char *transport)
{
    struct dfopt_board *b = calloc(1, sizeof *b);
    if (!b)
        return DFOPT_ERR_NOMEM;
    if (pthread_mutex_init(&b->lock, NULL) != 0) {
        free(b);
        return DFOPT_ERR_NOMEM;
    }
    dfopt_counts_init(&b->counts);
    dfopt_health_add(&b->health, DFOPT_CHECK_LOOP, "starting");
    atomic_store(&b->looped_ns, dfopt_clock_monotonic_ns());
    b->counted_ns = INT64_MIN / 2;
    b->started_ns = dfopt_clock_wall_ns();
    b->version = version;
    b->transport = transport;
    *out = b;
    return DFOPT_OK;
}

void dfopt_board_destroy(struct dfopt_board *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock); /* the poster owns the names */
    free(b);
}

bool dfopt_board_due(const struct dfopt_board *b, int64_t now_ns)
{
    return now_ns - b->counted_ns >= DFOPT_BOARD_EVERY_NS;
}

void dfopt_board_post(struct dfopt_board *b, const struct dfopt_counts *c,
                      const struct dfopt_health *h, int64_t now_ns)
{
    atomic_store(&b->looped_ns, now_ns);
    if (pthread_mutex_trylock(&b->lock) != 0)
        return;
    b->health = *h;
    if (dfopt_board_due(b, now_ns)) {
        b->counts = *c;
        b->number++;
        b->counted_ns = now_ns;
    }
    pthread_mutex_unlock(&b->lock);
}

void dfopt_board_read(struct dfopt_board *b, int64_t now_ns,
                      struct dfopt_snapshot *out)
{
    pthread_mutex_lock(&b->lock);
    out->counts = b->counts;
    out->number = b->number;
    out->health = b->health;
    pthread_mutex_unlock(&b->lock);
    const int64_t still_ns = now_ns - atomic_load(&b->looped_ns);
    if (still_ns > DFOPT_LOOP_SILENT_NS)
        dfopt_health_add(&out->health, DFOPT_CHECK_LOOP,
                         "no progress for %.1f s: neither deciding nor waiting",
                         (double)still_ns / 1e9);
    out->alive = still_ns <= DFOPT_LOOP_DEAD_NS;
    out->started_ns = b->started_ns;
    out->version = b->version;
    out->transport = b->transport;
}
