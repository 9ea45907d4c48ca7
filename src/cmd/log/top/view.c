/* Orders and selections. */
#include "cmd/log/top/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_WINDOWS 10 /* an older finding no longer raises urgency */
#define WHY_WINDOWS   20 /* before and after */

static const char *const orders[TOP_PANES][4] = {
    [TOP_KNOBS] = {"as registered", "plans", "blocked", "name"},
    [TOP_NODES] = {"need", "name", "plans", "objective"},
    [TOP_PLANS_PANE] = {"latest", "gain", "knob", "node"}};

void top_view_free(struct top_view *v)
{
    for (int i = 0; i < TOP_PANES; i++)
        free(v->list[i].item);
}

const char *top_view_order(const struct top_view *v)
{
    return orders[v->focus][v->list[v->focus].sort];
}

void top_view_next_order(struct top_view *v)
{
    struct top_list *l = &v->list[v->focus];
    l->sort = (l->sort + 1) % 4;
    l->selected = l->first = 0;
}

/* ---- comparing; ties are broken by index ---- */

static int by_number(double a, double b) /* largest first, NaN last */
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a < b) - (a > b);
}

static int by_name(const struct top_view *v, dfopt_sym a, dfopt_sym b)
{
    return strcmp(dfopt_dict_text(v->load->model.dict, a, NULL),
                  dfopt_dict_text(v->load->model.dict, b, NULL));
}

static int compare_knobs(const struct top_view *v, uint32_t a, uint32_t b)
{
    const struct top_knob *x = top_knob_at(&v->load->model, a);
    const struct top_knob *y = top_knob_at(&v->load->model, b);
    double share_x, share_y;
    switch (v->list[TOP_KNOBS].sort) {
    case 1:
        return by_number((double)x->plans, (double)y->plans);
    case 2:
        (void)top_blocked_by(x, &share_x);
        (void)top_blocked_by(y, &share_y);
        return by_number(share_x, share_y);
    case 3:
        return by_name(v, x->knob, y->knob);
    default:
        return 0;
    }
}

/* How urgently a node needs attention now. */
static double need(const struct top_view *v, const struct top_node *n)
{
    return n->window < 0 || n->window + FRESH_WINDOWS < v->load->model.window
               ? -1
               : n->severity;
}

static int compare_nodes(const struct top_view *v, uint32_t a, uint32_t b)
{
    const struct top_node *x = top_node_at(&v->load->model, a);
    const struct top_node *y = top_node_at(&v->load->model, b);
    switch (v->list[TOP_NODES].sort) {
    case 1:
        return by_name(v, x->node, y->node);
    case 2:
        return by_number((double)x->plans, (double)y->plans);
    case 3: /* worst first */
        return v->load->model.goal > 0 ? by_number(-x->objective, -y->objective)
                                       : by_number(x->objective, y->objective);
    default:
        return by_number(need(v, x), need(v, y));
    }
}

static int compare_plans(const struct top_view *v, uint32_t a, uint32_t b)
{
    const struct top_plan *x = top_plan_at(&v->load->model, a);
    const struct top_plan *y = top_plan_at(&v->load->model, b);
    switch (v->list[TOP_PLANS_PANE].sort) {
    case 1:
        return by_number(x->claim.gain, y->claim.gain);
    case 2:
        return by_name(v, x->knob, y->knob);
    case 3:
        return by_name(v, x->node, y->node);
    default:
        return 0;
    }
}

struct sorting {
    const struct top_view *v;
    int (*compare)(const struct top_view *v, uint32_t a, uint32_t b);
};

static int order(const void *a, const void *b, void *arg)
{
    const struct sorting *s = arg;
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const int by = s->compare(s->v, x, y);
    return by ? by : (x > y) - (x < y);
}

/* ---- lists ---- */

static bool contains(const struct top_view *v, dfopt_sym name)
{
    return name != DFOPT_SYM_NONE &&
           strstr(dfopt_dict_text(v->load->model.dict, name, NULL), v->filter);
}

static bool shows(const struct top_view *v, enum top_pane pane, uint32_t i)
{
    const struct top_model *m = &v->load->model;
    if (v->filter[0] == '\0')
        return true;
    if (pane == TOP_KNOBS)
        return contains(v, top_knob_at(m, i)->knob);
    if (pane == TOP_NODES)
        return contains(v, top_node_at(m, i)->node);
    const struct top_plan *p = top_plan_at(m, i);
    return contains(v, p->knob) || contains(v, p->node);
}

static enum dfopt_err fill(struct top_view *v, enum top_pane pane, size_t n)
{
    struct top_list *l = &v->list[pane];
    static int (*const compare[])(const struct top_view *v, uint32_t a,
                                  uint32_t b) = {[TOP_KNOBS] = compare_knobs,
                                                 [TOP_NODES] = compare_nodes,
                                                 [TOP_PLANS_PANE] = compare_plans};
    if (n > l->cap) {
        uint32_t *item = realloc(l->item, n * sizeof *item);
        if (!item)
            return DFOPT_ERR_NOMEM;
        l->item = item;
        l->cap = n;
    }
    l->n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (shows(v, pane, i))
            l->item[l->n++] = i;
    struct sorting s = {v, compare[pane]};
    if (l->n > 1)
        qsort_r(l->item, l->n, sizeof *l->item, order, &s);
    if (l->selected >= l->n)
        l->selected = l->n ? l->n - 1 : 0;
    return DFOPT_OK;
}

enum dfopt_err top_view_update(struct top_view *v)
{
    const struct top_model *m = &v->load->model;
    const size_t plans = m->n_plans < TOP_PLANS ? (size_t)m->n_plans : TOP_PLANS;
    enum dfopt_err e = fill(v, TOP_KNOBS, top_knobs(m));
    if (!e)
        e = fill(v, TOP_NODES, top_nodes(m));
    return e ? e : fill(v, TOP_PLANS_PANE, plans);
}

void top_view_move(struct top_view *v, int by)
{
    struct top_list *l = &v->list[v->focus];
    const int64_t to = (int64_t)l->selected + by;
    l->selected = to < 0 || l->n == 0   ? 0
                  : to >= (int64_t)l->n ? l->n - 1
                                        : (size_t)to;
}

bool top_view_question(const struct top_view *v, struct top_question *q)
{
    const struct top_model *m = &v->load->model;
    const struct top_list *l = &v->list[v->focus];
    if (l->selected >= l->n)
        return false;
    const uint32_t i = l->item[l->selected];
    *q = (struct top_question){
        .node = DFOPT_SYM_NONE, .from = m->window - WHY_WINDOWS, .to = m->window};
    if (v->focus == TOP_KNOBS) {
        q->knob = top_knob_at(m, i)->knob;
    } else if (v->focus == TOP_NODES) {
        q->knob = top_node_at(m, i)->knob;
        q->node = top_node_at(m, i)->node;
    } else {
        const struct top_plan *p = top_plan_at(m, i);
        *q = (struct top_question){p->knob, p->node, p->window - WHY_WINDOWS,
                                   p->window + WHY_WINDOWS};
    }
    return q->knob != DFOPT_SYM_NONE;
}
