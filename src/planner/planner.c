/* The planner's lifetime, and the path of a finding: control (site.c, judge.c,
 * guard.c), suppressions, and each response (respond.c).
 *
 * Invariant: every registered knob has a slot with a value for the job. */
#include "planner/planner.h"
#include "planner/objective.h"

#include "planner/control/control.h"
#include "planner/control/respond.h"
#include "planner/guard.h"
#include "planner/operator/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_planner_create(struct dfopt_planner **out,
                                    struct dfopt_dict *dict,
                                    const struct dfopt_planner_config *config)
{
    struct dfopt_planner *p = calloc(1, sizeof *p);
    if (!p)
        return DFOPT_ERR_NOMEM;
    p->dict = dict;
    p->policy = config->policy;
    p->assumed_acks = config->assumed_acks;
    p->relay_hostname = config->relay_hostname;
    if (config->policy->limits.given) /* limits count the plans of all nodes */
        p->reports = config->owns;
    else
        p->owns = config->owns;
    p->owns_arg = config->owns_arg;
    p->silent_job = config->silent_job;
    p->control = config->policy->on.effect != DFOPT_EFFECT_SEVERITY;
    const bool hosts =
        config->policy->on.registration == DFOPT_REGISTRATION_INTERPRET;
    p->instances.dict = hosts ? dict : NULL;
    enum dfopt_err e = dfopt_slots_init(&p->slots, hosts ? dict : NULL);
    if (!e)
        e = dfopt_operator_create(&p->operator);
    if (e) {
        dfopt_planner_destroy(p);
        return e;
    }
    *out = p;
    return DFOPT_OK;
}

void dfopt_planner_destroy(struct dfopt_planner *p)
{
    if (!p)
        return;
    dfopt_planner_free_refs(p);
    dfopt_instances_free(&p->instances);
    for (uint32_t i = 0; i < p->slots.n_nodes; i++)
        dfopt_site_free(p->slots.nodes[i].site);
    dfopt_registry_free(&p->registry);
    dfopt_slots_free(&p->slots);
    free(p->epoch);
    free(p->suppressed);
    free(p->views);
    dfopt_operator_destroy(p->operator);
    if (p->own_policy)
        dfopt_policy_clear(p->own_policy);
    free(p->own_policy);
    free(p);
}

size_t dfopt_planner_knobs(const struct dfopt_planner *p)
{
    return p->registry.n_knobs;
}

uint64_t dfopt_planner_bytes(uint64_t nodes, uint64_t knobs, uint64_t names)
{
    const uint64_t maps = 3 * 2 * sizeof(uint32_t); /* twice as long as the names */
    return sizeof(struct dfopt_planner) + dfopt_slots_bytes(nodes, knobs) +
           dfopt_site_bytes(nodes, knobs) + names * maps +
           knobs * (sizeof(struct dfopt_knob) + 4096);
}

/* ---- suppressions ---- */

/* A finding at one of its sites. */
struct visit {
    struct dfopt_look look;
    const dfopt_sym *tags; /* of the finding */
    size_t n_tags;
    bool own;          /* false: a node's finding that also visits the job's site */
    uint32_t position; /* of the next tag or response */
};

static void add_suppression(struct dfopt_pass *s, const struct dfopt_tag *t,
                            enum dfopt_suppression_action action)
{
    const struct dfopt_suppression_row row = {.seq = s->seq,
                                              .tag = t->name,
                                              .finding_type = t->by_type,
                                              .action = action,
                                              .window = t->window,
                                              .severity = t->severity};
    if (dfopt_pass_speaks(s, DFOPT_JOB_NODE))
        dfopt_pass_fail(s, dfopt_buf_add(&s->out->suppressions, &row, sizeof row));
}

/* A global finding sets the suppressions it names. */
static void suppress(struct dfopt_pass *s, const struct dfopt_finding *f,
                     dfopt_sym tag)
{
    struct dfopt_tag *t = dfopt_planner_suppress(s->p, tag);
    if (!t) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return;
    }
    t->by_type = f->type;
    t->window = f->window;
    t->severity = f->severity;
    add_suppression(s, t, DFOPT_SUPPRESSION_SET);
}

/* A global finding that names none clears those of its own type. */
static void clear_own_suppressions(struct dfopt_pass *s,
                                   const struct dfopt_finding *f)
{
    struct dfopt_planner *p = s->p;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n_suppressed; i++) {
        struct dfopt_tag *t = &p->registry.tags[p->suppressed[i]];
        if (t->by_type == f->type && !s->e) {
            add_suppression(s, t, DFOPT_SUPPRESSION_CLEARED);
            t->suppressed = false;
        } else {
            p->suppressed[kept++] = p->suppressed[i];
        }
    }
    p->n_suppressed = kept;
}

static void update_suppressions(struct dfopt_pass *s, const struct dfopt_finding *f)
{
    size_t n;
    const dfopt_sym *tags = dfopt_dict_items(s->p->dict, f->suppresses, &n);
    if (n == 0)
        clear_own_suppressions(s, f);
    for (size_t i = 0; i < n && !s->e; i++)
        suppress(s, f, tags[i]);
}

static bool is_suppressed(const struct dfopt_planner *p,
                          const struct dfopt_finding *f, const struct dfopt_tag *t)
{
    const struct dfopt_switches *on = &p->policy->on;
    if (!t->suppressed)
        return false;
    if (on->suppression_ttl_windows &&
        f->window - t->window >= on->suppression_ttl_windows)
        return false;
    if (f->global)
        return !on->global_exempt;
    return f->node == DFOPT_SYM_EMPTY || !(f->severity > t->severity);
}

/* ---- findings under control ---- */

static struct dfopt_view *find_view(const struct dfopt_planner *p, dfopt_sym type)
{
    for (uint32_t i = 0; i < p->n_views; i++)
        if (p->views[i].type == type)
            return &p->views[i];
    return NULL;
}

/* Notes a finding about the whole job. */
static void note_view(struct dfopt_pass *s, const struct dfopt_finding *f)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_view *view = find_view(p, f->type);
    if (!view && p->n_views == p->cap_views) {
        const uint32_t cap = p->cap_views ? p->cap_views * 2 : 16;
        struct dfopt_view *more = realloc(p->views, cap * sizeof *more);
        if (!more) {
            dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
            return;
        }
        p->views = more;
        p->cap_views = cap;
    }
    view = view ? view : &p->views[p->n_views++];
    *view = (struct dfopt_view){f->type, f->window};
}

/* Whether the policy reads the objective from this finding into *x. */
static bool has_objective_metric(const struct dfopt_policy *policy,
                                 const struct dfopt_finding *f, double *x)
{
    const struct dfopt_objective_metric *m = &policy->objective_metric;
    if (m->metric == DFOPT_METRIC_NONE ||
        f->metric_state[m->metric] != DFOPT_METRIC_NUMBER)
        return false;
    *x = f->metric[m->metric];
    for (uint32_t i = 0; i < m->types.n; i++)
        if (policy->names[m->types.first + i] == f->type)
            return true;
    return !m->some_types;
}

static void observe_objective(struct visit *v, struct dfopt_site *site)
{
    const struct dfopt_finding *f = v->look.f;
    const struct dfopt_policy *policy = v->look.pass->p->policy;
    const struct dfopt_series *r = site->series;
    double x;
    if (!v->own || !has_objective_metric(policy, f, &x) ||
        (r && r->n && f->window <= r->newest))
        return;
    dfopt_objective_take(v->look.pass, v->look.node, f->window, x,
                         policy->objective_metric.goal);
}

static void observe(struct visit *v)
{
    struct dfopt_pass *s = v->look.pass;
    struct dfopt_planner *p = s->p;
    const struct dfopt_finding *f = v->look.f;
    const uint32_t node = v->look.node;
    const int64_t window = f->window;
    struct dfopt_site *site = dfopt_site_advance(s, node, window);
    v->look.site = site;
    if (!site)
        return;
    observe_objective(v, site);
    if (p->policy->n_guards)
        dfopt_guards_check(s, node, f->type, f->metric_state, f->metric, window);
    if (v->own && node == DFOPT_JOB_NODE)
        note_view(s, f);
    for (const dfopt_sym *tag = v->tags, *end = tag + v->n_tags; tag < end; tag++)
        dfopt_site_demand(s, site, *tag, window);
    if (v->own && f->trend == DFOPT_TREND_WORSENING && !site->trial &&
        !dfopt_site_has_objective(p, site))
        dfopt_site_relearn(site);
    if (site->trial)
        dfopt_judge(s, node, window, f);
}

/* Computes the gate inputs that all pairs share. */
static void prepare_gates(struct visit *v)
{
    struct dfopt_look *l = &v->look;
    const struct dfopt_planner *p = l->pass->p;
    l->job_tries = dfopt_job_tries(p, l->node);
    if (l->node == DFOPT_JOB_NODE && !v->own) {
        const struct dfopt_view *view = find_view(p, l->f->type);
        l->superseded = view && l->site->clock - view->window <= 1;
    }
}

/* ---- findings ---- */

static void add_row(struct visit *v, enum dfopt_verdict verdict)
{
    static const struct dfopt_about nothing = {DFOPT_SYM_NONE, DFOPT_SYM_NONE,
                                               DFOPT_SYM_EMPTY};
    dfopt_pass_row(v->look.pass, v->look.node,
                   dfopt_pass_own(v->look.pass, v->look.node), verdict, nothing,
                   DFOPT_NOT_COMPARED);
}

static void handle_pair(struct visit *v, const struct dfopt_tag_response *r,
                        bool improving)
{
    struct dfopt_look *l = &v->look;
    struct dfopt_place place = {.taken = true, .position = v->position};
    struct dfopt_compared c = DFOPT_NOT_COMPARED;
    const enum dfopt_verdict verdict =
        improving ? DFOPT_VERDICT_TREND : dfopt_respond(l, r, &place, &c);
    dfopt_look_row(l, v->position, verdict, r->r.tag,
                   l->pass->p->registry.knobs[r->knob].id, c);
}

static void handle_tag(struct visit *v, dfopt_sym tag, bool improving)
{
    struct dfopt_look *l = &v->look;
    const struct dfopt_registry *g = &l->pass->p->registry;
    const uint32_t index = dfopt_symmap_get(&g->tag_of, tag);
    const struct dfopt_tag *t = index == DFOPT_SYMMAP_NONE ? NULL : &g->tags[index];
    const bool suppressed = t && is_suppressed(l->pass->p, l->f, t);
    if (suppressed || !t || t->n_responses == 0) {
        struct dfopt_compared c = DFOPT_NOT_COMPARED;
        if (suppressed)
            c = (struct dfopt_compared){l->f->severity, t->severity};
        if (v->own)
            dfopt_look_row(l, v->position,
                           suppressed ? DFOPT_VERDICT_SUPPRESSED
                                      : DFOPT_VERDICT_NO_RESPONSE,
                           tag, DFOPT_SYM_NONE, c);
        v->position++;
        return;
    }
    for (uint32_t i = 0; i < t->n_responses && !l->pass->e; i++, v->position++) {
        const struct dfopt_tag_response *r = &t->responses[i];
        const bool per_node = g->states[r->knob].per_node;
        if (v->own ? per_node || l->node == DFOPT_JOB_NODE : !per_node)
            handle_pair(v, r, improving);
    }
}

/* Handles a finding at one site. */
static void visit_site(struct dfopt_pass *s, const struct dfopt_finding *f,
                       dfopt_sym site_name)
{
    struct dfopt_planner *p = s->p;
    struct visit v = {.look = {.pass = s, .f = f},
                      .own = site_name == f->node,
                      .position = DFOPT_POSITION_TAG};
    v.tags = dfopt_dict_items(p->dict, f->tags, &v.n_tags);
    v.look.node = dfopt_slots_node(&p->slots, site_name);
    if (v.look.node == DFOPT_SYMMAP_NONE)
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
    else if (p->control)
        observe(&v);
    if (s->e)
        return;
    const bool improving = f->trend == DFOPT_TREND_IMPROVING &&
                           !(v.look.site && v.look.site->n_adjustments);
    if (v.own && improving) {
        add_row(&v, DFOPT_VERDICT_TREND);
        return;
    }
    if (f->global)
        update_suppressions(s, f);
    if (p->registry.n_knobs == 0) {
        add_row(&v, DFOPT_VERDICT_NO_KNOBS);
        return;
    }
    if (v.look.site)
        prepare_gates(&v);
    for (size_t i = 0; i < v.n_tags && !s->e; i++)
        handle_tag(&v, v.tags[i], improving);
    if (v.look.site && !s->e)
        dfopt_trial_opened(p, v.look.node);
}

bool dfopt_planner_concerns_job(const struct dfopt_planner *p,
                                const struct dfopt_finding *f)
{
    size_t n;
    double x;
    if (f->node == DFOPT_SYM_EMPTY)
        return true;
    if (p->registry.n_job_knobs == 0)
        return false;
    const dfopt_sym *tags = dfopt_dict_items(p->dict, f->tags, &n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t at = dfopt_symmap_get(&p->registry.tag_of, tags[i]);
        if (at != DFOPT_SYMMAP_NONE && p->registry.tags[at].n_job)
            return true;
    }
    return p->control && dfopt_policy_guard(p->policy, f->type, f->metric_state,
                                            f->metric, &x) < p->policy->n_guards;
}

/* The router may send a planner more findings than concern the job. */
static bool is_owned(const struct dfopt_planner *p, const struct dfopt_finding *f)
{
    return dfopt_planner_decides(p, f->node);
}

static void visit_sites(struct dfopt_pass *s, const struct dfopt_finding *f)
{
    if (f->node != DFOPT_SYM_EMPTY && dfopt_planner_concerns_job(s->p, f))
        visit_site(s, f, DFOPT_SYM_EMPTY);
    if (is_owned(s->p, f) && !s->e)
        visit_site(s, f, f->node);
}

static bool reports_of(const struct dfopt_planner *p, dfopt_sym node)
{
    if (node == DFOPT_SYM_EMPTY)
        return !p->silent_job;
    return !p->reports || p->reports(p->owns_arg, node);
}

/* Adds the row of a finding whose node is unknown. */
static void add_no_knobs(struct dfopt_pass *s, bool of_node)
{
    const struct dfopt_verdict_row row = {.seq = s->seq,
                                          .position = dfopt_pass_own(s, of_node),
                                          .verdict = DFOPT_VERDICT_NO_KNOBS,
                                          .tag = DFOPT_SYM_NONE,
                                          .knob = DFOPT_SYM_NONE,
                                          .node = DFOPT_SYM_EMPTY,
                                          .value = NAN,
                                          .threshold = NAN};
    dfopt_pass_fail(s, dfopt_buf_add(&s->out->verdicts, &row, sizeof row));
}

enum dfopt_err dfopt_planner_finding(struct dfopt_planner *p, uint64_t seq,
                                     const struct dfopt_finding *f,
                                     struct dfopt_decisions *out)
{
    struct dfopt_pass s = dfopt_pass_begin(p, seq, out);
    if (p->registry.n_knobs == 0 && !p->policy->on.suppress_before_registration) {
        if (is_owned(p, f) && reports_of(p, f->node))
            add_no_knobs(&s, f->node != DFOPT_SYM_EMPTY);
    } else {
        visit_sites(&s, f);
    }
    return dfopt_pass_end(&s);
}

/* ---- objectives ---- */

enum dfopt_err dfopt_planner_objective(struct dfopt_planner *p, uint64_t seq,
                                       const struct dfopt_objective *o,
                                       struct dfopt_decisions *out)
{
    if (!p->control || !dfopt_planner_decides(p, o->node))
        return DFOPT_OK;
    struct dfopt_pass s = dfopt_pass_begin(p, seq, out);
    const uint32_t node = dfopt_slots_node(&p->slots, o->node);
    if (node == DFOPT_SYMMAP_NONE)
        return DFOPT_ERR_NOMEM;
    if (dfopt_site_advance(&s, node, o->window)) {
        dfopt_guards_check(&s, node, DFOPT_SYM_NONE, o->metric_state, o->metric,
                           o->window);
        dfopt_objective_take(&s, node, o->window, o->value, o->goal);
    }
    return dfopt_pass_end(&s);
}
