/* What planners start with: the rules, the state of the run that is resumed (each
 * gets the job's part and that of its own nodes), the events of the log that must
 * be decided again, and the initial registrations. Local. */
#ifndef DFOPT_ENGINE_BATCH_START_H
#define DFOPT_ENGINE_BATCH_START_H

#include "engine/batch/route.h"
#include "engine/batch/shard.h"
#include "engine/batch/run.h"
#include "engine/comm/frame.h"
#include "planner/planner.h"

/* The number of a registration that is no event, in frames. */
#define DFOPT_SEQ_INITIAL DFOPT_FOLD_INITIAL

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

/* How logged events reach the planners, of which one may be here. `begin` gives a
 * frame for a planner that is elsewhere, once the one before is gone; `send` sends
 * it, `last` being the last of all. Neither fails: they end all ranks. */
struct dfopt_start_feed {
    struct dfopt_router *router;
    struct dfopt_shard *here; /* NULL: none */
    void *arg;
    enum dfopt_err (*begin)(void *arg, uint32_t planner, struct dfopt_frame *f,
                            struct dfopt_error *err);
    enum dfopt_err (*send)(void *arg, uint32_t planner, struct dfopt_frame *f,
                           bool last, struct dfopt_error *err);
};

/* Has the planners decide again the events that config->resume leaves to feed, and
 * drops what is decided; then the initial registrations. The planners have what
 * dfopt_start_here or dfopt_start_send gives. */
enum dfopt_err dfopt_start_feed(const struct dfopt_start_feed *feed,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err);

/* Whether there are such; the initial registrations wait for them. */
static inline bool dfopt_start_feeds(const struct dfopt_run_config *config)
{
    return config->resume && config->resume->left_to_feed;
}

/* An item of restored state into the planner. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_start_restore(struct dfopt_planner *p,
                                   const struct dfopt_item *item);

#endif
