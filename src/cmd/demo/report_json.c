#include "cmd/demo/report_json.h"
#include "json/write.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A line being built in a buffer; ending it frees the buffer. */
static struct dfopt_put begin(struct dfopt_buf *line, const char *event)
{
    struct dfopt_put p = dfopt_put_start(line, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "event", event);
    return p;
}

/* Writes the line, or skips it if it ran out of memory; the file goes on. */
static void end(FILE *out, struct dfopt_put *p)
{
    dfopt_put_raw(p, "}\n");
    if (dfopt_put_end(p) == DFOPT_OK)
        fwrite(p->out->data, 1, p->out->len, out);
    fflush(out);
    dfopt_buf_free(p->out);
}

void demo_json_window(FILE *out, const struct demo_window *w)
{
    if (!out)
        return;
    struct dfopt_buf line = {0};
    struct dfopt_put o = begin(&line, "window");
    dfopt_member_int(&o, "window", w->index);
    dfopt_member_int(&o, "samples", (int64_t)w->samples);
    dfopt_member_real(&o, "seconds", w->seconds);
    dfopt_member_real(&o, "samples_per_second", demo_window_rate(w));
    dfopt_member_real(&o, "fetch_seconds", w->fetch_s);
    dfopt_member_real(&o, "compute_seconds", w->compute_s);
    dfopt_member_real(&o, "fetch_share", demo_window_fetch_share(w));
    dfopt_member_int(&o, "read_threads", w->threads);
    dfopt_member_int(&o, "prefetch_size", w->prefetch);
    if (w->has_memory)
        dfopt_member_real(&o, "mem_frac", w->mem_frac);
    if (w->read_spread > 0)
        dfopt_member_real(&o, "read_spread", w->read_spread);
    end(out, &o);
}

void demo_json_change(FILE *out, const struct demo_change *c)
{
    if (!out)
        return;
    struct dfopt_buf line = {0};
    struct dfopt_put o = begin(&line, "plan");
    dfopt_member_text(&o, "plan_id", c->plan.plan_id);
    dfopt_member_text(&o, "knob_id", c->plan.knob_id);
    dfopt_member_text(&o, "status", c->applied ? "applied" : "rejected");
    dfopt_member_int(&o, "old_value", c->from);
    dfopt_member_int(&o, "new_value", c->to);
    dfopt_member_int(&o, "window", c->window);
    dfopt_member_int(&o, "finding_window", c->plan.window_index);
    dfopt_member_text(&o, "apply_when", c->plan.apply_when);
    dfopt_member_text(&o, "opportunity_tag", c->plan.opportunity_tag);
    dfopt_member_text(&o, "reason", c->applied ? c->plan.rationale : c->reason);
    end(out, &o);
}

void demo_json_summary(FILE *out, const struct demo_window *first,
                       const struct demo_window *last, const struct demo_end *e,
                       size_t plans_applied)
{
    if (!out)
        return;
    struct dfopt_buf line = {0};
    struct dfopt_put o = begin(&line, "summary");
    dfopt_member_int(&o, "windows", last->index);
    dfopt_member_int(&o, "samples", (int64_t)e->samples);
    dfopt_member_int(&o, "epochs", (int64_t)e->epochs);
    dfopt_member_real(&o, "first_samples_per_second", demo_window_rate(first));
    dfopt_member_real(&o, "first_fetch_share", demo_window_fetch_share(first));
    dfopt_member_real(&o, DEMO_JSON_END_RATE, demo_window_rate(last));
    dfopt_member_real(&o, "end_fetch_share", demo_window_fetch_share(last));
    dfopt_member_int(&o, "read_threads", last->threads);
    dfopt_member_int(&o, "prefetch_size", last->prefetch);
    dfopt_member_bool(&o, "tuned", e->tuned);
    dfopt_member_int(&o, "findings_sent", (int64_t)e->findings_sent);
    dfopt_member_int(&o, "findings_dropped", (int64_t)e->findings_dropped);
    dfopt_member_int(&o, "objectives_sent", (int64_t)e->objectives_sent);
    dfopt_member_int(&o, "plans_applied", (int64_t)plans_applied);
    dfopt_member_bool(&o, "acknowledged", e->acknowledged);
    dfopt_member_bool(&o, "interrupted", e->interrupted);
    end(out, &o);
}

void demo_json_best(FILE *out, const struct demo_grid *g, const struct demo_end *e)
{
    if (!out || g->settings == 0)
        return;
    struct dfopt_buf line = {0};
    struct dfopt_put o = begin(&line, "best");
    dfopt_member_int(&o, "settings", g->settings);
    dfopt_member_int(&o, "read_threads", g->best.threads);
    dfopt_member_int(&o, "prefetch_size", g->best.prefetch);
    dfopt_member_real(&o, DEMO_JSON_BEST_RATE, demo_window_rate(&g->best));
    dfopt_member_real(&o, "fetch_share", demo_window_fetch_share(&g->best));
    if (g->best.has_memory)
        dfopt_member_real(&o, "mem_frac", g->best.mem_frac);
    dfopt_member_bool(&o, "interrupted", e->interrupted);
    end(out, &o);
}

void demo_json_judged(FILE *out, double best, double share)
{
    if (!out)
        return;
    struct dfopt_buf line = {0};
    struct dfopt_put o = begin(&line, "judged");
    dfopt_member_real(&o, DEMO_JSON_BEST_RATE, best);
    dfopt_member_real(&o, "share_of_best", share);
    end(out, &o);
}

enum dfopt_err demo_json_read(const char *path, const char *member, double *out,
                              struct dfopt_error *err)
{
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *in = fopen(path, "re");
    if (!in)
        return dfopt_error_set(err, DFOPT_ERR_IO, "cannot read %.200s: %s", path,
                               strerror(errno));
    while (getline(&line, &size, in) >= 0) {
        struct json_object *o = NULL;
        double rate = NAN;
        if (!dfopt_json_parse_file(line, strlen(line), &o, NULL) &&
            !dfopt_json_get_finite(o, member, &rate, NULL) && !isnan(rate)) {
            *out = rate;
            found = true;
        }
        json_object_put(o);
    }
    free(line);
    fclose(in);
    return found
               ? DFOPT_OK
               : dfopt_error_set(
                     err, DFOPT_ERR_FORMAT,
                     "%.200s: no summary with %s; give a file written with --json",
                     path, member);
}
