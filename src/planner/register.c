/* Registrations: who owns the knobs, whose values they are, and which processes
 * joined, returned or left. */
#include "planner/planner.h"

#include "planner/control/trial.h"

#include <stdlib.h>
#include <string.h>

/* A registration being added. */
struct entry {
    struct dfopt_pass *s;
    const struct dfopt_registration *r;
    struct dfopt_owner owner; /* empty with registration = carry, as the next two */
    dfopt_sym node, instance;
    bool known; /* the instance has registered before: it reconnects */
};

static bool is_new_process(const struct entry *e)
{
    return e->instance != DFOPT_SYM_EMPTY && !e->known;
}

/* ---- plans of processes that left ---- */

static void withdraw(struct dfopt_pass *s, const struct dfopt_key *key)
{
    struct dfopt_planner *p = s->p;
    if (!key->slot || !key->slot->has_pending)
        return;
    const struct dfopt_pending was = key->slot->pending;
    dfopt_planner_settle(p, key);
    dfopt_planner_restore(p, key, &was);
    struct dfopt_outcome_row row = dfopt_not_judged;
    row.seq = s->seq;
    row.plan_id = was.plan_id;
    row.position = DFOPT_POSITION_END;
    row.verdict = DFOPT_VERDICT_WITHDRAWN;
    row.knob = p->registry.knobs[key->knob].id;
    row.node = dfopt_slots_node_name(&p->slots, key->node);
    row.planned = row.window = was.window;
    if (dfopt_pass_speaks(s, key->node))
        dfopt_pass_fail(s, dfopt_buf_add(&s->out->outcomes, &row, sizeof row));
}

/* ---- a process leaves ---- */

static void leave_trials(struct dfopt_planner *p, uint32_t knob)
{
    for (struct dfopt_trial *t = p->trials; t; t = t->next) {
        const struct dfopt_adjustment *a = dfopt_site_adjustment(p, t->node, knob);
        p->slots.nodes[t->node].site->disturbed |= a && a->in_trial;
    }
}

static void unregister(struct entry *e)
{
    struct dfopt_planner *p = e->s->p;
    const dfopt_sym node = dfopt_instances_node(&p->instances, e->node);
    dfopt_instances_remove(&p->instances, e->owner, node, e->instance);
    if (dfopt_instances_any(&p->instances, e->owner))
        return;
    for (uint32_t knob = 0; knob < p->registry.n_knobs; knob++) {
        struct dfopt_knob_state *state = &p->registry.states[knob];
        if (state->left || state->name_space != e->owner.name_space ||
            state->function != e->owner.function)
            continue;
        state->left = true;
        struct dfopt_key key = {.knob = knob};
        void *at = NULL;
        while (dfopt_planner_next_plan(p, &at, knob, &key))
            withdraw(e->s, &key);
        if (p->control)
            leave_trials(p, knob);
    }
}

/* ---- a knob ---- */

/* Another function owns the knob, and the first owner wins. */
static bool is_refused(const struct entry *e, dfopt_sym id)
{
    const struct dfopt_planner *p = e->s->p;
    const struct dfopt_switches *on = &p->policy->on;
    const uint32_t knob = dfopt_registry_knob(&p->registry, id);
    if (on->registration != DFOPT_REGISTRATION_INTERPRET ||
        on->reregister != DFOPT_REREGISTER_REPLACE || knob == DFOPT_SYMMAP_NONE)
        return false;
    const struct dfopt_knob_state *state = &p->registry.states[knob];
    const bool owned =
        state->name_space != DFOPT_SYM_EMPTY || state->function != DFOPT_SYM_EMPTY;
    const bool same = state->name_space == e->owner.name_space &&
                      state->function == e->owner.function;
    return owned && !same && !state->left;
}

/* A known knob has a value: did the application restart? */
static void check_restart(const struct entry *e, const struct dfopt_key *key,
                          struct dfopt_value value)
{
    struct dfopt_planner *p = e->s->p;
    const bool named = e->node != DFOPT_SYM_EMPTY;
    if (e->known)
        return;
    p->generation += !named;
    struct dfopt_site *site = p->slots.nodes[key->node].site;
    if (!site)
        return;
    site->recheck |= named;
    const struct dfopt_value old = dfopt_site_value(p, key->node, key->knob);
    const bool changes = !dfopt_value_equal(p->dict, value, old);
    struct dfopt_adjustment *a = dfopt_site_adjustment(p, key->node, key->knob);
    if (a && changes)
        a->replaced = old;
    if (is_new_process(e) && (changes || (a && a->in_trial)))
        site->disturbed = true;
}

/* The key of the knob's value; slot is NULL if another planner has it. */
static bool find_key(const struct entry *e, uint32_t knob, struct dfopt_key *key)
{
    struct dfopt_planner *p = e->s->p;
    const dfopt_sym node =
        p->registry.states[knob].per_node ? e->node : DFOPT_SYM_EMPTY;
    *key = (struct dfopt_key){.knob = knob};
    if (!dfopt_planner_decides(p, node))
        return true;
    key->node = dfopt_slots_node(&p->slots, node);
    if (key->node == DFOPT_SYMMAP_NONE)
        return false;
    key->slot = dfopt_slots_at(&p->slots, key->node, knob);
    return key->slot != NULL;
}

static bool reserve_epochs(struct dfopt_planner *p, uint32_t knob)
{
    if (knob < p->cap_epoch)
        return true;
    uint32_t cap = p->cap_epoch ? p->cap_epoch * 2 : 16;
    uint32_t *epoch = realloc(p->epoch, cap * sizeof *epoch);
    if (!epoch)
        return false;
    memset(epoch + p->cap_epoch, 0, (cap - p->cap_epoch) * sizeof *epoch);
    p->epoch = epoch;
    p->cap_epoch = cap;
    return true;
}

/* What a restore puts back: the first value, or a new process's. */
static void note_registered(const struct dfopt_key *key, struct dfopt_value v,
                            bool anew)
{
    if (anew || !key->slot->has_registered)
        key->slot->registered = v;
    key->slot->has_registered = true;
}

static bool take_knob(const struct entry *e, const struct dfopt_knob *k)
{
    struct dfopt_planner *p = e->s->p;
    const bool was_known =
        dfopt_registry_knob(&p->registry, k->id) != DFOPT_SYMMAP_NONE;
    const uint32_t knob =
        dfopt_registry_add(&p->registry, p->dict, p->policy, k, e->owner.name_space,
                           e->owner.function);
    if (knob == DFOPT_SYMMAP_NONE || !reserve_epochs(p, knob))
        return false;
    struct dfopt_key key, job = {.knob = knob, .node = DFOPT_JOB_NODE};
    job.slot = dfopt_slots_at(&p->slots, DFOPT_JOB_NODE, knob);
    if (!job.slot || !find_key(e, knob, &key))
        return false;
    if (is_new_process(e))
        withdraw(e->s, &key);
    if (k->has_current || e->instance != DFOPT_SYM_EMPTY) {
        const struct dfopt_value v = k->has_current ? k->current : k->default_value;
        if (p->control && was_known && key.slot)
            check_restart(e, &key, v);
        if (key.slot) {
            dfopt_planner_set_value(p, &key, v);
            note_registered(&key, v, is_new_process(e));
        }
    }
    if (!job.slot->has_value)
        dfopt_planner_set_value(p, &job, k->default_value);
    note_registered(&job, job.slot->value, false);
    return true;
}

static void refuse(const struct entry *e, uint32_t position, dfopt_sym id)
{
    const struct dfopt_about about = {DFOPT_SYM_NONE, id, e->node};
    dfopt_pass_row(e->s, DFOPT_JOB_NODE, position, DFOPT_VERDICT_CONFLICT, about,
                   DFOPT_NOT_COMPARED);
}

static void take_knobs(struct entry *e)
{
    struct dfopt_planner *p = e->s->p;
    dfopt_sym node = e->node;
    if (e->instance != DFOPT_SYM_EMPTY)
        dfopt_pass_fail(e->s, dfopt_instances_enter(&p->instances, e->node, &node));
    e->known = e->instance != DFOPT_SYM_EMPTY &&
               dfopt_instances_know(&p->instances, e->owner, node, e->instance);
    for (size_t i = 0; i < e->r->n_knobs && !e->s->e; i++) {
        const struct dfopt_knob *k = &e->r->knobs[i];
        if (is_refused(e, k->id))
            refuse(e, (uint32_t)i, k->id);
        else if (!take_knob(e, k))
            dfopt_pass_fail(e->s, DFOPT_ERR_NOMEM);
    }
    if (is_new_process(e))
        dfopt_pass_fail(
            e->s, dfopt_instances_add(&p->instances, e->owner, node, e->instance));
}

enum dfopt_err dfopt_planner_register(struct dfopt_planner *p, uint64_t seq,
                                      const struct dfopt_registration *r,
                                      struct dfopt_decisions *out)
{
    struct dfopt_pass s = dfopt_pass_begin(p, seq, out);
    struct entry e = {.s = &s, .r = r};
    const bool strict = p->policy->on.registration == DFOPT_REGISTRATION_INTERPRET;
    if (dfopt_registration_check(r, p->policy, NULL))
        return DFOPT_OK;
    if (strict) {
        e.owner = (struct dfopt_owner){r->name_space, r->function};
        e.node = r->node;
        e.instance = r->instance;
    }
    if (strict && r->unregister)
        unregister(&e);
    else
        take_knobs(&e);
    return dfopt_pass_end(&s);
}

enum dfopt_err dfopt_planner_preset(struct dfopt_planner *p,
                                    const struct dfopt_registration *r)
{
    struct dfopt_decisions unheard = {0};
    const enum dfopt_err e = dfopt_planner_register(p, 0, r, &unheard);
    dfopt_decisions_free(&unheard);
    return e;
}
