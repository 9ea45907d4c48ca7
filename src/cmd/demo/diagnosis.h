/* From windows to findings, by the rules of DFDiagnoser for fetch pressure and
 * compute dominance. Pure: no clock, no input or output.
 *
 * One difference: severity and metrics are those of the window, not the worst so
 * far, so that a finding says how things are now. */
#ifndef DFOPT_CMD_DEMO_DIAGNOSIS_H
#define DFOPT_CMD_DEMO_DIAGNOSIS_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

/* What was measured in a window. */
struct demo_window {
    int64_t index; /* from 1 */
    uint64_t samples;
    double seconds;             /* by the clock */
    double fetch_s, compute_s;  /* the consumer waited for data; computed */
    unsigned threads, prefetch; /* at its end */
};

double demo_window_rate(const struct demo_window *w); /* samples a second */

/* Share of the time that the consumer waited, 0..1. */
double demo_window_fetch_share(const struct demo_window *w);

enum demo_finding_kind {
    DEMO_FETCH_PRESSURE,
    DEMO_COMPUTE_DOMINANCE,
    DEMO_FINDING_KINDS
};

#define DEMO_TREND_WINDOWS 6

/* The windows in which one kind of finding was there. */
struct demo_track {
    int64_t last;         /* window */
    int64_t run, longest; /* windows in a row: now, and the most so far */
    int64_t seen;         /* windows */
    double recent[DEMO_TREND_WINDOWS]; /* severities, the newest last */
    size_t n_recent;
};

struct demo_diagnosis {
    int64_t windows;
    struct demo_track tracks[DEMO_FINDING_KINDS];
};

struct demo_finding {
    enum demo_finding_kind kind;
    double severity;     /* 0..1 */
    double prevalence;   /* share of all windows so far */
    int64_t persistence; /* the longest run of windows */
    int64_t support;     /* windows in which it was there */
    const char *trend;   /* static storage */
    struct demo_window window;
};

/* Takes the next window in; zero the diagnosis before the first. Returns how many
 * findings there are in `out`. */
size_t demo_diagnose(struct demo_diagnosis *d, const struct demo_window *w,
                     struct demo_finding out[DEMO_FINDING_KINDS]);

/* The message for a finding on this host, as DFDiagnoser writes it: two texts of
 * JSON. Returns OK, with both owned (free), or NOMEM. */
enum dfopt_err demo_finding_json(const struct demo_finding *f, const char *hostname,
                                 char **metadata, char **body);

#endif
