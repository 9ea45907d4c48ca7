#include "cmd/demo/report.h"
#include "cmd/demo/report_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum dfopt_err demo_report_open(struct demo_report *r, const char *json_path,
                                struct dfopt_error *err)
{
    *r = (struct demo_report){.json_path = json_path};
    if (json_path && !(r->json = fopen(json_path, "we")))
        return dfopt_error_set(err, DFOPT_ERR_IO, "cannot write %.200s: %s",
                               json_path, strerror(errno));
    setvbuf(stdout, NULL, _IOLBF, 0); /* show windows at once, even when piped */
    return DFOPT_OK;
}

enum dfopt_err demo_report_close(struct demo_report *r, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    if (r->json && (ferror(r->json) | fclose(r->json)) != 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "cannot write %.200s: %s",
                            r->json_path, strerror(errno));
    free(r->windows);
    free(r->steps);
    *r = (struct demo_report){.json = NULL};
    return e;
}

/* Adds room for one more. Returns NULL on NOMEM. */
static void *grown(void *rows, size_t n, size_t size)
{
    return (n & (n - 1)) == 0 ? realloc(rows, (n ? 2 * n : 1) * size) : rows;
}

/* ---- windows and plans ---- */

static double percent(const struct demo_window *w)
{
    return 100 * demo_window_fetch_share(w);
}

static void print_window(const struct demo_window *w)
{
    if (w->index == 1)
        puts("window  samples/s  fetch  read_threads  prefetch_size");
    printf("%6" PRId64 " %10.0f %5.0f%% %13u %14u\n", w->index, demo_window_rate(w),
           percent(w), w->threads, w->prefetch);
}

enum dfopt_err demo_report_window(struct demo_report *r,
                                  const struct demo_window *w)
{
    struct demo_window *rows = grown(r->windows, r->n_windows, sizeof *rows);
    if (!rows)
        return DFOPT_ERR_NOMEM;
    r->windows = rows;
    rows[r->n_windows++] = *w;
    for (size_t i = 0; i < r->n_steps; i++)
        if (r->steps[i].after.index == 0 && r->steps[i].change.window < w->index)
            r->steps[i].after = *w;
    print_window(w);
    demo_json_window(r->json, w);
    return DFOPT_OK;
}

static void print_change(const struct demo_change *c)
{
    printf("        %s %" PRId64 " -> %" PRId64 ": %s\n", c->plan.parameter,
           c->from, c->applied ? c->to : c->plan.new_value.i,
           c->applied ? c->plan.rationale : c->reason);
}

enum dfopt_err demo_report_change(struct demo_report *r,
                                  const struct demo_change *c)
{
    struct demo_step *rows = grown(r->steps, r->n_steps, sizeof *rows);
    if (!rows)
        return DFOPT_ERR_NOMEM;
    r->steps = rows;
    rows[r->n_steps] = (struct demo_step){.change = *c};
    if (r->n_windows > 0)
        rows[r->n_steps].before = r->windows[r->n_windows - 1];
    r->n_steps++;
    print_change(c);
    demo_json_change(r->json, c);
    return DFOPT_OK;
}

/* ---- the summary ---- */

/* Merges the last quarter of the windows into one. */
static struct demo_window end_window(const struct demo_report *r)
{
    struct demo_window sum = {0};
    size_t n = r->n_windows < 4 ? 1 : r->n_windows / 4;
    for (size_t i = r->n_windows > n ? r->n_windows - n : 0; i < r->n_windows;
         i++) {
        const struct demo_window *w = &r->windows[i];
        sum.index = w->index;
        sum.samples += w->samples;
        sum.seconds += w->seconds;
        sum.fetch_s += w->fetch_s;
        sum.compute_s += w->compute_s;
        sum.threads = w->threads;
        sum.prefetch = w->prefetch;
    }
    return sum;
}

static void print_step(const struct demo_step *s)
{
    const struct demo_change *c = &s->change;
    printf("  window %2" PRId64 ": %-13s %3" PRId64 " -> %-3" PRId64
           " %6.0f samples/s, fetch %3.0f%%",
           c->window, c->plan.parameter, c->from, c->to,
           demo_window_rate(&s->before), percent(&s->before));
    if (s->after.index)
        printf("  ->  %6.0f samples/s, fetch %3.0f%%", demo_window_rate(&s->after),
               percent(&s->after));
    puts("");
}

static void print_audit(const struct demo_report *r, const struct demo_end *end)
{
    printf("\n%zu windows, %" PRIu64 " samples, %" PRIu64
           " whole epochs: no record lost or duplicated, all checksums correct\n",
           r->n_windows, end->samples, end->epochs);
}

void demo_report_best(struct demo_report *r, const struct demo_end *end,
                      const struct demo_grid *g)
{
    const struct demo_window *b = &g->best;
    print_audit(r, end);
    if (g->settings > 0)
        printf("best of %" PRId64 " settings: read_threads %u, prefetch_size %u: "
               "%.0f samples/s, fetch %.0f%%\n",
               g->settings, b->threads, b->prefetch, demo_window_rate(b),
               percent(b));
    demo_json_best(r->json, g, end);
}

void demo_report_summary(struct demo_report *r, const struct demo_end *end)
{
    const struct demo_window first =
        r->n_windows ? r->windows[0] : (struct demo_window){0};
    const struct demo_window last = end_window(r);
    size_t applied = 0;
    for (size_t i = 0; i < r->n_steps; i++)
        applied += r->steps[i].change.applied;
    print_audit(r, end);
    printf("first window: %.0f samples/s, fetch %.0f%%;  last quarter: %.0f "
           "samples/s, fetch %.0f%%\n",
           demo_window_rate(&first), percent(&first), demo_window_rate(&last),
           percent(&last));
    if (end->tuned)
        printf("objectives sent: %" PRIu64 "; ", end->objectives_sent);
    if (end->tuned)
        printf("findings sent: %" PRIu64 " (%" PRIu64
               " without a receiver); plans applied: %zu, %s\n",
               end->findings_sent, end->findings_dropped, applied,
               end->acknowledged ? "all acknowledged" : "NOT all acknowledged");
    for (size_t i = 0; i < r->n_steps; i++)
        if (r->steps[i].change.applied)
            print_step(&r->steps[i]);
    demo_json_summary(r->json, &first, &last, end, applied);
}

enum dfopt_err demo_report_compare(const struct demo_report *r,
                                   const struct demo_end *end, const char *path,
                                   double at_least, bool *enough,
                                   struct dfopt_error *err)
{
    double other;
    enum dfopt_err e = demo_json_read(path, DEMO_JSON_END_RATE, &other, err);
    if (e)
        return e;
    const struct demo_window last = end_window(r);
    const double times = other > 0 ? demo_window_rate(&last) / other : 0;
    const double start = demo_window_fetch_share(&r->windows[0]);
    const double now = demo_window_fetch_share(&last);
    *enough = times >= at_least && now <= start / 2 && end->acknowledged;
    printf("\nagainst %s: %.0f -> %.0f samples/s at the end, %.1f times (%g "
           "required)\nfetch share: %.0f%% -> %.0f%% (half required)\n%s\n",
           path, other, demo_window_rate(&last), times, at_least, 100 * start,
           100 * now, *enough ? "requirements met" : "requirements NOT met");
    return DFOPT_OK;
}

enum dfopt_err demo_report_judge(struct demo_report *r, const char *path,
                                 struct dfopt_error *err)
{
    double best;
    enum dfopt_err e = demo_json_read(path, DEMO_JSON_BEST_RATE, &best, err);
    if (e)
        return e;
    const struct demo_window last = end_window(r);
    const double share = best > 0 ? demo_window_rate(&last) / best : 0;
    printf("\nagainst the best static setting in %s: %.0f of %.0f samples/s at the "
           "end, %.0f%%\n",
           path, demo_window_rate(&last), best, 100 * share);
    demo_json_judged(r->json, best, share);
    return DFOPT_OK;
}
