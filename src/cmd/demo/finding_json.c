/* A finding as DFDiagnoser writes it: the same members in the same order. */
#include "cmd/demo/diagnosis.h"
#include "cmd/demo/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define PERSISTENT_PREVALENCE 0.5
#define PERSISTENT_RUN        3

static const struct {
    const char *name;
    const char *tags[2], *suppresses[2];
} kinds[DEMO_FINDING_KINDS] = {
    [DEMO_FETCH_PRESSURE] = {"fetch_pressure",
                             {"dataloader_prefetch", "reader_parallelism"},
                             {NULL}},
    [DEMO_COMPUTE_DOMINANCE] = {"compute_dominance",
                                {NULL},
                                {"reader_parallelism", "dataloader_prefetch"}},
};

static struct json_object *texts(const char *const list[2])
{
    struct json_object *a = json_object_new_array();
    for (size_t i = 0; a && i < 2 && list[i]; i++)
        json_object_array_add(a, json_object_new_string(list[i]));
    return a;
}

static struct json_object *facts(const char *type, const char *scope)
{
    struct json_object *a = json_object_new_array();
    if (a)
        json_object_array_add(a, texts((const char *const[2]){type, scope}));
    return a;
}

static struct json_object *metrics(const struct demo_window *w)
{
    struct demo_json o = demo_json_begin();
    const double fetch = demo_window_fetch_share(w);
    demo_json_put_real(&o, "fetch_iter_time_proc_max", w->fetch_s);
    demo_json_put_real(&o, "compute_time_proc_max", w->compute_s);
    demo_json_put_real(&o, "active_time", w->fetch_s + w->compute_s);
    demo_json_put_real(&o, "fetch_frac", fetch);
    demo_json_put_real(&o, "compute_frac", 1 - fetch);
    return demo_json_end(&o);
}

static const char *severity_word(double s)
{
    return s >= 0.85  ? "critical"
           : s >= 0.6 ? "high"
           : s >= 0.3 ? "medium"
           : s > 0    ? "low"
                      : "none";
}

static void put_pattern(struct demo_json *o, const struct demo_finding *f,
                        bool persistent)
{
    demo_json_put_text(o, "severity", severity_word(f->severity));
    demo_json_put_real(o, "severity_score", f->severity);
    demo_json_put_real(o, "confidence", persistent ? 0.8 : 0.5);
    demo_json_put_real(o, "prevalence", f->prevalence);
    demo_json_put_int(o, "persistence", f->persistence);
    demo_json_put_int(o, "support_windows", f->support);
    demo_json_put_text(o, "trend_direction", f->trend);
    demo_json_put_int(o, "last_seen_window", f->window.index);
}

static struct demo_json body_of(const struct demo_finding *f, const char *scope)
{
    const char *type = kinds[f->kind].name;
    const bool persistent = f->kind == DEMO_FETCH_PRESSURE &&
                            f->prevalence > PERSISTENT_PREVALENCE &&
                            f->persistence > PERSISTENT_RUN;
    const char *motif = persistent ? "persistent_pressure" : "unclassified";
    char summary[512];
    snprintf(summary, sizeof summary,
             "%s(%s), motif=%s, prevalence=%.2f, persistence=%" PRId64 ", trend=%s",
             type, scope, motif, f->prevalence, f->persistence, f->trend);
    struct demo_json o = demo_json_begin();
    demo_json_put_text(&o, "finding_type", type);
    demo_json_put_text(&o, "scope", scope);
    demo_json_put_text(&o, "layer", "node");
    demo_json_put_text(&o, "view_type", "window");
    demo_json_put_text(&o, "motif", motif);
    put_pattern(&o, f, persistent);
    demo_json_put(&o, "contributing_facts", facts(type, scope));
    demo_json_put_text(&o, "recommendation_bundle",
                       persistent ? "input_pipeline_tuning" : "investigate");
    demo_json_put(&o, "opportunity_tags", texts(kinds[f->kind].tags));
    demo_json_put(&o, "suppresses_tags", texts(kinds[f->kind].suppresses));
    demo_json_put_text(&o, "summary", summary);
    demo_json_put_int(&o, "window_index", f->window.index);
    demo_json_put(&o, "key_metrics", metrics(&f->window));
    demo_json_put_text(&o, "publish_mode", "control");
    return o;
}

static struct demo_json metadata_of(const struct demo_finding *f, const char *scope)
{
    struct demo_json o = demo_json_begin();
    demo_json_put_text(&o, "artifact_type", "diagnosis_finding");
    demo_json_put_text(&o, "publish_mode", "control");
    demo_json_put_text(&o, "finding_type", kinds[f->kind].name);
    demo_json_put_text(&o, "scope", scope);
    return o;
}

enum dfopt_err demo_finding_json(const struct demo_finding *f, const char *hostname,
                                 char **metadata, char **body)
{
    char scope[300];
    snprintf(scope, sizeof scope, "node:%s:window", hostname);
    struct demo_json m = metadata_of(f, scope), b = body_of(f, scope);
    char *meta_text = demo_json_text(&m), *body_text = demo_json_text(&b);
    if (!meta_text || !body_text) {
        free(meta_text);
        free(body_text);
        return DFOPT_ERR_NOMEM;
    }
    *metadata = meta_text;
    *body = body_text;
    return DFOPT_OK;
}
