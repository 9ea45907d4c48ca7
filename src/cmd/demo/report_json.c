#include "cmd/demo/report_json.h"
#include "cmd/demo/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define END_RATE "end_samples_per_second"

static struct demo_json begin(const char *event)
{
    struct demo_json j = demo_json_begin();
    demo_json_put_text(&j, "event", event);
    return j;
}

/* Writes the line. A line that has no memory is missing, and the file is not. */
static void end(FILE *out, struct demo_json *j)
{
    char *text = demo_json_text(j);
    if (text)
        fprintf(out, "%s\n", text);
    fflush(out);
    free(text);
}

void demo_json_window(FILE *out, const struct demo_window *w)
{
    if (!out)
        return;
    struct demo_json o = begin("window");
    demo_json_put_int(&o, "window", w->index);
    demo_json_put_int(&o, "samples", (int64_t)w->samples);
    demo_json_put_real(&o, "seconds", w->seconds);
    demo_json_put_real(&o, "samples_per_second", demo_window_rate(w));
    demo_json_put_real(&o, "fetch_seconds", w->fetch_s);
    demo_json_put_real(&o, "compute_seconds", w->compute_s);
    demo_json_put_real(&o, "fetch_share", demo_window_fetch_share(w));
    demo_json_put_int(&o, "read_threads", w->threads);
    demo_json_put_int(&o, "prefetch_size", w->prefetch);
    end(out, &o);
}

void demo_json_change(FILE *out, const struct demo_change *c)
{
    if (!out)
        return;
    struct demo_json o = begin("plan");
    demo_json_put_text(&o, "plan_id", c->plan.plan_id);
    demo_json_put_text(&o, "knob_id", c->plan.knob_id);
    demo_json_put_text(&o, "status", c->applied ? "applied" : "rejected");
    demo_json_put_int(&o, "old_value", c->from);
    demo_json_put_int(&o, "new_value", c->to);
    demo_json_put_int(&o, "window", c->window);
    demo_json_put_int(&o, "finding_window", c->plan.window_index);
    demo_json_put_text(&o, "apply_when", c->plan.apply_when);
    demo_json_put_text(&o, "opportunity_tag", c->plan.opportunity_tag);
    demo_json_put_text(&o, "reason", c->applied ? c->plan.rationale : c->reason);
    end(out, &o);
}

void demo_json_summary(FILE *out, const struct demo_window *first,
                       const struct demo_window *last, const struct demo_end *e,
                       size_t plans_applied)
{
    if (!out)
        return;
    struct demo_json o = begin("summary");
    demo_json_put_int(&o, "windows", last->index);
    demo_json_put_int(&o, "samples", (int64_t)e->samples);
    demo_json_put_int(&o, "epochs", (int64_t)e->epochs);
    demo_json_put_real(&o, "first_samples_per_second", demo_window_rate(first));
    demo_json_put_real(&o, "first_fetch_share", demo_window_fetch_share(first));
    demo_json_put_real(&o, END_RATE, demo_window_rate(last));
    demo_json_put_real(&o, "end_fetch_share", demo_window_fetch_share(last));
    demo_json_put_int(&o, "read_threads", last->threads);
    demo_json_put_int(&o, "prefetch_size", last->prefetch);
    demo_json_put_bool(&o, "tuned", e->tuned);
    demo_json_put_int(&o, "findings_sent", (int64_t)e->findings_sent);
    demo_json_put_int(&o, "findings_dropped", (int64_t)e->findings_dropped);
    demo_json_put_int(&o, "plans_applied", (int64_t)plans_applied);
    demo_json_put_bool(&o, "acknowledged", e->acknowledged);
    demo_json_put_bool(&o, "interrupted", e->interrupted);
    end(out, &o);
}

enum dfopt_err demo_json_read(const char *path, struct demo_json_rates *out,
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
        struct json_object *o = json_tokener_parse(line), *rate;
        if (json_object_object_get_ex(o, END_RATE, &rate)) {
            out->end_rate = json_object_get_double(rate);
            found = true;
        }
        json_object_put(o);
    }
    free(line);
    fclose(in);
    return found ? DFOPT_OK
                 : dfopt_error_set(err, DFOPT_ERR_FORMAT,
                                   "%.200s: no summary of a run of this program",
                                   path);
}
