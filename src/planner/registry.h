/* What is registered: knobs in the order of their first registration, and for
 * each tag the responses to it. The state of a tag's suppression stands beside
 * its responses, so that a finding looks its tag up once. */
#ifndef DFOPT_PLANNER_REGISTRY_H
#define DFOPT_PLANNER_REGISTRY_H

#include "model/policy.h"
#include "base/symmap.h"

/* A response of a knob, as it was when it registered. */
struct dfopt_tag_response {
    uint32_t knob; /* ordinal */
    struct dfopt_response r;
};

struct dfopt_tag {
    dfopt_sym name;
    struct dfopt_tag_response *responses; /* owned */
    uint32_t n_responses, cap;
    /* suppression by a global finding */
    bool suppressed;
    dfopt_sym by_type;
    int64_t window;
    double severity;
};

struct dfopt_registry {
    struct dfopt_knob *knobs; /* by ordinal; owned */
    uint32_t n_knobs, cap_knobs;
    struct dfopt_tag *tags; /* owned */
    uint32_t n_tags, cap_tags;
    struct dfopt_symmap knob_of, tag_of; /* by name */
};

void dfopt_registry_free(struct dfopt_registry *g);

/* The ordinal of a knob, or DFOPT_SYMMAP_NONE. */
uint32_t dfopt_registry_knob(const struct dfopt_registry *g, dfopt_sym id);

/* The index of a tag, a new one if need be; DFOPT_SYMMAP_NONE on NOMEM. The
 * array may move. */
uint32_t dfopt_registry_tag(struct dfopt_registry *g, dfopt_sym name);

/* Adds or replaces one knob with its responses, the policy's overrides applied
 * (k is copied). Returns its ordinal, or DFOPT_SYMMAP_NONE on NOMEM. */
uint32_t dfopt_registry_add(struct dfopt_registry *g,
                            const struct dfopt_policy *policy,
                            const struct dfopt_knob *k);

#endif
