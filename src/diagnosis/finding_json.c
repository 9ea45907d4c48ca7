/* A finding as DFDiagnoser writes it: the same members in the same order. */
#include "diagnosis/diagnosis.h"
#include "json/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_MAX ((int64_t)1 << 53)

static const struct {
    const char *name;
    const char *tags[2], *suppresses[2];
    size_t n_tags, n_suppresses;
} kinds[DFOPT_FINDING_KINDS] = {
    [DFOPT_COMPUTE_DOMINANCE] = {"compute_dominance",
                                 {NULL},
                                 {"reader_parallelism", "dataloader_prefetch"},
                                 0,
                                 2},
    [DFOPT_FETCH_PRESSURE] = {"fetch_pressure",
                              {"dataloader_prefetch", "reader_parallelism"},
                              {NULL},
                              2,
                              0},
    [DFOPT_IO_CONTENTION] = {"io_contention", {"reader_contention"}, {NULL}, 1, 0},
    [DFOPT_MEMORY_PRESSURE] =
        {"memory_pressure", {"memory_reduction"}, {NULL}, 1, 0},
    [DFOPT_READ_CONTENTION] =
        {"read_contention", {"reader_contention"}, {"reader_parallelism"}, 1, 1},
};

static const struct {
    const char *name, *bundle;
    double confidence;
} motifs[] = {
    [DFOPT_UNCLASSIFIED] = {"unclassified", "investigate", 0.5},
    [DFOPT_WARMUP_TRANSIENT] = {"warmup_transient", "none", 0.7},
    [DFOPT_PERSISTENT_PRESSURE] = {"persistent_pressure", "input_pipeline_tuning",
                                   0.8},
};

static size_t times(const struct dfopt_client_window *w,
                    struct dfopt_client_metric *out)
{
    const struct dfopt_client_metric all[] = {
        {"fetch_iter_time_proc_max", w->fetch_s},
        {"compute_time_proc_max", w->compute_s},
        {"active_time", w->fetch_s + w->compute_s},
        {"fetch_frac", dfopt_diagnosis_fetch_share(w)},
        {"compute_frac", dfopt_diagnosis_compute_share(w)},
    };
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

void dfopt_diagnosed_finding(
    const struct dfopt_diagnosed *f, struct dfopt_client_finding *out,
    struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS])
{
    size_t n = 0;
    if (f->kind == DFOPT_MEMORY_PRESSURE)
        metrics[n++] = (struct dfopt_client_metric){"mem_frac", f->window.memory};
    else
        n = times(&f->window, metrics);
    if (f->kind == DFOPT_IO_CONTENTION)
        metrics[n++] =
            (struct dfopt_client_metric){"workers", (double)f->window.workers};
    if (f->kind == DFOPT_READ_CONTENTION)
        metrics[n++] = (struct dfopt_client_metric){"pread_latency_spread",
                                                    f->window.read_spread};
    *out = (struct dfopt_client_finding){
        .type = kinds[f->kind].name,
        .window_index = f->index,
        .severity = f->severity,
        .persistence = f->persistence,
        .support = f->support,
        .prevalence = f->prevalence,
        .confidence = motifs[f->motif].confidence,
        .trend = f->trend,
        .motif = motifs[f->motif].name,
        .tags = kinds[f->kind].tags,
        .n_tags = kinds[f->kind].n_tags,
        .suppresses = kinds[f->kind].suppresses,
        .n_suppresses = kinds[f->kind].n_suppresses,
        .metrics = metrics,
        .n_metrics = n,
    };
}

/* ---- what can be sent ---- */

static bool is_share(double d)
{
    return d >= 0 && d <= 1;
}

static bool are_texts(const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!list || !list[i])
            return false;
    return true;
}

bool dfopt_finding_is_good(const struct dfopt_client_finding *f)
{
    if (!f || !f->type || !*f->type || f->window_index < -WINDOW_MAX ||
        f->window_index > WINDOW_MAX || !is_share(f->severity) ||
        !is_share(f->prevalence) || !is_share(f->confidence) ||
        f->persistence < 0 || f->persistence > WINDOW_MAX || f->support < 0 ||
        (unsigned)f->reports > DFOPT_CLIENT_REPORTS_NONE ||
        !are_texts(f->tags, f->n_tags) ||
        !are_texts(f->suppresses, f->n_suppresses) || (f->n_metrics && !f->metrics))
        return false;
    for (size_t i = 0; i < f->n_metrics; i++)
        if (!f->metrics[i].name || !isfinite(f->metrics[i].value))
            return false;
    return true;
}

/* ---- JSON ---- */

static void put_list(struct dfopt_put *p, const char *name, const char *const *list,
                     size_t n)
{
    dfopt_put_key(p, name);
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < n; i++) {
        dfopt_put_next(p);
        dfopt_put_z(p, list[i]);
    }
    dfopt_put_raw(p, "]");
}

static void put_facts(struct dfopt_put *p, const char *type, const char *scope)
{
    dfopt_put_key(p, "contributing_facts");
    dfopt_put_raw(p, "[[");
    dfopt_put_next(p);
    dfopt_put_z(p, type);
    dfopt_put_next(p);
    dfopt_put_z(p, scope);
    dfopt_put_raw(p, "]]");
}

static void put_metrics(struct dfopt_put *p, const struct dfopt_client_finding *f)
{
    dfopt_put_key(p, "key_metrics");
    dfopt_put_raw(p, "{");
    for (size_t i = 0; i < f->n_metrics; i++) {
        dfopt_put_next(p);
        dfopt_put_z(p, f->metrics[i].name);
        dfopt_put_raw(p, ":");
        dfopt_put_real(p, f->metrics[i].value);
    }
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

static const char *bundle(const char *motif)
{
    for (size_t i = 0; i < sizeof motifs / sizeof *motifs; i++)
        if (strcmp(motifs[i].name, motif) == 0)
            return motifs[i].bundle;
    return "investigate";
}

static const char *motif_of(const struct dfopt_client_finding *f)
{
    return f->motif ? f->motif : motifs[DFOPT_UNCLASSIFIED].name;
}

static const char *trend_of(const struct dfopt_client_finding *f)
{
    return f->trend ? f->trend : "insufficient_data";
}

static void put_pattern(struct dfopt_put *p, const struct dfopt_client_finding *f)
{
    dfopt_member_text(p, "severity", severity_word(f->severity));
    dfopt_member_real(p, "severity_score", f->severity);
    dfopt_member_real(p, "confidence", f->confidence > 0 ? f->confidence : 0.5);
    dfopt_member_real(p, "prevalence", f->prevalence);
    dfopt_member_int(p, "persistence", f->persistence);
    dfopt_member_int(p, "support_windows", f->support);
    dfopt_member_text(p, "trend_direction", trend_of(f));
    dfopt_member_int(p, "last_seen_window", f->window_index);
}

static void put_body(struct dfopt_put *p, const struct dfopt_client_finding *f,
                     const char *scope)
{
    const char *motif = motif_of(f);
    char summary[512];
    snprintf(summary, sizeof summary,
             "%s(%s), motif=%s, prevalence=%.2f, persistence=%" PRId64 ", trend=%s",
             f->type, scope, motif, f->prevalence, f->persistence, trend_of(f));
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "finding_type", f->type);
    dfopt_member_text(p, "scope", scope);
    dfopt_member_text(p, "layer", "node");
    dfopt_member_text(p, "view_type", "window");
    dfopt_member_text(p, "motif", motif);
    put_pattern(p, f);
    put_facts(p, f->type, scope);
    dfopt_member_text(p, "recommendation_bundle", bundle(motif));
    put_list(p, "opportunity_tags", f->tags, f->n_tags);
    put_list(p, "suppresses_tags", f->suppresses, f->n_suppresses);
    dfopt_member_text(p, "summary", summary);
    dfopt_member_int(p, "window_index", f->window_index);
    put_metrics(p, f);
    dfopt_member_text(p, "publish_mode", "control");
    dfopt_put_raw(p, "}");
}

enum dfopt_err dfopt_finding_json(const struct dfopt_client_finding *f,
                                  const char *scope, struct dfopt_buf *meta,
                                  struct dfopt_buf *body)
{
    struct dfopt_put p = dfopt_put_start(meta, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "artifact_type", "diagnosis_finding");
    dfopt_member_text(&p, "publish_mode", "control");
    dfopt_member_text(&p, "finding_type", f->type);
    dfopt_member_text(&p, "scope", scope);
    dfopt_put_raw(&p, "}");
    enum dfopt_err e = dfopt_put_end(&p);
    if (e)
        return e;
    p = dfopt_put_start(body, NULL);
    put_body(&p, f, scope);
    return dfopt_put_end(&p);
}
