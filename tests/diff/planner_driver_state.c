/* The state that planner_driver prints at the end. */
#include "planner_driver.h"

static const char *direction_name(uint32_t direction)
{
    return direction == DFOPT_MOVE_RELEASE ? "release"
           : direction == DFOPT_MOVE_TRADE ? "trade"
                                           : dfopt_direction_name(direction);
}

static dfopt_sym knob_name(const struct dfopt_planner *p, uint32_t knob)
{
    return p->registry.knobs[knob].id;
}

static void put_series(struct driver *d, const struct dfopt_series *r)
{
    raw(d, ",\"ring\":[");
    for (uint32_t i = 0; r && i < r->n; i++) {
        const uint32_t at = dfopt_ring_at(r->next, r->n - i);
        put_int(d, i ? ",[" : "[", r->window[at]);
        put_real(d, ",", r->value[at]);
        raw(d, "]");
    }
    raw(d, "],\"diffs\":[");
    for (uint32_t i = 0; r && i < r->n_diffs; i++)
        put_real(d, i ? "," : "",
                 r->diff[dfopt_ring_at(r->next_diff, r->n_diffs - i)]);
    raw(d, "]");
}

/* In order of the names' numbers: planners know tags in different orders. */
static void put_demand(struct driver *d, const struct dfopt_planner *p,
                       const struct dfopt_site *s)
{
    const char *separator = "";
    uint64_t from = 0;
    for (;;) {
        uint32_t next = DFOPT_SYMMAP_NONE;
        for (uint32_t i = 0; i < p->registry.n_tags; i++) {
            const struct dfopt_run *run = dfopt_site_run(s, i);
            const dfopt_sym name = p->registry.tags[i].name;
            if (run && run->last != DFOPT_NO_WINDOW && name >= from &&
                (next == DFOPT_SYMMAP_NONE || name < p->registry.tags[next].name))
                next = i;
        }
        if (next == DFOPT_SYMMAP_NONE)
            return;
        from = (uint64_t)p->registry.tags[next].name + 1;
        put_sym(d, separator, p->registry.tags[next].name);
        put_int(d, ":[", dfopt_site_run(s, next)->first);
        put_int(d, ",", dfopt_site_run(s, next)->last);
        raw(d, "]");
        separator = ",";
    }
}

static void put_adjustments(struct driver *d, const struct dfopt_planner *p,
                            const struct dfopt_site *s)
{
    raw(d, ",\"adjustments\":{");
    for (const struct dfopt_adjustment *a = s->first; a; a = a->next) {
        put_sym(d, a == s->first ? "" : ",", knob_name(p, a->knob));
        put_value(d, ":{\"base\":", a->base);
        put_value(d, ",\"prev\":", a->prev);
        put_value(d, ",\"delta\":", a->delta);
        put_bool(d, ",\"proven\":", a->proven);
        put_int(d, ",\"inconclusive\":", a->inconclusive);
        put_value(d, ",\"anchor\":", a->anchor);
        put_bool(d, ",\"hurt\":", a->hurt);
        raw(d, "}");
    }
    raw(d, "},\"backoffs\":[");
    const char *before = "[";
    for (const struct dfopt_adjustment *a = s->first; a; a = a->next)
        for (uint32_t i = 0; i < DFOPT_MOVE_COUNT; i++)
            if (a->failures[i]) {
                put_sym(d, before, knob_name(p, a->knob));
                put_text(d, ",", direction_name(i));
                put_int(d, ",", a->until[i]);
                put_int(d, ",", a->failures[i]);
                raw(d, "]");
                before = ",[";
            }
    raw(d, "]");
}

static void put_trial(struct driver *d, const struct dfopt_planner *p,
                      const struct dfopt_trial *t)
{
    static const char *const kinds[] = {"demand", "trade", "release", "rollback"};
    raw(d, ",\"trial\":");
    if (!t) {
        raw(d, "null");
        return;
    }
    put_text(d, "{\"kind\":", kinds[t->kind]);
    put_int(d, ",\"window\":", t->window);
    put_int(d, ",\"effect\":", t->effect);
    put_int(d, ",\"before\":", t->before);
    if (t->base_n) {
        put_real(d, ",\"base\":[", t->base);
        put_int(d, ",", t->base_n);
        raw(d, "]");
    } else {
        raw(d, ",\"base\":null");
    }
    put_int(d, ",\"seen\":", t->seen);
    put_int(d, ",\"last\":", t->last);
    raw(d, ",\"moves\":{");
    for (uint32_t i = 0; i < t->n_moves; i++) {
        const struct dfopt_move *m = &t->moves[i];
        put_sym(d, i ? "," : "", knob_name(p, m->knob));
        put_value(d, ":[", m->old);
        put_value(d, ",", m->new);
        put_bool(d, ",", m->answered);
        put_text(d, ",", direction_name(m->direction));
        raw(d, "]");
    }
    raw(d, "}}");
}

static void put_site(struct driver *d, const struct dfopt_planner *p, uint32_t node)
{
    const struct dfopt_site *s = p->slots.nodes[node].site;
    put_int(d, "{\"clock\":", s->clock);
    put_series(d, s->series);
    put_int(d, ",\"goal\":", s->goal);
    put_int(d, ",\"since\":", s->since);
    if (s->reference_n) {
        put_real(d, ",\"reference\":[", s->reference);
        put_int(d, ",", s->reference_n);
        raw(d, "]");
    } else {
        raw(d, ",\"reference\":null");
    }
    put_bool(d, ",\"isolate\":", s->isolate);
    put_int(d, ",\"rest\":", s->rest);
    raw(d, ",\"epoch_delay\":");
    if (s->epoch_delay < 0)
        raw(d, "null");
    else
        dfopt_put_int(&d->put, s->epoch_delay);
    raw(d, ",\"demand\":{");
    put_demand(d, p, s);
    raw(d, "},\"views\":{");
    for (uint32_t i = 0; node == DFOPT_JOB_NODE && i < p->n_views; i++) {
        put_sym(d, i ? "," : "", p->views[i].type);
        put_int(d, ":", p->views[i].window);
    }
    raw(d, "}");
    put_adjustments(d, p, s);
    put_trial(d, p, s->trial);
    raw(d, "}");
}

static void put_sites(struct driver *d)
{
    const char *before = "";
    raw(d, ",\"sites\":{");
    for (uint32_t i = 0; i < d->planners; i++)
        for (uint32_t node = i ? 1 : 0; node < d->planner[i]->slots.n_nodes; node++)
            if (d->planner[i]->slots.nodes[node].site) {
                put_sym(d, before,
                        dfopt_slots_node_name(&d->planner[i]->slots, node));
                raw(d, ":");
                put_site(d, d->planner[i], node);
                before = ",";
            }
    raw(d, "}");
}

/* Whether all planners have the same state of the job's site. */
static bool jobs_agree(struct driver *d)
{
    struct dfopt_buf first = {0};
    bool agree = true;
    for (uint32_t i = 0; i < d->planners; i++) {
        if (!d->planner[i]->slots.nodes[DFOPT_JOB_NODE].site)
            continue;
        begin_line(d);
        put_site(d, d->planner[i], DFOPT_JOB_NODE);
        if (!first.len)
            add(&first, &d->line);
        agree &= first.len == d->line.len &&
                 memcmp(first.data, d->line.data, first.len) == 0;
    }
    dfopt_buf_free(&first);
    return agree;
}

void print_final(struct driver *d)
{
    struct dfopt_buf rows = {0}, suppressions = {0};
    must(jobs_agree(d), "the planners' states of the job differ");
    for (uint32_t i = 0; i < d->planners; i++)
        must(dfopt_planner_state(d->planner[i], i == 0, &rows, &suppressions) ==
                 DFOPT_OK,
             "out of memory");
    begin_line(d);
    raw(d, "{\"final\":");
    must(dfopt_codec_state_json(
             d->dict, DFOPT_ROW(&rows, struct dfopt_state_row),
             DFOPT_ROWS(&rows, struct dfopt_state_row),
             DFOPT_ROW(&suppressions, struct dfopt_suppression_state),
             DFOPT_ROWS(&suppressions, struct dfopt_suppression_state),
             &d->line) == DFOPT_OK,
         "out of memory");
    if (d->policy.on.effect != DFOPT_EFFECT_SEVERITY) {
        d->line.len--; /* into the object */
        put_sites(d);
        raw(d, "}");
    }
    end_line(d);
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
}
