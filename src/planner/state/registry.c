/* Knobs and the responses to each tag. Invariant: with `reregister` replace, a
 * knob has at most one response to a tag, and a tag's responses are in order of
 * their knobs' ordinals. */
#include "planner/state/registry.h"

#include <stdlib.h>
#include <string.h>

void dfopt_registry_free(struct dfopt_registry *g)
{
    for (uint32_t i = 0; i < g->n_knobs; i++) {
        dfopt_knob_clear(&g->knobs[i]);
        free(g->states[i].ups);
    }
    for (uint32_t i = 0; i < g->n_tags; i++) {
        free(g->tags[i].responses);
        free(g->tags[i].bases);
    }
    free(g->knobs);
    free(g->states);
    free(g->tags);
    dfopt_symmap_free(&g->knob_of);
    dfopt_symmap_free(&g->tag_of);
    *g = (struct dfopt_registry){0};
}

/* Makes room for one more item of an array. */
static bool grow(void **items, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    uint32_t more = *cap ? *cap * 2 : 8;
    void *p = realloc(*items, more * size);
    if (!p)
        return false;
    *items = p;
    *cap = more;
    return true;
}

uint32_t dfopt_registry_knob(const struct dfopt_registry *g, dfopt_sym id)
{
    return dfopt_symmap_get(&g->knob_of, id);
}

uint32_t dfopt_registry_tag(struct dfopt_registry *g, dfopt_sym name)
{
    uint32_t at = dfopt_symmap_get(&g->tag_of, name);
    if (at != DFOPT_SYMMAP_NONE)
        return at;
    void *tags = g->tags;
    if (!grow(&tags, g->n_tags, &g->cap_tags, sizeof *g->tags))
        return DFOPT_SYMMAP_NONE;
    g->tags = tags;
    if (dfopt_symmap_set(&g->tag_of, name, g->n_tags))
        return DFOPT_SYMMAP_NONE;
    g->tags[g->n_tags] = (struct dfopt_tag){.name = name};
    return g->n_tags++;
}

const struct dfopt_tag_response *
dfopt_registry_response(const struct dfopt_registry *g, dfopt_sym tag,
                        uint32_t knob)
{
    const uint32_t at = dfopt_symmap_get(&g->tag_of, tag);
    if (at == DFOPT_SYMMAP_NONE)
        return NULL;
    const struct dfopt_tag *t = &g->tags[at];
    for (uint32_t i = 0; i < t->n_responses; i++)
        if (t->responses[i].knob == knob)
            return &t->responses[i];
    return NULL;
}

bool dfopt_registry_answers(const struct dfopt_registry *g, dfopt_sym tag)
{
    const uint32_t at = dfopt_symmap_get(&g->tag_of, tag);
    return at != DFOPT_SYMMAP_NONE && g->tags[at].n_responses > 0;
}

static void remove_responses(struct dfopt_registry *g, uint32_t knob)
{
    g->states[knob].n_ups = 0;
    for (uint32_t i = 0; i < g->n_tags; i++) {
        struct dfopt_tag *t = &g->tags[i];
        uint32_t kept = 0;
        for (uint32_t j = 0; j < t->n_responses; j++)
            if (t->responses[j].knob != knob) {
                t->bases[kept] = t->bases[j];
                t->responses[kept++] = t->responses[j];
            }
        t->n_responses = kept;
    }
}

/* Room for one more response: two arrays of one capacity. */
static bool grow_responses(struct dfopt_tag *t)
{
    uint32_t cap = t->cap;
    void *items = t->responses, *bases = t->bases;
    if (!grow(&items, t->n_responses, &cap, sizeof *t->responses))
        return false;
    t->responses = items;
    cap = t->cap;
    if (!grow(&bases, t->n_responses, &cap, sizeof *t->bases))
        return false;
    t->bases = bases;
    t->cap = cap;
    return true;
}

/* Notes that an increase of the knob responds to a tag. */
static bool add_up(struct dfopt_registry *g, uint32_t knob, uint32_t index)
{
    struct dfopt_knob_state *s = &g->states[knob];
    void *items = s->ups;
    if (!grow(&items, s->n_ups, &s->cap_ups, sizeof *s->ups))
        return false;
    s->ups = items;
    s->ups[s->n_ups++] = index;
    return true;
}

/* Appends, or (sorted) inserts after the last of a lower or equal ordinal. */
static bool add_response(struct dfopt_registry *g, uint32_t knob, bool sorted,
                         const struct dfopt_response *base,
                         const struct dfopt_response *r)
{
    uint32_t index = dfopt_registry_tag(g, r->tag);
    if (index == DFOPT_SYMMAP_NONE)
        return false;
    struct dfopt_tag *t = &g->tags[index];
    if (!grow_responses(t))
        return false;
    uint32_t at = t->n_responses++;
    for (; sorted && at > 0 && t->responses[at - 1].knob > knob; at--) {
        t->responses[at] = t->responses[at - 1];
        t->bases[at] = t->bases[at - 1];
    }
    t->responses[at] = (struct dfopt_tag_response){.knob = knob, .r = *r};
    t->bases[at] = *base;
    return r->direction != DFOPT_DIRECTION_INCREASE || add_up(g, knob, index);
}

/* Recounts what belongs to the job: a knob may have changed its scope. */
static void count_job(struct dfopt_registry *g)
{
    g->n_job_knobs = 0;
    for (uint32_t i = 0; i < g->n_knobs; i++)
        g->n_job_knobs += !g->states[i].per_node;
    for (uint32_t i = 0; i < g->n_tags; i++) {
        struct dfopt_tag *t = &g->tags[i];
        t->n_job = 0;
        for (uint32_t j = 0; j < t->n_responses; j++)
            t->n_job += !g->states[t->responses[j].knob].per_node;
    }
}

/* Room for one more knob: two arrays of one capacity. */
static bool grow_knobs(struct dfopt_registry *g)
{
    uint32_t cap = g->cap_knobs;
    void *knobs = g->knobs, *states = g->states;
    if (!grow(&knobs, g->n_knobs, &cap, sizeof *g->knobs))
        return false;
    g->knobs = knobs;
    cap = g->cap_knobs;
    if (!grow(&states, g->n_knobs, &cap, sizeof *g->states))
        return false;
    g->states = states;
    g->cap_knobs = cap;
    return true;
}

static uint32_t place_knob(struct dfopt_registry *g, const struct dfopt_knob *k)
{
    uint32_t at = dfopt_registry_knob(g, k->id);
    struct dfopt_knob copy;
    if ((at == DFOPT_SYMMAP_NONE && !grow_knobs(g)) || dfopt_knob_copy(&copy, k))
        return DFOPT_SYMMAP_NONE;
    if (at == DFOPT_SYMMAP_NONE) {
        at = g->n_knobs;
        if (dfopt_symmap_set(&g->knob_of, k->id, at)) {
            dfopt_knob_clear(&copy);
            return DFOPT_SYMMAP_NONE;
        }
        g->states[at] = (struct dfopt_knob_state){0};
        g->n_knobs++;
    } else {
        dfopt_knob_clear(&g->knobs[at]);
    }
    g->knobs[at] = copy;
    return at;
}

static bool is_guarded(const struct dfopt_policy *policy, dfopt_sym knob)
{
    for (size_t i = 0; i < policy->n_guards; i++) {
        const struct dfopt_name_range *r = &policy->guards[i].knobs;
        for (uint32_t k = 0; k < r->n; k++)
            if (policy->names[r->first + k] == knob)
                return true;
    }
    return false;
}

uint32_t dfopt_registry_add(struct dfopt_registry *g, const struct dfopt_dict *dict,
                            const struct dfopt_policy *policy,
                            const struct dfopt_knob *k, dfopt_sym name_space,
                            dfopt_sym function)
{
    const bool replace = policy->on.reregister == DFOPT_REREGISTER_REPLACE;
    uint32_t at = place_knob(g, k);
    if (at == DFOPT_SYMMAP_NONE)
        return at;
    struct dfopt_knob_state *state = &g->states[at];
    state->name_space = name_space;
    state->function = function;
    state->left = false;
    state->guarded = is_guarded(policy, k->id);
    state->per_node =
        policy->on.scope == DFOPT_SCOPE_CARRY || dfopt_knob_is_per_node(dict, k);
    state->boundary = k->n_responses ? k->responses[0].apply_when : DFOPT_SYM_NONE;
    if (replace)
        remove_responses(g, at);
    for (size_t i = 0; i < k->n_responses; i++) {
        struct dfopt_response *r = &g->knobs[at].responses[i];
        dfopt_policy_apply(policy, k->id, r);
        if (!add_response(g, at, replace, &k->responses[i], r))
            return DFOPT_SYMMAP_NONE;
    }
    count_job(g);
    return at;
}

enum dfopt_err dfopt_registry_reform(struct dfopt_registry *g,
                                     const struct dfopt_policy *policy)
{
    for (uint32_t i = 0; i < g->n_knobs; i++) {
        g->states[i].n_ups = 0;
        g->states[i].guarded = is_guarded(policy, g->knobs[i].id);
    }
    for (uint32_t i = 0; i < g->n_tags; i++) {
        struct dfopt_tag *t = &g->tags[i];
        for (uint32_t j = 0; j < t->n_responses; j++) {
            struct dfopt_tag_response *at = &t->responses[j];
            at->r = t->bases[j];
            dfopt_policy_apply(policy, g->knobs[at->knob].id, &at->r);
            if (at->r.direction == DFOPT_DIRECTION_INCREASE &&
                !add_up(g, at->knob, i))
                return DFOPT_ERR_NOMEM;
        }
    }
    return DFOPT_OK;
}
