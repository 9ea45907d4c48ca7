/* The gain of a run's plans: the objective before the first plan and at the end. */
#ifndef DFOPT_CMD_LOG_BROUGHT_H
#define DFOPT_CMD_LOG_BROUGHT_H

#include "cmd/log/outcomes.h"

#define DL_BROUGHT_WINDOWS 8 /* at most, behind a median */

/* The objective of the whole job, or of its nodes. Levels are medians of up to
 * DL_BROUGHT_WINDOWS windows: `start`, before the first plan took effect, `now`,
 * at the end and behind it, `best`, the best of these and of any in a row. Of nodes
 * they are means over those that have both a start and a now. Without plans, start
 * is the first windows. */
struct dl_brought {
    uint32_t sites, left_out; /* sites: 0: nothing is known */
    int64_t goal;             /* 1: more is better; -1 */
    uint32_t start_n, now_n;  /* windows; of nodes: of the node with the fewest */
    double start, now, best;
    struct dl_claim claim; /* NaN: no plan, or no windows on one of its sides */
};

struct dl_brought_facts {
    bool logged; /* the log's format has objectives */
    uint64_t objectives, plans;
    struct dl_brought job, nodes;
};

/* The gain is certain by the same test as that of one plan; the noise is that
 * between neighbouring windows on either side. Nodes may share their noise, so
 * their standard errors are not taken to cancel. */
enum dfopt_err dl_brought_read(struct dl_brought_facts *f,
                               struct dfopt_declog_reader *r,
                               struct dfopt_error *err);

/* Of the job; where it has no gain, of the nodes; NULL: neither has. */
const struct dl_brought *dl_brought_best_known(const struct dl_brought_facts *f);

/* A list of them, as a JSON array. */
void dl_brought_json(struct dfopt_put *put, const struct dl_brought_facts *f);

#endif
