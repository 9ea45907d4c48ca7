/* Events between decoding and deciding. Everything that depends on an event's
 * stream is here: which planners get it, how a frame carries it, and what the
 * planner does with it. Add a new stream here, and its item in
 * engine/comm/frame.h; what the decision log keeps of it is in ingest.c and
 * output.c. */
#ifndef DFOPT_ENGINE_BATCH_ROUTE_H
#define DFOPT_ENGINE_BATCH_ROUTE_H

#include "base/symmap.h"
#include "codec/codec.h"
#include "engine/comm/frame.h"
#include "engine/comm/partition.h"
#include "planner/planner.h"

/* Planners first .. last get an event; `reporter` reports the decisions. */
struct dfopt_route {
    uint32_t first, last, reporter;
};

static inline bool dfopt_route_has(const struct dfopt_route *r, uint32_t planner)
{
    return r->first <= planner && planner <= r->last;
}

/* The reporter of a record that no planner gets; and of an event of which each
 * planner reports its own part, the speaker also the job's. */
#define DFOPT_REPORTER_NONE UINT32_MAX
#define DFOPT_REPORTER_ALL  (UINT32_MAX - 1)

/* Set dict, policy (borrowed) and planners, zero the rest; dfopt_router_free. */
struct dfopt_router {
    const struct dfopt_dict *dict;
    const struct dfopt_policy *policy;
    uint32_t planners;
    bool all;      /* every finding goes to all planners */
    bool reformed; /* private: a command brought guards that may match */
    struct dfopt_symmap owner; /* private: of nodes seen before */
    struct dfopt_symmap tags;  /* private: that some job knob responds to */
    bool job_knobs;            /* private: whether there are job knobs */
};

void dfopt_router_free(struct dfopt_router *r);

/* The planner that owns a node, by its name. */
uint32_t dfopt_route_owner(const struct dfopt_dict *dict, dfopt_sym node,
                           uint32_t planners);

/* The same, cached by the node's number. */
uint32_t dfopt_router_owner(struct dfopt_router *r, dfopt_sym node);

/* A registration was routed: from now on, findings that its job knobs respond
 * to go to all planners. This is never unlearned, so a finding may go to more
 * planners than it concerns; those ignore it (dfopt_planner_finding). OK or
 * NOMEM. */
enum dfopt_err dfopt_router_learn(struct dfopt_router *r,
                                  const struct dfopt_registration *g);

/* The same for a policy in a command, accepted or not: its guards concern the
 * job. */
void dfopt_router_reform(struct dfopt_router *r, const struct dfopt_policy *policy);

/* Whether a registration changes routes. */
bool dfopt_router_is_news(const struct dfopt_router *r,
                          const struct dfopt_registration *g);

/* OK or NOMEM. */
enum dfopt_err dfopt_route_finding(struct dfopt_router *r,
                                   const struct dfopt_finding *f,
                                   struct dfopt_route *out);
enum dfopt_err dfopt_route_event(struct dfopt_router *r,
                                 const struct dfopt_event *event,
                                 struct dfopt_route *out);

/* Appends an event with the definitions it needs. OK or NOMEM. */
enum dfopt_err dfopt_frame_event(struct dfopt_frame *f, uint64_t seq,
                                 const struct dfopt_event *event);

/* Reads an event's item. *out then owns its registration or policy, if any:
 * dfopt_event_clear. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_item_event(const struct dfopt_item *item, uint64_t *seq,
                                struct dfopt_event *out);

/* Has a planner decide an event; appends to *out. OK or NOMEM. */
enum dfopt_err dfopt_decide_event(struct dfopt_planner *p, uint64_t seq,
                                  const struct dfopt_event *event,
                                  struct dfopt_decisions *out);

/* The verdict about an unusable finding; appends to *out. OK or NOMEM. */
enum dfopt_err dfopt_decide_invalid(uint64_t seq, struct dfopt_decisions *out);

#endif
