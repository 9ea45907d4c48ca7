/* Recent activity, for operators: records per second, and the outcomes of the
 * latest changes. */
#ifndef DFOPT_ENGINE_ONLINE_RECENT_H
#define DFOPT_ENGINE_ONLINE_RECENT_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"
#include "json/write.h"

#define DFOPT_RECENT_SECONDS  10
#define DFOPT_RECENT_OUTCOMES 8

struct dfopt_recent_sample {
    int64_t at_ns; /* monotonic; 0: none */
    uint64_t findings, plans, acks, objectives;
};

/* Zero-initialise. */
struct dfopt_recent {
    struct dfopt_recent_sample start;
    struct dfopt_recent_sample samples[DFOPT_RECENT_SECONDS]; /* ring, 1 s apart */
    uint32_t newest;
    struct dfopt_outcome_row outcomes[DFOPT_RECENT_OUTCOMES]; /* ring */
    uint64_t n_outcomes;
};

/* Call at least a few times a second; `now` in ns, monotonic. */
void dfopt_recent_count(struct dfopt_recent *r, const struct dfopt_totals *t,
                        int64_t now);

/* Keeps the latest outcomes of a decided batch. */
void dfopt_recent_outcomes(struct dfopt_recent *r, const struct dfopt_batch *b);

/* Put the members uptime_s and rates (per second, over the last ten); and
 * outcomes, oldest first. `run`: the run's identity in plan ids. */
void dfopt_recent_put_rates(const struct dfopt_recent *r,
                            const struct dfopt_totals *t, int64_t now,
                            struct dfopt_put *p);
void dfopt_recent_put_outcomes(const struct dfopt_recent *r, uint32_t run,
                               struct dfopt_put *p);

#endif
