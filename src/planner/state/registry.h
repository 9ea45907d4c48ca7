/* The registry: knobs in order of first registration, and the responses to each
 * tag. A tag's suppression state is stored with its responses, so that a finding
 * looks up its tag only once. */
#ifndef DFOPT_PLANNER_STATE_REGISTRY_H
#define DFOPT_PLANNER_STATE_REGISTRY_H

#include "model/policy.h"
#include "base/symmap.h"

/* A knob's response as registered. */
struct dfopt_tag_response {
    uint32_t knob; /* ordinal */
    struct dfopt_response r;
};

struct dfopt_tag {
    dfopt_sym name;
    struct dfopt_tag_response *responses; /* owned */
    struct dfopt_response *bases; /* owned: each as registered, before the policy */
    uint32_t n_responses, cap;
    uint32_t n_job; /* responses of job knobs */
    /* suppression by a global finding */
    bool suppressed;
    dfopt_sym by_type;
    int64_t window;
    double severity;
};

/* State of a knob besides its definition. */
struct dfopt_knob_state {
    dfopt_sym name_space, function; /* the owner; empty: none */
    bool per_node;                  /* one value per node; else one for the job */
    bool left;                      /* its owner has unregistered */
    bool guarded;                   /* a guard names it */
    dfopt_sym boundary; /* of the first response; DFOPT_SYM_NONE: it has none */
    uint32_t *ups;      /* owned: indices of the tags with an increase of it */
    uint32_t n_ups, cap_ups;
};

struct dfopt_registry {
    struct dfopt_knob *knobs;        /* by ordinal; owned */
    struct dfopt_knob_state *states; /* by ordinal; owned */
    uint32_t n_job_knobs;
    uint32_t n_knobs, cap_knobs;
    struct dfopt_tag *tags; /* owned */
    uint32_t n_tags, cap_tags;
    struct dfopt_symmap knob_of, tag_of; /* by name */
};

void dfopt_registry_free(struct dfopt_registry *g);

/* The ordinal of a knob, or DFOPT_SYMMAP_NONE. */
uint32_t dfopt_registry_knob(const struct dfopt_registry *g, dfopt_sym id);

/* The index of a tag, created if needed; DFOPT_SYMMAP_NONE on NOMEM. The array may
 * move. */
uint32_t dfopt_registry_tag(struct dfopt_registry *g, dfopt_sym name);

/* The first response of a knob to a tag; NULL: none. */
const struct dfopt_tag_response *
dfopt_registry_response(const struct dfopt_registry *g, dfopt_sym tag,
                        uint32_t knob);

/* Whether a knob responds to a tag. */
bool dfopt_registry_answers(const struct dfopt_registry *g, dfopt_sym tag);

/* Adds or replaces one knob with its responses, with the policy's overrides
 * applied (k is copied), for a present owner. Returns its ordinal, or
 * DFOPT_SYMMAP_NONE on NOMEM. */
uint32_t dfopt_registry_add(struct dfopt_registry *g, const struct dfopt_dict *dict,
                            const struct dfopt_policy *policy,
                            const struct dfopt_knob *k, dfopt_sym name_space,
                            dfopt_sym function);

/* Rebuilds the responses of all knobs for another policy. OK or NOMEM. */
enum dfopt_err dfopt_registry_reform(struct dfopt_registry *g,
                                     const struct dfopt_policy *policy);

#endif
