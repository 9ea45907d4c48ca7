/* The board between the deciding thread and the monitoring thread. The deciding
 * thread posts its counts at most once a second, and its health as often as it
 * likes. It never waits: while the board is being read, posts are skipped. */
#ifndef DFOPT_METRICS_BOARD_H
#define DFOPT_METRICS_BOARD_H

#include "metrics/counts.h"

#include <stdbool.h>

#define DFOPT_BOARD_EVERY_NS INT64_C(1000000000)  /* of counts */
#define DFOPT_LOOP_SILENT_NS INT64_C(1500000000)  /* the loop has stalled */
#define DFOPT_LOOP_DEAD_NS   INT64_C(30000000000) /* the loop is presumed dead */

/* What a service needs to be ready. */
#define DFOPT_CHECK_LIST(X)                                                        \
    X(LOOP, "loop")       /* decides, or waits for input */                        \
    X(INPUT, "input")     /* connected, or waits for peers */                      \
    X(OUTPUTS, "outputs") /* plans, recording and journal can be written */        \
    X(LOG, "log")         /* the decision log is flushed in time */                \
    X(RANKS, "ranks")     /* all answer */

enum dfopt_check {
#define DFOPT_CHECK_ENUM(name, text) DFOPT_CHECK_##name,
    DFOPT_CHECK_LIST(DFOPT_CHECK_ENUM)
#undef DFOPT_CHECK_ENUM
        DFOPT_CHECK_COUNT
};

struct dfopt_health {
    char problem[DFOPT_CHECK_COUNT][160]; /* "": none */
};

const char *dfopt_check_name(uint32_t check);

/* Records a problem, unless the check already has one. */
void dfopt_health_add(struct dfopt_health *h, enum dfopt_check check,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool dfopt_health_is_good(const struct dfopt_health *h);

struct dfopt_board;

/* Creates a board with nothing posted: not ready, as the service is starting.
 * Returns owned: destroy. Counts posted on it must outlive it, for their names. */
enum dfopt_err dfopt_board_create(struct dfopt_board **out, const char *version,
                                  const char *transport);
void dfopt_board_destroy(struct dfopt_board *b); /* NULL is fine */

/* Whether counts are due, so that filling in the gauges is worthwhile. */
bool dfopt_board_due(const struct dfopt_board *b, int64_t now_ns);

/* Posts health and, if due, counts. Never waits. Deciding thread only. */
void dfopt_board_post(struct dfopt_board *b, const struct dfopt_counts *c,
                      const struct dfopt_health *h, int64_t now_ns);

struct dfopt_snapshot {
    struct dfopt_counts counts; /* names are borrowed */
    uint64_t number;            /* of the counts: it changes only with them */
    struct dfopt_health health; /* LOOP: as of the last post */
    int64_t started_ns;         /* wall clock */
    bool alive;                 /* false: the loop has stalled for too long */
    const char *version, *transport;
};

/* Copies the last post as of now_ns (monotonic). Any thread. */
void dfopt_board_read(struct dfopt_board *b, int64_t now_ns,
                      struct dfopt_snapshot *out);

#endif
