/* The planners' initial state: the rules, the resumed run's state (each planner
 * gets the job's part and that of its own nodes), the log events to decide again,
 * and the initial registrations. Local. */
#ifndef DFOPT_ENGINE_BATCH_START_H
#define DFOPT_ENGINE_BATCH_START_H

#include "engine/batch/route.h"
#include "engine/batch/shard.h"
#include "engine/batch/run.h"
#include "engine/comm/frame.h"
#include "planner/planner.h"

/* The sequence number, in frames, of a registration that is not an event. */
#define DFOPT_SEQ_INITIAL DFOPT_FOLD_INITIAL

/* Registers what is not an event. OK or NOMEM. */
enum dfopt_err dfopt_start_register(struct dfopt_planner *p, struct dfopt_router *r,
                                    const struct dfopt_registration *g);

/* Loads a new planner on this rank, which has the rules already, and its router.
 * OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_start_here(struct dfopt_planner *p, struct dfopt_router *r,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err);

/* Writes a frame for planner number `planner` of `planners`: CONFIG first. OK or
 * NOMEM. */
enum dfopt_err dfopt_start_send(struct dfopt_frame *f,
                                const struct dfopt_run_config *config,
                                uint32_t planner, uint32_t planners);

/* How logged events reach the planners, one of which may be here. `begin` gives a
 * frame for a remote planner, once its previous one is sent; `send` sends it,
 * `last` marking the last of all. Neither returns failures: they end all ranks. */
struct dfopt_start_feed {
    struct dfopt_router *router;
    struct dfopt_shard *here; /* NULL: none */
    void *arg;
    enum dfopt_err (*begin)(void *arg, uint32_t planner, struct dfopt_frame *f,
                            struct dfopt_error *err);
    enum dfopt_err (*send)(void *arg, uint32_t planner, struct dfopt_frame *f,
                           bool last, struct dfopt_error *err);
};

/* Has the planners decide again the log events that config->resume leaves to feed,
 * and drops the decisions; then feeds the initial registrations. The planners have
 * the state of dfopt_start_here or dfopt_start_send. */
enum dfopt_err dfopt_start_feed(const struct dfopt_start_feed *feed,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err);

/* Whether there are such events; the initial registrations wait for them. */
static inline bool dfopt_start_feeds(const struct dfopt_run_config *config)
{
    return config->resume && config->resume->left_to_feed;
}

/* Loads an item of restored state into the planner. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_start_restore(struct dfopt_planner *p,
                                   const struct dfopt_item *item);

#endif
