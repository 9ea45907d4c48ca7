/* One pass over /plans for each site's first plan, one over /objectives. */
#include "cmd/log/brought.h"
#include "cmd/log/switches.h"
#include "declog/cursor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RING DL_BROUGHT_WINDOWS

struct point {
    int64_t window;
    double value;
};

struct ring { /* a site's latest windows */
    struct point at[RING];
    uint32_t n; /* ascending by window */
};

struct site {
    dfopt_sym node;  /* DFOPT_SYM_EMPTY: the job */
    int64_t planned; /* window of its first plan; INT64_MAX: none */
    int64_t goal, last;
    struct ring start, newest;
    double best; /* NaN: none */
};

struct reading {
    struct dl_brought_facts *facts;
    struct dfopt_buf sites; /* struct site; the first is the job */
    uint32_t *index;        /* by string number: 1 + index; 0: none */
    uint32_t n_strings;
    int64_t job_planned; /* by plans for the whole job, which affect nodes, too */
    double min_effect;
};

/* ---- figures ---- */

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(const struct ring *r)
{
    double v[RING];
    for (uint32_t i = 0; i < r->n; i++)
        v[i] = r->at[i].value;
    if (r->n == 0)
        return NAN;
    qsort(v, r->n, sizeof *v, ascending);
    return r->n % 2 ? v[r->n / 2] : v[r->n / 2 - 1] / 2 + v[r->n / 2] / 2;
}

/* Appends to d the relative differences between neighbours. */
static uint32_t add_differences(const struct ring *r, double *d, uint32_t n)
{
    for (uint32_t i = 1; i < r->n; i++) {
        const double x = r->at[i].value, y = r->at[i - 1].value;
        const double size = (fabs(x) + fabs(y)) / 2;
        d[n++] = size > 0 ? fabs(x - y) / size : 0;
    }
    return n;
}

/* Of one window; NaN: too little is known. */
static double noise_of(const struct ring *a, const struct ring *b)
{
    double d[2 * RING];
    const uint32_t m = add_differences(b, d, add_differences(a, d, 0));
    if (m < 4)
        return NAN;
    qsort(d, m, sizeof *d, ascending);
    return fmax(2.22 * d[m / 4], 1.05 * d[m / 2]);
}

static double error_of(double noise, uint32_t n, uint32_t m)
{
    return n && m ? 1.25 * noise * sqrt(1.0 / n + 1.0 / m) : NAN;
}

static void claim(struct dl_brought *b, double error, double min_effect)
{
    const double change = (double)b->goal * (b->now - b->start);
    b->claim.gain = b->start != 0 ? change / fabs(b->start)
                    : change == 0 ? 0
                                  : copysign(1, change);
    b->claim.error = error;
    b->claim.certain = dfopt_gain_is_certain(b->claim.gain, error, b->start_n,
                                             b->now_n, min_effect);
}

/* ---- rows ---- */

static struct site *site_of(struct reading *in, dfopt_sym node)
{
    if (node >= in->n_strings)
        return NULL;
    if (in->index[node] == 0) {
        struct site *s = dfopt_buf_grow(&in->sites, sizeof *s);
        if (!s)
            return NULL;
        *s = (struct site){
            .node = node, .planned = INT64_MAX, .last = INT64_MIN, .best = NAN};
        in->index[node] = (uint32_t)DFOPT_ROWS(&in->sites, struct site);
    }
    return DFOPT_ROW(&in->sites, struct site) + in->index[node] - 1;
}

static void plan_at(struct site *s, int64_t window)
{
    if (s && window < s->planned)
        s->planned = window;
}

static enum dfopt_err see_plan(struct reading *in, const void *row)
{
    const struct dfopt_plan *p = &((const struct dfopt_declog_plan_row *)row)->p;
    in->facts->plans++;
    plan_at(site_of(in, DFOPT_SYM_EMPTY), p->window);
    if (p->node != DFOPT_SYM_EMPTY)
        plan_at(site_of(in, p->node), p->window);
    else if (p->window < in->job_planned)
        in->job_planned = p->window;
    return DFOPT_OK;
}

static void add_point(struct ring *r, struct point p)
{
    if (r->n == RING)
        memmove(r->at, r->at + 1, (RING - 1) * sizeof *r->at);
    else
        r->n++;
    r->at[r->n - 1] = p;
}

/* Either may be NaN. */
static double better(const struct site *s, double a, double b)
{
    return s->goal > 0 ? fmax(a, b) : fmin(a, b);
}

/* Only the first report of a window counts. */
static enum dfopt_err see_objective(struct reading *in, const void *row)
{
    const struct dfopt_declog_objective_row *o = row;
    struct site *s = site_of(in, o->node);
    in->facts->objectives++;
    if (!s)
        return DFOPT_ERR_NOMEM;
    if (o->window <= s->last && s->newest.n > 0)
        return DFOPT_OK;
    if (s->newest.n > 0 && o->goal != s->goal) {
        s->start.n = s->newest.n = 0; /* a different objective */
        s->best = NAN;
    }
    s->goal = o->goal;
    s->last = o->window;
    const struct point p = {o->window, o->value};
    const bool none = s->planned == INT64_MAX && in->job_planned == INT64_MAX;
    if (none ? s->start.n < RING
             : o->window <= s->planned &&
                   (s->node == DFOPT_SYM_EMPTY || o->window <= in->job_planned))
        add_point(&s->start, p);
    add_point(&s->newest, p);
    const double level = median(&s->newest);
    if (s->newest.n == RING)
        s->best = better(s, s->best, level);
    return DFOPT_OK;
}

static enum dfopt_err each(struct dfopt_declog_reader *r,
                           enum dfopt_declog_table table, struct reading *in,
                           enum dfopt_err (*see)(struct reading *, const void *),
                           struct dfopt_error *err)
{
    struct dfopt_cursor c;
    const void *row = NULL;
    dfopt_cursor_init(&c, r, table);
    enum dfopt_err e = dfopt_cursor_row(&c, &row, err);
    while (!e && row) {
        e = see(in, row);
        c.next++;
        if (!e)
            e = dfopt_cursor_row(&c, &row, err);
    }
    dfopt_cursor_free(&c);
    return e;
}

/* ---- the result ---- */

/* The windows that ran with the plans; all of them if there were none. */
static struct ring end_of(const struct reading *in, const struct site *s)
{
    const int64_t planned =
        s->node != DFOPT_SYM_EMPTY && in->job_planned < s->planned ? in->job_planned
                                                                   : s->planned;
    struct ring r = {.n = 0};
    for (uint32_t i = 0; i < s->newest.n; i++)
        if (planned == INT64_MAX || s->newest.at[i].window > planned)
            r.at[r.n++] = s->newest.at[i];
    return r;
}

/* Rings that are not full count as well. */
static double best_of(const struct site *s, double start, double now)
{
    return better(s, better(s, isnan(s->best) ? median(&s->newest) : s->best, now),
                  start);
}

static void tell_job(const struct reading *in, const struct site *s)
{
    struct dl_brought *b = &in->facts->job;
    const struct ring now = end_of(in, s);
    if (s->newest.n == 0)
        return;
    *b = (struct dl_brought){.sites = 1,
                             .goal = s->goal,
                             .start_n = s->start.n,
                             .now_n = now.n,
                             .start = median(&s->start),
                             .now = median(&now),
                             .best = best_of(s, median(&s->start), median(&now)),
                             .claim = {NAN, NAN, false}};
    if (b->start_n && b->now_n && in->facts->plans)
        claim(b, error_of(noise_of(&s->start, &now), b->start_n, b->now_n),
              in->min_effect);
}

static void add_node(const struct reading *in, const struct site *s, double *error)
{
    struct dl_brought *b = &in->facts->nodes;
    const struct ring now = end_of(in, s);
    if (s->newest.n == 0)
        return;
    if (s->start.n == 0 || now.n == 0 || (b->sites && s->goal != b->goal)) {
        b->left_out++;
        return;
    }
    const double start = median(&s->start);
    *error += fabs(start) * error_of(noise_of(&s->start, &now), s->start.n, now.n);
    b->start += start;
    b->now += median(&now);
    b->best += best_of(s, start, median(&now));
    b->start_n = b->sites && b->start_n < s->start.n ? b->start_n : s->start.n;
    b->now_n = b->sites && b->now_n < now.n ? b->now_n : now.n;
    b->goal = s->goal;
    b->sites++;
}

static void tell(const struct reading *in)
{
    const struct site *s = DFOPT_ROW(&in->sites, struct site);
    struct dl_brought *b = &in->facts->nodes;
    double error = 0; /* of the sum */
    b->claim = in->facts->job.claim = (struct dl_claim){NAN, NAN, false};
    for (size_t i = 0; i < DFOPT_ROWS(&in->sites, struct site); i++)
        if (s[i].node == DFOPT_SYM_EMPTY)
            tell_job(in, &s[i]);
        else
            add_node(in, &s[i], &error);
    if (b->sites == 0)
        return;
    if (in->facts->plans)
        claim(b, error / fabs(b->start), in->min_effect);
    b->start /= b->sites;
    b->now /= b->sites;
    b->best /= b->sites;
}

enum dfopt_err dl_brought_read(struct dl_brought_facts *f,
                               struct dfopt_declog_reader *r,
                               struct dfopt_error *err)
{
    const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
    struct reading in = {.facts = f,
                         .job_planned = INT64_MAX,
                         .n_strings =
                             dfopt_dict_strings(dfopt_declog_reader_dict(r))};
    struct dl_switches on;
    f->logged = run->format_version >= 3;
    in.index = calloc((size_t)in.n_strings + 1, sizeof *in.index);
    enum dfopt_err e = in.index ? dl_switches_read(&on, run) : DFOPT_ERR_NOMEM;
    if (!e) {
        in.min_effect = on.min_effect;
        f->metric = on.metric;
    }
    if (!e)
        e = each(r, DFOPT_TABLE_PLANS, &in, see_plan, err);
    if (!e && f->logged)
        e = each(r, DFOPT_TABLE_OBJECTIVES, &in, see_objective, err);
    if (!e)
        tell(&in);
    dfopt_buf_free(&in.sites);
    free(in.index);
    return e;
}

const struct dl_brought *dl_brought_best_known(const struct dl_brought_facts *f)
{
    return isfinite(f->job.claim.gain)     ? &f->job
           : isfinite(f->nodes.claim.gain) ? &f->nodes
                                           : NULL;
}

/* ---- JSON ---- */

static void one_json(struct dfopt_put *put, const char *of,
                     const struct dl_brought *b)
{
    if (b->sites == 0)
        return;
    dfopt_put_next(put);
    dfopt_put_raw(put, "{");
    dfopt_member_text(put, "of", of);
    dfopt_member_uint(put, "sites", b->sites);
    dfopt_member_uint(put, "left_out", b->left_out);
    dfopt_member_int(put, "goal", b->goal);
    dfopt_member_real(put, "start", b->start);
    dfopt_member_uint(put, "start_windows", b->start_n);
    dfopt_member_real(put, "now", b->now);
    dfopt_member_uint(put, "now_windows", b->now_n);
    dfopt_member_real(put, "best", b->best);
    dfopt_member_real(put, "gain", b->claim.gain);
    dfopt_member_real(put, "standard_error", b->claim.error);
    dfopt_member_bool(put, "certain", b->claim.certain);
    dfopt_put_raw(put, "}");
}

void dl_brought_json(struct dfopt_put *put, const struct dl_brought_facts *f)
{
    dfopt_put_raw(put, "[");
    one_json(put, "job", &f->job);
    one_json(put, "nodes", &f->nodes);
    dfopt_put_raw(put, "]");
}
