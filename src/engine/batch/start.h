/* What planners start with: the rules, the state of the run that is resumed (each
 * gets the job's part and that of its own nodes), and the initial registrations.
 * Local. */
#ifndef DFOPT_ENGINE_BATCH_START_H
#define DFOPT_ENGINE_BATCH_START_H

#include "engine/batch/route.h"
#include "engine/batch/run.h"
#include "engine/comm/frame.h"
#include "planner/planner.h"

/* The number of a registration that is no event, in frames. */
#define DFOPT_SEQ_INITIAL UINT64_MAX

/* Registers what is no event. OK or NOMEM. */
enum dfopt_err dfopt_start_register(struct dfopt_planner *p, struct dfopt_router *r,
                                    const struct dfopt_registration *g);

/* Into a new planner of this rank, which has the rules already, and its router. OK,
 * NOMEM or FORMAT. */
enum dfopt_err dfopt_start_here(struct dfopt_planner *p, struct dfopt_router *r,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err);

/* Into a frame, for planner number `planner` of `planners`: CONFIG first. OK or
 * NOMEM. */
enum dfopt_err dfopt_start_send(struct dfopt_frame *f,
                                const struct dfopt_run_config *config,
                                uint32_t planner, uint32_t planners);

/* An item of restored state into the planner. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_start_restore(struct dfopt_planner *p,
                                   const struct dfopt_item *item);

#endif
