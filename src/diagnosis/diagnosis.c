/* The rules, and the history of each. Source: DFAnalyzer's rules for DLIO,
 * DFDiagnoser's streaming path; operations follow theirs one by one, so that the
 * numbers are equal. Memory pressure is our own rule. */
#include "diagnosis/diagnosis.h"

#include <string.h>

#define WORSE          1.15 /* ratio of recent to earlier mean severity */
#define BETTER         0.85
#define WARMUP_SHARE   0.4 /* prevalence */
#define PRESSURE_SHARE 0.5
#define PRESSURE_RUN   3 /* windows */
#define FEW_READERS    2

static double share(const struct dfopt_client_window *w, double seconds)
{
    const double active = w->fetch_s + w->compute_s;
    return active > 0 ? seconds / active : 0;
}

double dfopt_diagnosis_fetch_share(const struct dfopt_client_window *w)
{
    return share(w, w->fetch_s);
}

double dfopt_diagnosis_compute_share(const struct dfopt_client_window *w)
{
    return share(w, w->compute_s);
}

/* ---- the rules ---- */

static double clip(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static bool compute_dominance(const struct dfopt_client_window *w)
{
    return dfopt_diagnosis_compute_share(w) >= .90 &&
           dfopt_diagnosis_fetch_share(w) <= .10;
}

static bool fetch_pressure(const struct dfopt_client_window *w)
{
    return dfopt_diagnosis_fetch_share(w) >= .20 &&
           dfopt_diagnosis_compute_share(w) < .85;
}

static bool io_contention(const struct dfopt_client_window *w)
{
    return dfopt_diagnosis_compute_share(w) >= .70 &&
           dfopt_diagnosis_fetch_share(w) < .15 && w->workers > FEW_READERS;
}

static bool memory_pressure(const struct dfopt_client_window *w)
{
    return w->memory > .85;
}

static double mem_frac(const struct dfopt_client_window *w)
{
    return w->memory;
}

static bool read_contention(const struct dfopt_client_window *w)
{
    return w->read_spread > 10;
}

static double read_spread(const struct dfopt_client_window *w)
{
    return w->read_spread;
}

/* The severity is how far a share, or the spread, exceeds `from`, relative to a
 * width. It is not clipped where the width reaches up to a share of 1. */
static const struct {
    bool (*there)(const struct dfopt_client_window *w);
    double (*of)(const struct dfopt_client_window *w);
    double from, width[2]; /* by habit */
} rules[DFOPT_FINDING_KINDS] = {
    [DFOPT_COMPUTE_DOMINANCE] = {compute_dominance,
                                 dfopt_diagnosis_compute_share,
                                 .85,
                                 {.20, .20}},
    [DFOPT_FETCH_PRESSURE] = {fetch_pressure,
                              dfopt_diagnosis_fetch_share,
                              .10,
                              {.90, .25}},
    [DFOPT_IO_CONTENTION] = {io_contention,
                             dfopt_diagnosis_compute_share,
                             .60,
                             {.40, .30}},
    [DFOPT_MEMORY_PRESSURE] = {memory_pressure, mem_frac, .80, {.20, .20}},
    [DFOPT_READ_CONTENTION] = {read_contention, read_spread, 5, {40, 40}},
};

static double severity(enum dfopt_finding_kind kind,
                       enum dfopt_diagnosis_habit habit, double of)
{
    return clip((of - rules[kind].from) / rules[kind].width[habit]);
}

double dfopt_diagnosis_fetch_severity(enum dfopt_diagnosis_habit habit,
                                      double fetch_share)
{
    return severity(DFOPT_FETCH_PRESSURE, habit, fetch_share);
}

/* ---- history ---- */

static void remember(struct dfopt_diagnosis_track *t,
                     const struct dfopt_client_window *w, double sev, bool in_a_row)
{
    t->first = t->seen > 0 ? t->first : w->index;
    t->run = t->seen > 0 && in_a_row ? t->run + 1 : 1;
    if (t->run > t->longest)
        t->longest = t->run;
    if (t->seen == 0 || sev > t->peak) {
        t->peak = sev;
        t->peak_window = *w;
    }
    t->seen++;
    t->last = w->index;
    if (t->n_recent == DFOPT_TREND_WINDOWS)
        memmove(t->recent, t->recent + 1, --t->n_recent * sizeof *t->recent);
    t->recent[t->n_recent++] = sev;
}

static double mean(const double *of, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += of[i];
    return sum / (double)n;
}

/* Compares the newer half of the severities with the older half. */
static const char *trend(const struct dfopt_diagnosis_track *t)
{
    if (t->n_recent < 2)
        return "insufficient_data";
    const size_t half = t->n_recent / 2;
    const double *end = t->recent + t->n_recent;
    const double now = mean(end - half, half), before = mean(end - 2 * half, half);
    if (before <= 0)
        return "stable";
    return now / before < BETTER  ? "improving"
           : now / before > WORSE ? "worsening"
                                  : "stable";
}

static enum dfopt_motif motif(const struct dfopt_diagnosis_track *t,
                              const struct dfopt_diagnosed *f)
{
    if (t->first <= 1 && strcmp(f->trend, "improving") == 0 &&
        f->prevalence < WARMUP_SHARE)
        return DFOPT_WARMUP_TRANSIENT;
    return f->kind == DFOPT_FETCH_PRESSURE && f->prevalence > PRESSURE_SHARE &&
                   f->persistence > PRESSURE_RUN
               ? DFOPT_PERSISTENT_PRESSURE
               : DFOPT_UNCLASSIFIED;
}

/* Windows since the first with a finding. If some came under one number, those that
 * had this finding. */
static int64_t counted_windows(const struct dfopt_diagnosis *d,
                               const struct dfopt_diagnosis_track *t, int64_t index)
{
    const int64_t n = index - d->first + 1 - d->left_out;
    return n > t->seen ? n : t->seen;
}

static struct dfopt_diagnosed look(const struct dfopt_diagnosis *d,
                                   enum dfopt_finding_kind kind,
                                   const struct dfopt_client_window *w, double now)
{
    const struct dfopt_diagnosis_track *t = &d->tracks[kind];
    const bool peak = d->habit == DFOPT_DIAGNOSIS_PEAK;
    struct dfopt_diagnosed f = {
        .kind = kind,
        .index = w->index,
        .severity = peak ? t->peak : now,
        .prevalence = (double)t->seen / (double)counted_windows(d, t, w->index),
        .persistence = t->longest,
        .support = t->seen,
        .trend = trend(t),
        .window = peak ? t->peak_window : *w,
    };
    f.motif = motif(t, &f);
    return f;
}

size_t dfopt_diagnose(struct dfopt_diagnosis *d,
                      const struct dfopt_client_window *w,
                      struct dfopt_diagnosed out[DFOPT_FINDING_KINDS])
{
    size_t n = 0;
    if (w->index < d->last)
        *d = (struct dfopt_diagnosis){.habit = d->habit};
    d->gap = d->gap || w->index != d->last + 1;
    d->last = w->index;
    if (w->changed) {
        d->left_out += d->first != 0;
        return 0;
    }
    for (int i = 0; i < DFOPT_FINDING_KINDS; i++) {
        const enum dfopt_finding_kind kind = (enum dfopt_finding_kind)i;
        struct dfopt_diagnosis_track *t = &d->tracks[kind];
        if (!rules[kind].there(w))
            continue;
        const double now = severity(kind, d->habit, rules[kind].of(w));
        d->first = d->first ? d->first : w->index;
        remember(t, w, now, !d->gap && t->last == d->counted);
        out[n++] = look(d, kind, w, now);
    }
    d->counted = w->index;
    d->gap = false;
    return n;
}
