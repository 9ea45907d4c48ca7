/* A finding as DFDiagnoser writes it: the same members in the same order. */
#include "cmd/demo/diagnosis.h"
#include "json/write.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name;
    const char *tags[2], *suppresses[2];
} kinds[DEMO_FINDING_KINDS] = {
    [DEMO_COMPUTE_DOMINANCE] = {"compute_dominance",
                                {NULL},
                                {"reader_parallelism", "dataloader_prefetch"}},
    [DEMO_FETCH_PRESSURE] = {"fetch_pressure",
                             {"dataloader_prefetch", "reader_parallelism"},
                             {NULL}},
    [DEMO_IO_CONTENTION] = {"io_contention", {"reader_contention"}, {NULL}},
    [DEMO_MEMORY_PRESSURE] = {"memory_pressure", {"memory_reduction"}, {NULL}},
};

static const struct {
    const char *name, *bundle;
    double confidence;
} motifs[] = {
    [DEMO_UNCLASSIFIED] = {"unclassified", "investigate", 0.5},
    [DEMO_WARMUP_TRANSIENT] = {"warmup_transient", "none", 0.7},
    [DEMO_PERSISTENT_PRESSURE] = {"persistent_pressure", "input_pipeline_tuning",
                                  0.8},
};

static void put_texts(struct dfopt_put *p, const char *const list[2])
{
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < 2 && list[i]; i++) {
        dfopt_put_next(p);
        dfopt_put_z(p, list[i]);
    }
    dfopt_put_raw(p, "]");
}

static void put_list(struct dfopt_put *p, const char *name,
                     const char *const list[2])
{
    dfopt_put_key(p, name);
    put_texts(p, list);
}

static void put_facts(struct dfopt_put *p, const char *type, const char *scope)
{
    dfopt_put_key(p, "contributing_facts");
    dfopt_put_raw(p, "[");
    put_texts(p, (const char *const[2]){type, scope});
    dfopt_put_raw(p, "]");
}

static void put_times(struct dfopt_put *p, const struct demo_window *w)
{
    dfopt_member_real(p, "fetch_iter_time_proc_max", w->fetch_s);
    dfopt_member_real(p, "compute_time_proc_max", w->compute_s);
    dfopt_member_real(p, "active_time", w->fetch_s + w->compute_s);
    dfopt_member_real(p, "fetch_frac", demo_window_fetch_share(w));
    dfopt_member_real(p, "compute_frac", demo_window_compute_share(w));
}

static void put_metrics(struct dfopt_put *p, const struct demo_finding *f)
{
    dfopt_put_key(p, "key_metrics");
    dfopt_put_raw(p, "{");
    if (f->kind == DEMO_MEMORY_PRESSURE)
        dfopt_member_real(p, "mem_frac", f->window.mem_frac);
    else
        put_times(p, &f->window);
    if (f->kind == DEMO_IO_CONTENTION)
        dfopt_member_real(p, "workers", f->window.threads);
    dfopt_put_raw(p, "}");
}

static const char *severity_word(double s)
{
    return s >= 0.85  ? "critical"
           : s >= 0.6 ? "high"
           : s >= 0.3 ? "medium"
           : s > 0    ? "low"
                      : "none";
}

static void put_pattern(struct dfopt_put *p, const struct demo_finding *f)
{
    dfopt_member_text(p, "severity", severity_word(f->severity));
    dfopt_member_real(p, "severity_score", f->severity);
    dfopt_member_real(p, "confidence", motifs[f->motif].confidence);
    dfopt_member_real(p, "prevalence", f->prevalence);
    dfopt_member_int(p, "persistence", f->persistence);
    dfopt_member_int(p, "support_windows", f->support);
    dfopt_member_text(p, "trend_direction", f->trend);
    dfopt_member_int(p, "last_seen_window", f->index);
}

static void put_body(struct dfopt_put *p, const struct demo_finding *f,
                     const char *scope)
{
    const char *type = kinds[f->kind].name;
    const char *motif = motifs[f->motif].name;
    char summary[512];
    snprintf(summary, sizeof summary,
             "%s(%s), motif=%s, prevalence=%.2f, persistence=%" PRId64 ", trend=%s",
             type, scope, motif, f->prevalence, f->persistence, f->trend);
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "finding_type", type);
    dfopt_member_text(p, "scope", scope);
    dfopt_member_text(p, "layer", "node");
    dfopt_member_text(p, "view_type", "window");
    dfopt_member_text(p, "motif", motif);
    put_pattern(p, f);
    put_facts(p, type, scope);
    dfopt_member_text(p, "recommendation_bundle", motifs[f->motif].bundle);
    put_list(p, "opportunity_tags", kinds[f->kind].tags);
    put_list(p, "suppresses_tags", kinds[f->kind].suppresses);
    dfopt_member_text(p, "summary", summary);
    dfopt_member_int(p, "window_index", f->index);
    put_metrics(p, f);
    dfopt_member_text(p, "publish_mode", "control");
    dfopt_put_raw(p, "}");
}

static void put_metadata(struct dfopt_put *p, const struct demo_finding *f,
                         const char *scope)
{
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "artifact_type", "diagnosis_finding");
    dfopt_member_text(p, "publish_mode", "control");
    dfopt_member_text(p, "finding_type", kinds[f->kind].name);
    dfopt_member_text(p, "scope", scope);
    dfopt_put_raw(p, "}");
}

enum dfopt_err demo_finding_json(const struct demo_finding *f, const char *hostname,
                                 char **metadata, char **body)
{
    char scope[300];
    snprintf(scope, sizeof scope, "node:%s:window", hostname);
    struct dfopt_buf m = {0}, b = {0};
    struct dfopt_put to_m = dfopt_put_start(&m, NULL),
                     to_b = dfopt_put_start(&b, NULL);
    put_metadata(&to_m, f, scope);
    put_body(&to_b, f, scope);
    dfopt_put_bytes(&to_m, "", 1);
    dfopt_put_bytes(&to_b, "", 1);
    if (dfopt_put_end(&to_m) != DFOPT_OK || dfopt_put_end(&to_b) != DFOPT_OK) {
        dfopt_buf_free(&m);
        dfopt_buf_free(&b);
        return DFOPT_ERR_NOMEM;
    }
    *metadata = m.data;
    *body = b.data;
    return DFOPT_OK;
}
