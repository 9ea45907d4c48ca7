/* Lists the registered knobs in their registered form. */
#ifndef DFOPT_STATE_KNOBS_H
#define DFOPT_STATE_KNOBS_H

#include "base/symmap.h"
#include "model/policy.h"
#include "planner/restore.h"

/* Set policy and all (borrowed), zero the rest; dfopt_symmap_free `at`. */
struct dfopt_fold_knobs {
    const struct dfopt_policy *policy;
    struct dfopt_registration *all;
    size_t cap;             /* private */
    struct dfopt_symmap at; /* private: knob -> index in all */
};

/* Adds the knobs of a registration except those that its verdicts (struct
 * dfopt_verdict_row) refuse. OK or NOMEM. */
enum dfopt_err dfopt_fold_keep_knobs(struct dfopt_fold_knobs *f,
                                     const struct dfopt_registration *r,
                                     const struct dfopt_buf *verdicts);

/* Drops the knobs whose owner has left. OK or NOMEM. */
enum dfopt_err dfopt_fold_drop_left(struct dfopt_fold_knobs *f,
                                    const struct dfopt_planner *p);

#endif
