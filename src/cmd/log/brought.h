/* The gain of a run's plans: the objective before the first plan and at the end. */
#ifndef DFOPT_CMD_LOG_BROUGHT_H
#define DFOPT_CMD_LOG_BROUGHT_H

#include "cmd/log/outcomes.h"

#define DL_BROUGHT_WINDOWS 8 /* at most, per median */

/* The objective of the whole job or its nodes. Levels are medians of up to
 * DL_BROUGHT_WINDOWS windows: `start`, before the first plan took effect; `now`,
 * the last ones after it; `best`, the best of these and of any consecutive windows.
 * For nodes, they are means over nodes with both a start and a now. Without plans,
 * start is the first windows. */
struct dl_brought {
    uint32_t sites, left_out; /* sites 0: nothing is known */
    int64_t goal;             /* 1: more is better; -1 */
    uint32_t start_n, now_n;  /* windows; for nodes: of the node with the fewest */
    double start, now, best;
    struct dl_claim claim; /* NaN: no plan, or no windows before or after it */
};

struct dl_brought_facts {
    bool logged; /* the log's format has objectives */
    bool metric; /* a metric of findings is the objective */
    uint64_t objectives, plans;
    struct dl_brought job, nodes;
};

/* The gain's certainty is tested as for a single plan; the noise is that between
 * neighbouring windows on either side. Nodes may share their noise, so their
 * standard errors are not assumed to cancel. */
enum dfopt_err dl_brought_read(struct dl_brought_facts *f,
                               struct dfopt_declog_reader *r,
                               struct dfopt_error *err);

/* The job's; if it has no gain, the nodes'; NULL: neither has. */
const struct dl_brought *dl_brought_best_known(const struct dl_brought_facts *f);

/* Writes them as a JSON array. */
void dl_brought_json(struct dfopt_put *put, const struct dl_brought_facts *f);

#endif
