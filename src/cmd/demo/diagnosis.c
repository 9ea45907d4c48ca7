/* The rules, and what is remembered of each. Source: DFAnalyzer's rules for DLIO,
 * DFDiagnoser's streaming path; the operations are theirs, one by one, so that the
 * numbers are equal. Memory pressure is a rule of this program. */
#include "cmd/demo/diagnosis.h"

#include <string.h>

#define WORSE          1.15 /* mean severity against that of before */
#define BETTER         0.85
#define WARMUP_SHARE   0.4 /* prevalence */
#define PRESSURE_SHARE 0.5
#define PRESSURE_RUN   3 /* windows */
#define FEW_READERS    2

double demo_window_rate(const struct demo_window *w)
{
    return w->seconds > 0 ? (double)w->samples / w->seconds : 0;
}

static double share(const struct demo_window *w, double seconds)
{
    const double active = w->fetch_s + w->compute_s;
    return active > 0 ? seconds / active : 0;
}

double demo_window_fetch_share(const struct demo_window *w)
{
    return share(w, w->fetch_s);
}

double demo_window_compute_share(const struct demo_window *w)
{
    return share(w, w->compute_s);
}

/* ---- the rules ---- */

static double clip(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static bool compute_dominance(const struct demo_window *w)
{
    return demo_window_compute_share(w) >= .90 && demo_window_fetch_share(w) <= .10;
}

static bool fetch_pressure(const struct demo_window *w)
{
    return demo_window_fetch_share(w) >= .20 && demo_window_compute_share(w) < .85;
}

static bool io_contention(const struct demo_window *w)
{
    return demo_window_compute_share(w) >= .70 &&
           demo_window_fetch_share(w) < .15 && w->threads > FEW_READERS;
}

static bool memory_pressure(const struct demo_window *w)
{
    return w->has_memory && w->mem_frac > .85;
}

static double mem_frac(const struct demo_window *w)
{
    return w->mem_frac;
}

/* The severity is how far a share is beyond `from`, as a share of a width. Where
 * the whole way to a share of 1 is the width, it is not cut off. */
static const struct {
    bool (*there)(const struct demo_window *w);
    double (*of)(const struct demo_window *w);
    double from, width[2]; /* by habit */
} rules[DEMO_FINDING_KINDS] = {
    [DEMO_COMPUTE_DOMINANCE] = {compute_dominance,
                                demo_window_compute_share,
                                .85,
                                {.20, .20}},
    [DEMO_FETCH_PRESSURE] = {fetch_pressure,
                             demo_window_fetch_share,
                             .10,
                             {.25, .90}},
    [DEMO_IO_CONTENTION] = {io_contention,
                            demo_window_compute_share,
                            .60,
                            {.30, .40}},
    [DEMO_MEMORY_PRESSURE] = {memory_pressure, mem_frac, .80, {.20, .20}},
};

static double severity(enum demo_finding_kind kind, enum demo_habit habit,
                       double of)
{
    return clip((of - rules[kind].from) / rules[kind].width[habit]);
}

double demo_fetch_severity(enum demo_habit habit, double fetch_share)
{
    return severity(DEMO_FETCH_PRESSURE, habit, fetch_share);
}

/* ---- what is remembered ---- */

static void remember(struct demo_track *t, const struct demo_window *w, double sev)
{
    t->first = t->seen > 0 ? t->first : w->index;
    t->run = t->seen > 0 && w->index == t->last + 1 ? t->run + 1 : 1;
    if (t->run > t->longest)
        t->longest = t->run;
    if (t->seen == 0 || sev > t->peak) {
        t->peak = sev;
        t->peak_window = *w;
    }
    t->seen++;
    t->last = w->index;
    if (t->n_recent == DEMO_TREND_WINDOWS)
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

/* The newer half of the severities against the older one. */
static const char *trend(const struct demo_track *t)
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

static enum demo_motif motif(const struct demo_track *t,
                             const struct demo_finding *f)
{
    if (t->first <= 1 && strcmp(f->trend, "improving") == 0 &&
        f->prevalence < WARMUP_SHARE)
        return DEMO_WARMUP_TRANSIENT;
    return f->kind == DEMO_FETCH_PRESSURE && f->prevalence > PRESSURE_SHARE &&
                   f->persistence > PRESSURE_RUN
               ? DEMO_PERSISTENT_PRESSURE
               : DEMO_UNCLASSIFIED;
}

static struct demo_finding look(const struct demo_diagnosis *d,
                                enum demo_finding_kind kind,
                                const struct demo_window *w, double now)
{
    const struct demo_track *t = &d->tracks[kind];
    const bool peak = d->habit == DEMO_PEAK;
    struct demo_finding f = {
        .kind = kind,
        .index = w->index,
        .severity = peak ? t->peak : now,
        .prevalence = (double)t->seen / (double)(w->index - d->first + 1),
        .persistence = t->longest,
        .support = t->seen,
        .trend = trend(t),
        .window = peak ? t->peak_window : *w,
    };
    f.motif = motif(t, &f);
    return f;
}

size_t demo_diagnose(struct demo_diagnosis *d, const struct demo_window *w,
                     struct demo_finding out[DEMO_FINDING_KINDS])
{
    size_t n = 0;
    for (int i = 0; i < DEMO_FINDING_KINDS; i++) {
        const enum demo_finding_kind kind = (enum demo_finding_kind)i;
        if (!rules[kind].there(w))
            continue;
        const double now = severity(kind, d->habit, rules[kind].of(w));
        d->first = d->first ? d->first : w->index;
        remember(&d->tracks[kind], w, now);
        out[n++] = look(d, kind, w, now);
    }
    return n;
}
