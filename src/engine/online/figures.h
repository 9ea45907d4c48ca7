/* How a rank is: what it decided, its memory, and what its planner's nodes have
 * now. Local, on the rank that they are of. */
#ifndef DFOPT_ENGINE_ONLINE_FIGURES_H
#define DFOPT_ENGINE_ONLINE_FIGURES_H

#include "engine/batch/shard.h"
#include "planner/survey.h"

/* Plain data, as it travels. */
struct dfopt_figures {
    uint64_t events;   /* decided */
    uint64_t bytes;    /* of resident memory */
    uint64_t awaiting; /* plans in flight, as of the last survey */
    uint64_t trials;   /* likewise */
    uint64_t surveyed; /* 1: the rows of this survey go with them */
};

/* When to look at the nodes again. Zero-initialise. */
struct dfopt_figures_watch {
    int64_t due_ns; /* monotonic */
    struct dfopt_survey survey;
};

void dfopt_figures_watch_free(struct dfopt_figures_watch *w);

/* Fills in *out, and w->survey once a second, or more seldom: looking at the nodes
 * takes at most a hundredth of the time. OK or NOMEM. */
enum dfopt_err dfopt_figures_take(struct dfopt_figures_watch *w,
                                  const struct dfopt_shard *shard,
                                  struct dfopt_figures *out);

/* Resident memory of this process in bytes; 0: not known. */
uint64_t dfopt_figures_memory(void);

#endif
