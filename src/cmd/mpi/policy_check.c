/* Finds names that fit nothing and responses that can never act. */
#include "cmd/mpi/policy_check.h"

#include "cmd/mpi/initial.h"
#include "cmd/mpi/run.h"

#include <stdio.h>

struct check {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    struct dfopt_initials knobs;
    size_t found;
};

static const char *text_of(const struct check *c, dfopt_sym s)
{
    return dfopt_dict_text(c->dict, s, NULL);
}

/* ---- names ---- */

static bool has_knob(const struct check *c, dfopt_sym id)
{
    for (size_t i = 0; i < c->knobs.n; i++)
        for (size_t k = 0; k < c->knobs.items[i].registration.n_knobs; k++)
            if (c->knobs.items[i].registration.knobs[k].id == id)
                return true;
    return false;
}

static bool has_tag(const struct check *c, dfopt_sym tag)
{
    for (size_t i = 0; i < c->knobs.n; i++) {
        const struct dfopt_registration *r = &c->knobs.items[i].registration;
        for (size_t k = 0; k < r->n_knobs; k++)
            for (size_t j = 0; j < r->knobs[k].n_responses; j++)
                if (r->knobs[k].responses[j].tag == tag)
                    return true;
    }
    return false;
}

static void check_names(struct check *c, const char *where,
                        const struct dfopt_name_range *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const dfopt_sym id = c->policy.names[r->first + i];
        if (has_knob(c, id))
            continue;
        printf("%s: knob '%s' is not registered\n", where, text_of(c, id));
        c->found++;
    }
}

static void check_targets(struct check *c)
{
    for (size_t i = 0; i < c->policy.n_overrides; i++) {
        const struct dfopt_override *o = &c->policy.overrides[i];
        const bool of_knob = o->target == DFOPT_OVERRIDE_KNOB;
        if (o->target == DFOPT_OVERRIDE_ALL ||
            (of_knob ? has_knob(c, o->name) : has_tag(c, o->name)))
            continue;
        printf("responses '%s%s': %s\n",
               of_knob ? "knob:" : "tag:", text_of(c, o->name),
               of_knob ? "knob not registered" : "no knob responds to the tag");
        c->found++;
    }
    for (size_t i = 0; i < c->policy.n_terms; i++)
        check_names(c, "budgets", &c->policy.terms[i].knobs);
    for (size_t i = 0; i < c->policy.n_guards; i++)
        check_names(c, "guards", &c->policy.guards[i].knobs);
}

/* ---- responses ---- */

static bool is_positive(struct dfopt_value v)
{
    return dfopt_value_order(v, dfopt_value_int(0)) == 1;
}

/* The same for the value to set. */
static const char *flaw_of_set(const struct check *c, const struct dfopt_knob *k,
                               struct dfopt_value v)
{
    const uint32_t kind = k->type == DFOPT_KNOB_BOOL  ? DFOPT_KIND_BOOL
                          : k->type == DFOPT_KNOB_STR ? DFOPT_KIND_STR
                                                      : DFOPT_KIND_REAL;
    bool listed = !k->has_values;
    for (size_t i = 0; i < k->n_values; i++)
        listed |= dfopt_value_equal(c->dict, v, k->values[i]);
    if (v.kind == DFOPT_KIND_NULL)
        return "set_to is missing";
    if (kind == DFOPT_KIND_REAL ? !dfopt_value_is_number(v) : v.kind != kind)
        return "set_to is not of the knob's type";
    return listed ? NULL : "set_to is none of the knob's values";
}

/* Why a response can never make a plan; NULL: it can. */
static const char *flaw_of(const struct check *c, const struct dfopt_knob *k,
                           const struct dfopt_response *r)
{
    const bool set = r->direction == DFOPT_DIRECTION_SET;
    const bool number = k->type == DFOPT_KNOB_INT || k->type == DFOPT_KNOB_FLOAT;
    if (r->min_severity > 1)
        return "min_severity is above 1, the highest severity";
    if (k->range_state == DFOPT_RANGE_BAD)
        return "the range of the knob must be two numbers";
    if (k->range_state == DFOPT_RANGE_OK && !k->has_values &&
        dfopt_value_order(k->lo, k->hi) == 1)
        return "the range of the knob is empty";
    if (k->has_values && k->n_values == 0)
        return "the knob has no values";
    if (r->direction == DFOPT_DIRECTION_UNKNOWN)
        return "unknown direction";
    if (set)
        return flaw_of_set(c, k, r->set_to);
    if (!number)
        return "a knob that is not a number needs the direction set";
    if (k->has_values ? k->n_values == 1
                      : k->range_state == DFOPT_RANGE_OK &&
                            dfopt_value_order(k->lo, k->hi) == 0)
        return "the knob has only one value";
    if (k->has_values || r->step_mode == DFOPT_STEP_EVIDENCE)
        return NULL;
    if (!dfopt_value_is_number(r->step))
        return "step is not a number";
    return is_positive(r->step) ? NULL : "step must be above 0";
}

static void check_responses(struct check *c, const struct dfopt_registration *g)
{
    for (size_t k = 0; k < g->n_knobs; k++)
        for (size_t j = 0; j < g->knobs[k].n_responses; j++) {
            struct dfopt_response r = g->knobs[k].responses[j];
            dfopt_policy_apply(&c->policy, g->knobs[k].id, &r);
            const char *flaw = flaw_of(c, &g->knobs[k], &r);
            if (!flaw)
                continue;
            printf("knob '%s', tag '%s': can never act: %s\n",
                   text_of(c, g->knobs[k].id), text_of(c, r.tag), flaw);
            c->found++;
        }
}

static void check_limits(struct check *c)
{
    const struct dfopt_limits *l = &c->policy.limits;
    const char *none = !l->given                  ? NULL
                       : l->plans_per_window == 0 ? "plans_per_window"
                       : l->nodes_in_flight_per_knob == 0
                           ? "nodes_in_flight_per_knob"
                           : NULL;
    if (!none)
        return;
    printf("limits: no response can act%s: %s is 0\n",
           l->plans_per_window == 0 ? "" : " on a node", none);
    c->found++;
}

/* ---- the whole check ---- */

static enum dfopt_err load(struct check *c, const struct dfopt_options *o,
                           struct dfopt_error *err)
{
    struct dfopt_options with = *o;
    const struct dfopt_codec_limits limits = {.preset = o->preset};
    with.policy_file = o->policy_check;
    enum dfopt_err e = dfopt_dict_create(&c->dict, false);
    if (!e)
        e = dfopt_codec_create(&c->codec, c->dict, &limits);
    if (e)
        return dfopt_error_set(err, e, "out of memory");
    e = dfopt_policy_load(&c->policy, &with, c->dict, NULL, err);
    return e ? e
             : dfopt_initial_load(&c->knobs, &with, c->codec, &c->policy, NULL,
                                  err);
}

int dfopt_policy_check(const struct dfopt_options *o)
{
    struct check c = {.found = 0};
    struct dfopt_error err = {0};
    int code = DFOPT_EXIT_OK;
    if (load(&c, o, &err)) {
        fprintf(stderr, "dfopt-mpi: %s\n", err.text);
        code = DFOPT_EXIT_USAGE;
    } else {
        check_targets(&c);
        check_limits(&c);
        for (size_t i = 0; i < c.knobs.n; i++)
            check_responses(&c, &c.knobs.items[i].registration);
        if (c.found)
            code = DFOPT_EXIT_FAILED;
        else
            printf("fine\n");
    }
    dfopt_initial_free(&c.knobs);
    dfopt_policy_clear(&c.policy);
    dfopt_codec_destroy(c.codec);
    dfopt_dict_destroy(c.dict);
    return code;
}
