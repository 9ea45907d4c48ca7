/* The rules, and what is remembered of each. Source of thresholds and formulas:
 * DFDiagnoser's rules for data loaders, and its streaming path. */
#include "cmd/demo/diagnosis.h"

#include <stdbool.h>
#include <string.h>

#define FETCH_NOTABLE    0.20 /* shares of time */
#define FETCH_SMALL      0.10
#define COMPUTE_DOMINANT 0.90
#define COMPUTE_ENOUGH   0.85
#define WORSE            1.15 /* mean severity against that of before */
#define BETTER           0.85

double demo_window_rate(const struct demo_window *w)
{
    return w->seconds > 0 ? (double)w->samples / w->seconds : 0;
}

double demo_window_fetch_share(const struct demo_window *w)
{
    const double active = w->fetch_s + w->compute_s;
    return active > 0 ? w->fetch_s / active : 0;
}

static double clip(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* ---- the rules ---- */

static bool fetch_pressure(double fetch, double *severity)
{
    *severity = clip((fetch - 0.10) / 0.25);
    return fetch >= FETCH_NOTABLE && 1 - fetch < COMPUTE_ENOUGH;
}

static bool compute_dominance(double fetch, double *severity)
{
    *severity = clip((1 - fetch - 0.85) / 0.20);
    return fetch <= FETCH_SMALL && 1 - fetch >= COMPUTE_DOMINANT;
}

static bool (*const rules[DEMO_FINDING_KINDS])(double fetch, double *severity) = {
    [DEMO_FETCH_PRESSURE] = fetch_pressure,
    [DEMO_COMPUTE_DOMINANCE] = compute_dominance,
};

/* ---- what is remembered ---- */

static void remember(struct demo_track *t, int64_t window, double severity)
{
    t->run = t->seen > 0 && window == t->last + 1 ? t->run + 1 : 1;
    if (t->run > t->longest)
        t->longest = t->run;
    t->seen++;
    t->last = window;
    if (t->n_recent == DEMO_TREND_WINDOWS)
        memmove(t->recent, t->recent + 1, --t->n_recent * sizeof *t->recent);
    t->recent[t->n_recent++] = severity;
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
    return now < BETTER * before  ? "improving"
           : now > WORSE * before ? "worsening"
                                  : "stable";
}

size_t demo_diagnose(struct demo_diagnosis *d, const struct demo_window *w,
                     struct demo_finding out[DEMO_FINDING_KINDS])
{
    size_t n = 0;
    d->windows++;
    for (int kind = 0; kind < DEMO_FINDING_KINDS; kind++) {
        double severity;
        struct demo_track *t = &d->tracks[kind];
        if (!rules[kind](demo_window_fetch_share(w), &severity))
            continue;
        remember(t, w->index, severity);
        out[n++] = (struct demo_finding){
            .kind = (enum demo_finding_kind)kind,
            .severity = severity,
            .prevalence = (double)t->seen / (double)d->windows,
            .persistence = t->longest,
            .support = t->seen,
            .trend = trend(t),
            .window = *w,
        };
    }
    return n;
}
