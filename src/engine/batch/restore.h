/* Handing the planners the state of a run that they go on with: to each the
 * job's part and that of its own nodes. Local. */
#ifndef DFOPT_ENGINE_BATCH_RESTORE_H
#define DFOPT_ENGINE_BATCH_RESTORE_H

#include "engine/comm/frame.h"
#include "state/fold.h"
#include "planner/planner.h"

/* Into a planner that has been given nothing yet. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_restore_here(struct dfopt_planner *p,
                                  const struct dfopt_fold *state);

/* Into a frame, for planner number `planner` of `planners`. OK or NOMEM. */
enum dfopt_err dfopt_restore_send(struct dfopt_frame *f,
                                  const struct dfopt_fold *state, uint32_t planner,
                                  uint32_t planners);

/* An item of such a frame (registrations aside), into the planner. OK, NOMEM or
 * FORMAT. */
enum dfopt_err dfopt_restore_item(struct dfopt_planner *p,
                                  const struct dfopt_item *item);

#endif
