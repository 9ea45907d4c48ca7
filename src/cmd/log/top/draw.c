/* Draws the panes on 80 columns or more; names and trends get the extra width. */
#include "cmd/log/top/view.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define HEAD_ROWS 3

static const char *text_of(const struct top_view *v, dfopt_sym s)
{
    return s == DFOPT_SYM_NONE ? "" : dfopt_dict_text(v->load->model.dict, s, NULL);
}

static const char *node_of(const struct top_view *v, dfopt_sym node)
{
    return node == DFOPT_SYM_EMPTY ? "(whole job)" : text_of(v, node);
}

/* ---- numbers for people ---- */

/* Three significant digits, or all before the point; large numbers get a suffix. */
static void number(char *out, size_t size, double d)
{
    static const char letters[] = "kMGT";
    int letter = -1;
    while (fabs(d) >= 9999.5 && letter < 3) {
        d /= 1000;
        letter++;
    }
    if (isnan(d))
        snprintf(out, size, "-");
    else
        snprintf(out, size, fabs(d) >= 100 ? "%.0f%.*s" : "%.3g%.*s", d,
                 letter >= 0, letters + (letter < 0 ? 0 : letter));
}

static void value(const struct top_view *v, char *out, size_t size,
                  struct dfopt_value of)
{
    if (of.kind == DFOPT_KIND_STR)
        snprintf(out, size, "%s", text_of(v, of.str));
    else if (of.kind == DFOPT_KIND_BOOL)
        snprintf(out, size, "%s", of.i ? "true" : "false");
    else if (of.kind == DFOPT_KIND_INT)
        snprintf(out, size, "%" PRId64, of.i);
    else
        number(out, size, dfopt_value_as_double(of));
}

static void count(char *out, size_t size, uint64_t n)
{
    char digits[32];
    const int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t at = 0;
    for (int i = 0; i < len && at + 2 < size; i++) {
        if (i && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void gain(char *out, size_t size, const struct dl_claim *c)
{
    if (isnan(c->gain))
        snprintf(out, size, "%s", "");
    else if (isnan(c->error))
        snprintf(out, size, "%+.1f %%", 100 * c->gain);
    else
        snprintf(out, size, "%+.1f %% +-%.1f", 100 * c->gain, 200 * c->error);
}

static unsigned style_of_fate(uint32_t fate)
{
    return fate == TOP_KEPT ? TOP_GREEN
           : fate == TOP_REVERTED || fate == TOP_REJECTED || fate == TOP_WITHDRAWN
               ? TOP_RED
           : fate == TOP_GIVEN_UP ? TOP_YELLOW
                                  : TOP_PLAIN;
}

/* ---- the head ---- */

static void draw_title(const struct top_view *v, struct top_canvas *c)
{
    const struct top_load *l = v->load;
    const char *state = v->paused ? "paused" : l->over ? l->over : "live";
    const int end = top_put(c, 0, 1, c->columns - 24, TOP_BOLD, "dfopt-log top  ");
    const int room = c->columns - end - 22;
    char since[48] = "";
    int own = 0;
    if (l->stream_from)
        own =
            snprintf(since, sizeof since, "  since event %" PRIu64, l->stream_from);
    top_put(c, 0, end, room - own, TOP_BOLD, l->job->args.file[0]);
    top_put_right(c, 0, end, room, TOP_BOLD, since);
    top_put_right(c, 0, c->columns - 22, 21, TOP_BOLD, state);
    top_style_row(c, 0, TOP_REVERSE);
}

static void draw_run(const struct top_view *v, struct top_canvas *c)
{
    const struct dfopt_declog_run *run = v->load->job->run;
    char window[32] = "-";
    const int64_t up_s = (run->last.at.wall_ns - run->created_ns) / 1000000000;
    if (v->load->model.window >= 0)
        snprintf(window, sizeof window, "%" PRId64, v->load->model.window);
    top_putf(c, 1, 1, c->columns - 2, TOP_PLAIN,
             "%s, %" PRId64 " rank%s, preset %s, acks %s   window %s"
             "   up %" PRId64 ":%02d:%02d",
             run->transport, run->ranks, run->ranks == 1 ? "" : "s", run->preset,
             run->acks_mode, window, up_s < 0 ? 0 : up_s / 3600,
             up_s < 0 ? 0 : (int)(up_s / 60 % 60), up_s < 0 ? 0 : (int)(up_s % 60));
}

static void draw_totals(const struct top_view *v, struct top_canvas *c)
{
    const struct top_load *l = v->load;
    const struct top_model *m = &l->model;
    struct dfopt_declog_reader *r = l->job->reader;
    char findings[32], plans[32], acks[32], objective[32], rate[48] = "",
                                                           by[32] = "";
    count(findings, sizeof findings,
          dfopt_declog_reader_rows(r, DFOPT_TABLE_FINDINGS));
    count(plans, sizeof plans, dfopt_declog_reader_rows(r, DFOPT_TABLE_PLANS));
    count(acks, sizeof acks, dfopt_declog_reader_rows(r, DFOPT_TABLE_ACKS));
    number(objective, sizeof objective, m->objective);
    if (!l->over && !isnan(l->findings_per_s))
        snprintf(rate, sizeof rate, " (%.0f/s)", l->findings_per_s);
    if (m->first_objective != 0 && !isnan(m->objective))
        snprintf(by, sizeof by, " (%+.0f %%)",
                 100 * (double)m->goal * (m->objective - m->first_objective) /
                     fabs(m->first_objective));
    int at = top_putf(c, 2, 1, c->columns - 2, TOP_PLAIN, "findings %s%s  plans %s",
                      findings, rate, plans);
    if (!isnan(m->objective))
        at = top_putf(c, 2, at, c->columns - at - 1, TOP_BOLD, "  objective %s%s",
                      objective, by);
    at = top_putf(c, 2, at, c->columns - at - 1, TOP_GREEN, "  kept %" PRIu64 "  ",
                  m->kept);
    at = top_putf(c, 2, at, c->columns - at - 1, m->reverted ? TOP_RED : TOP_PLAIN,
                  "reverted %" PRIu64, m->reverted);
    (void)top_putf(c, 2, at, c->columns - at - 1, TOP_PLAIN,
                   "  neutral %" PRIu64 "  acks %s", m->neutral, acks);
}

/* ---- rows of the panes ---- */

static void knob_row(const struct top_view *v, struct top_canvas *c, int row,
                     uint32_t i)
{
    const struct top_knob *k = top_knob_at(&v->load->model, i);
    const int more = c->columns - 80, name = 17 + more / 4, trend = 12 + more / 4;
    char low[32], mid[32], high[32], text[100], by[48];
    double share;
    int at = 1;
    top_put(c, row, at, name, TOP_PLAIN, text_of(v, k->knob));
    at += name + 1;
    number(low, sizeof low, k->min);
    number(mid, sizeof mid, k->median);
    number(high, sizeof high, k->max);
    if (k->text.kind != DFOPT_KIND_NULL)
        value(v, text, sizeof text, k->text);
    else if (k->min < k->max)
        snprintf(text, sizeof text, "%s<%s<%s", low, mid, high);
    else
        snprintf(text, sizeof text, "%s", mid);
    const bool at_bound = k->lo < k->hi && k->max >= k->hi;
    top_put(c, row, at, 12, at_bound ? TOP_YELLOW : TOP_BOLD, text);
    at += 13;
    top_spark(c, row, at, trend, k->trend, k->n_trend);
    at += trend + 1;
    number(text, sizeof text, (double)k->plans);
    top_put_right(c, row, at, 5, TOP_PLAIN, text);
    at += 6;
    if (k->last.id) {
        gain(by, sizeof by, &k->last.claim);
        snprintf(text, sizeof text, "%s %s", dfopt_verdict_name(k->last.verdict),
                 by);
        top_put(c, row, at, 14 + more / 4, style_of_fate(k->last.fate), text);
    }
    at += 15 + more / 4;
    const uint32_t blocks = top_blocked_by(k, &share);
    if (blocks != DFOPT_VERDICT_COUNT)
        top_putf(c, row, at, c->columns - at - 1, TOP_PLAIN, "%.0f%% %s",
                 100 * share,
                 c->columns >= 140 ? dfopt_verdict_meaning(blocks)
                                   : dfopt_verdict_name(blocks));
}

static void node_row(const struct top_view *v, struct top_canvas *c, int row,
                     uint32_t i)
{
    const struct top_node *n = top_node_at(&v->load->model, i);
    const int more = c->columns - 80, name = 18 + more / 3, tag = 17 + more / 3;
    char text[100];
    int at = 1;
    const bool old = n->window < 0 || n->window + 10 < v->load->model.window;
    top_put(c, row, at, name, old ? TOP_DIM : TOP_PLAIN, node_of(v, n->node));
    at += name + 1;
    if (n->window >= 0)
        top_putf(c, row, at, 5,
                 old                  ? TOP_DIM
                 : n->severity >= 0.8 ? TOP_RED
                                      : TOP_BOLD,
                 "%.2f", n->severity);
    at += 6;
    if (n->window >= 0)
        top_putf(c, row, at, 7, TOP_PLAIN, "%" PRId64, n->window);
    at += 8;
    top_put(c, row, at, tag, old ? TOP_DIM : TOP_PLAIN,
            text_of(v, n->tag != DFOPT_SYM_NONE ? n->tag : n->type));
    at += tag + 1;
    number(text, sizeof text, (double)n->plans);
    top_put_right(c, row, at, 5, TOP_PLAIN, text);
    at += 6;
    number(text, sizeof text, n->objective);
    top_put_right(c, row, at, 8, TOP_PLAIN, text);
    at += 9;
    if (n->verdict != DFOPT_VERDICT_COUNT)
        top_put(c, row, at, c->columns - at - 1, TOP_PLAIN,
                dfopt_verdict_name(n->verdict));
}

/* An applied plan is on trial, unless plans are not judged. */
static const char *fate_of(const struct top_view *v, const struct top_plan *p)
{
    struct dfopt_error err;
    enum dl_end_of end = DL_END_OPEN;
    const bool assumed = strcmp(v->load->job->run->acks_mode, "assumed") == 0;
    if (p->id && (p->fate == TOP_APPLIED || (p->fate == TOP_SENT && assumed)))
        (void)dl_end_by_rationale(v->load->job->reader, p->rationale, DL_END_OPEN,
                                  &end, &err);
    return end == DL_END_OPEN ? top_fate_name(p->fate) : dl_end_name(end);
}

static void plan_row(const struct top_view *v, struct top_canvas *c, int row,
                     uint32_t i)
{
    const struct top_plan *p = top_plan_at(&v->load->model, i);
    const int more = c->columns - 80, name = 15 + more / 3;
    char was[64], becomes[64], text[140];
    int at = 1;
    top_putf(c, row, at, 7, TOP_PLAIN, "%" PRId64, p->window);
    at += 8;
    if (p->targets > 1)
        top_putf(c, row, at, name, TOP_PLAIN, "%" PRIu32 " nodes", p->targets);
    else
        top_put(c, row, at, name, TOP_PLAIN, node_of(v, p->node));
    at += name + 1;
    top_put(c, row, at, name, TOP_PLAIN, text_of(v, p->knob));
    at += name + 1;
    value(v, was, sizeof was, p->was);
    value(v, becomes, sizeof becomes, p->becomes);
    snprintf(text, sizeof text, "%s -> %s", was, becomes);
    top_put(c, row, at, 13, TOP_BOLD, text);
    at += 14;
    top_put(c, row, at, 10, style_of_fate(p->fate), fate_of(v, p));
    at += 11;
    gain(text, sizeof text, &p->claim);
    top_put(c, row, at, c->columns - at - 1,
            p->claim.certain ? style_of_fate(p->fate) : TOP_PLAIN, text);
}

/* ---- panes ---- */

static void pane_title(const struct top_view *v, struct top_canvas *c, int row,
                       enum top_pane pane)
{
    const int more = c->columns - 80;
    const unsigned style = TOP_BOLD | (v->focus == pane ? TOP_REVERSE : 0u);
    char number_of[48], shown[32];
    count(shown, sizeof shown, v->list[pane].n);
    snprintf(number_of, sizeof number_of, "%s %s",
             pane == TOP_KNOBS   ? "KNOBS"
             : pane == TOP_NODES ? "NODES"
                                 : "PLANS",
             shown);
    int at = 1;
    top_style_row(c, row, style);
    if (pane == TOP_KNOBS) {
        top_put(c, row, at, 17, style, number_of);
        at += 18 + more / 4;
        top_put(c, row, at, 12, style, "VALUE");
        top_put(c, row, at + 13, 12, style, "TREND");
        at += 26 + more / 4;
        top_put(c, row, at, 5, style, "PLANS");
        top_put(c, row, at + 6, 14, style, "LAST OUTCOME");
        top_put(c, row, at + 21 + more / 4, 10, style, "BLOCKED BY");
    } else if (pane == TOP_NODES) {
        top_put(c, row, at, 18, style, number_of);
        at += 19 + more / 3;
        top_put(c, row, at, 5, style, "NEED");
        top_put(c, row, at + 6, 7, style, "WINDOW");
        top_put(c, row, at + 14, 17, style, "ASKS FOR");
        at += 32 + more / 3;
        top_put(c, row, at, 5, style, "PLANS");
        top_put(c, row, at + 6, 9, style, "OBJECTIVE");
        top_put(c, row, at + 16, 12, style, "VERDICT");
    } else {
        top_put(c, row, at, 7, style, "WINDOW");
        at += 8;
        top_put(c, row, at, 15, style, "NODE");
        at += 16 + more / 3;
        top_put(c, row, at, 15, style, number_of);
        at += 16 + more / 3;
        top_put(c, row, at, 13, style, "CHANGE");
        top_put(c, row, at + 14, 10, style, "FATE");
        top_put(c, row, at + 25, 12, style, "GAIN");
    }
}

static void draw_pane(struct top_view *v, struct top_canvas *c, enum top_pane pane,
                      int row, int rows)
{
    static void (*const draw_row[])(const struct top_view *v, struct top_canvas *c,
                                    int row,
                                    uint32_t i) = {[TOP_KNOBS] = knob_row,
                                                   [TOP_NODES] = node_row,
                                                   [TOP_PLANS_PANE] = plan_row};
    struct top_list *l = &v->list[pane];
    pane_title(v, c, row, pane);
    if (l->selected < l->first)
        l->first = l->selected;
    if (rows > 1 && l->selected >= l->first + (size_t)(rows - 1))
        l->first = l->selected - (size_t)(rows - 2);
    for (int i = 1; i < rows && l->first + (size_t)i - 1 < l->n; i++) {
        const size_t at = l->first + (size_t)i - 1;
        draw_row[pane](v, c, row + i, l->item[at]);
        if (pane == v->focus && at == l->selected)
            top_style_row(c, row + i, TOP_REVERSE);
    }
}

static void draw_foot(const struct top_view *v, struct top_canvas *c)
{
    const int row = c->rows - 1;
    if (v->typing)
        top_putf(c, row, 1, c->columns - 2, TOP_BOLD, "filter: %s_", v->filter);
    else
        top_putf(c, row, 1, c->columns - 2, TOP_DIM,
                 "q quit  Tab pane  s sort: %s  / filter%s%s  Space %s  Enter why",
                 top_view_order(v), v->filter[0] ? ": " : "", v->filter,
                 v->paused ? "go on" : "pause");
}

void top_draw(struct top_view *v, struct top_canvas *c)
{
    const int rows = c->rows - HEAD_ROWS - 1; /* for all panes with their titles */
    int of[TOP_PANES] = {(int)v->list[TOP_KNOBS].n + 1, 0, 0};
    const int most = rows / (v->focus == TOP_KNOBS ? 2 : 3);
    if (of[TOP_KNOBS] > most)
        of[TOP_KNOBS] = most;
    const int left = rows - of[TOP_KNOBS];
    of[TOP_PLANS_PANE] = v->focus == TOP_PLANS_PANE ? left * 2 / 3
                         : v->focus == TOP_NODES    ? left / 3
                                                    : left / 2;
    of[TOP_NODES] = left - of[TOP_PLANS_PANE];
    /* no list for a single node that is the whole job */
    if (of[TOP_NODES] > (int)v->list[TOP_NODES].n + 1) {
        of[TOP_NODES] = (int)v->list[TOP_NODES].n + 1;
        of[TOP_PLANS_PANE] = left - of[TOP_NODES];
    }
    draw_title(v, c);
    draw_run(v, c);
    draw_totals(v, c);
    int row = HEAD_ROWS;
    for (enum top_pane pane = 0; pane < TOP_PANES; row += of[pane++])
        draw_pane(v, c, pane, row, of[pane]);
    draw_foot(v, c);
}
