/* The board between the thread that decides and the one that answers monitoring.
 * The first posts what it counted, at most once a second, and how well it is, as
 * often as it likes; it never waits: if the board is being read at that moment,
 * the next post will do. */
#ifndef DFOPT_METRICS_BOARD_H
#define DFOPT_METRICS_BOARD_H

#include "metrics/counts.h"

#include <stdbool.h>

#define DFOPT_BOARD_EVERY_NS INT64_C(1000000000)  /* of counts */
#define DFOPT_LOOP_SILENT_NS INT64_C(1500000000)  /* then the loop stands still */
#define DFOPT_LOOP_DEAD_NS   INT64_C(30000000000) /* then it will not come back */

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

/* Notes a problem, unless the check has one already. */
void dfopt_health_add(struct dfopt_health *h, enum dfopt_check check,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool dfopt_health_is_good(const struct dfopt_health *h);

struct dfopt_board;

/* A board on which nothing has been posted: not ready, for it is starting. Returns
 * owned: destroy; counts posted on it must live as long, for their names. */
enum dfopt_err dfopt_board_create(struct dfopt_board **out, const char *version,
                                  const char *transport);
void dfopt_board_destroy(struct dfopt_board *b); /* NULL is fine */

/* Whether counts are due, so that the gauges are worth filling in. */
bool dfopt_board_due(const struct dfopt_board *b, int64_t now_ns);

/* Posts health and, if they are due, counts. Never waits. The poster's thread. */
void dfopt_board_post(struct dfopt_board *b, const struct dfopt_counts *c,
                      const struct dfopt_health *h, int64_t now_ns);

struct dfopt_snapshot {
    struct dfopt_counts counts; /* names are borrowed */
    uint64_t number;            /* of the counts: they change with it alone */
    struct dfopt_health health; /* LOOP: by the time of the last post */
    int64_t started_ns;         /* wall clock */
    bool alive;                 /* false: the loop has been still for too long */
    const char *version, *transport;
};

/* Copies what was posted last, as it looks at a moment (monotonic). Any thread. */
void dfopt_board_read(struct dfopt_board *b, int64_t now_ns,
                      struct dfopt_snapshot *out);

#endif
