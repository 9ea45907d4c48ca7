/* The planner's state by (node, knob): one slot each, reached by two loads. Node 0
 * is the whole job. A slot is created at first use; memory grows with the (node,
 * knob) pairs that findings reach, not with the run. */
#ifndef DFOPT_PLANNER_STATE_SLOTS_H
#define DFOPT_PLANNER_STATE_SLOTS_H

#include "model/value.h"
#include "base/symmap.h"
#include "planner/state/hosts.h"

struct dfopt_pending { /* a plan sent and not yet acknowledged */
    uint64_t plan_id;
    int64_t window;
    double severity;
    struct dfopt_value old; /* what the plan replaced */
    bool had;               /* the node already had its own override */
};

struct dfopt_slot {
    bool has_value, has_pending, has_cooldown, has_seen;
    /* the knob's when the override was made: one of an older epoch is void */
    uint32_t epoch;
    struct dfopt_value value; /* job: the value; node: the override */
    int64_t cooldown_window;
    double cooldown_severity;
    union {
        int64_t seen;                        /* effect = severity: window */
        struct dfopt_adjustment *adjustment; /* otherwise: borrowed from the site */
    };
    uint64_t settled; /* 1 + event of the last settled plan; 0: none */
    struct dfopt_pending pending;
    struct dfopt_value registered; /* by the first process, or a new one */
    bool has_registered;
};

#define DFOPT_PAGE_SLOTS 4

/* Slots are in pages of a few knobs: a node pays only for the pages of knobs that
 * respond to it. */
struct dfopt_slot_node {
    dfopt_sym name;
    uint32_t n_pages;
    struct dfopt_slot **pages;
    struct dfopt_site *site; /* owned by the planner; NULL: none yet */
};

struct dfopt_slots {
    struct dfopt_slot_node *nodes; /* owned */
    uint32_t n_nodes, cap;
    struct dfopt_symmap node_of;   /* by name */
    const struct dfopt_dict *dict; /* borrowed; NULL: each name is a node */
    struct dfopt_hosts hosts;
};

#define DFOPT_JOB_NODE ((uint32_t)0)

/* Starts with the whole job's node. `dict`: match node names as hosts (hosts.h);
 * NULL: each name is a node. OK or NOMEM. */
enum dfopt_err dfopt_slots_init(struct dfopt_slots *s,
                                const struct dfopt_dict *dict);
void dfopt_slots_free(struct dfopt_slots *s);

/* The index of a node (name DFOPT_SYM_EMPTY: the job), or DFOPT_SYMMAP_NONE. */
uint32_t dfopt_slots_find_node(const struct dfopt_slots *s, dfopt_sym name);

uint32_t dfopt_slots_add_node(struct dfopt_slots *s, dfopt_sym name);

/* The same, created if needed; DFOPT_SYMMAP_NONE on NOMEM. */
static inline uint32_t dfopt_slots_node(struct dfopt_slots *s, dfopt_sym name)
{
    const uint32_t at = dfopt_symmap_get(&s->node_of, name);
    return at != DFOPT_SYMMAP_NONE ? at : dfopt_slots_add_node(s, name);
}

static inline dfopt_sym dfopt_slots_node_name(const struct dfopt_slots *s,
                                              uint32_t node)
{
    return s->nodes[node].name;
}

/* The slot; NULL if it does not exist. */
static inline struct dfopt_slot *dfopt_slots_find(const struct dfopt_slots *s,
                                                  uint32_t node, uint32_t knob)
{
    const struct dfopt_slot_node *n = &s->nodes[node];
    const uint32_t page = knob / DFOPT_PAGE_SLOTS;
    return page < n->n_pages && n->pages[page]
               ? &n->pages[page][knob % DFOPT_PAGE_SLOTS]
               : NULL;
}

struct dfopt_slot *dfopt_slots_add(struct dfopt_slots *s, uint32_t node,
                                   uint32_t knob);

/* The slot, zeroed if new; NULL on NOMEM. It never moves. */
static inline struct dfopt_slot *dfopt_slots_at(struct dfopt_slots *s,
                                                uint32_t node, uint32_t knob)
{
    struct dfopt_slot *slot = dfopt_slots_find(s, node, knob);
    return slot ? slot : dfopt_slots_add(s, node, knob);
}

/* Bytes for this many nodes if each has a slot for every knob. */
uint64_t dfopt_slots_bytes(uint64_t nodes, uint64_t knobs);

#endif
