/* From windows to findings, by the rules that DFAnalyzer has for data loaders, and
 * with the habits that DFDiagnoser has. Pure: no clock, no input or output. */
#ifndef DFOPT_CMD_DEMO_DIAGNOSIS_H
#define DFOPT_CMD_DEMO_DIAGNOSIS_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was measured in a window. */
struct demo_window {
    int64_t index; /* from 1 */
    uint64_t samples;
    double seconds;             /* by the clock */
    double fetch_s, compute_s;  /* the consumer waited for data; computed */
    unsigned threads, prefetch; /* at its end */
    bool has_memory;            /* the storage has a budget of memory: */
    double mem_frac;            /* most bytes held, as a share of it */
};

double demo_window_rate(const struct demo_window *w); /* samples a second */

/* Share of the time that the consumer waited, and that it computed, 0..1. */
double demo_window_fetch_share(const struct demo_window *w);
double demo_window_compute_share(const struct demo_window *w);

/* How findings look back. */
enum demo_habit {
    DEMO_PEAK, /* as DFDiagnoser: severity and metrics of the worst window so far */
    DEMO_CURRENT /* those of the window; a severity ends only where its share does
                  */
};

enum demo_finding_kind { /* in the order in which they are sent */
                         DEMO_COMPUTE_DOMINANCE,
                         DEMO_FETCH_PRESSURE,
                         DEMO_IO_CONTENTION,
                         DEMO_MEMORY_PRESSURE,
                         DEMO_FINDING_KINDS
};

enum demo_motif {
    DEMO_UNCLASSIFIED,
    DEMO_WARMUP_TRANSIENT,
    DEMO_PERSISTENT_PRESSURE
};

#define DEMO_TREND_WINDOWS 6

/* The windows in which one kind of finding was there. */
struct demo_track {
    int64_t first, last;  /* window */
    int64_t run, longest; /* windows in a row: now, and the most so far */
    int64_t seen;         /* windows */
    double recent[DEMO_TREND_WINDOWS]; /* severities, the newest last */
    size_t n_recent;
    double peak; /* severity */
    struct demo_window peak_window;
};

/* Zeroed, with a habit, it is at its beginning. */
struct demo_diagnosis {
    enum demo_habit habit;
    int64_t first; /* window with any finding; 0: none yet */
    struct demo_track tracks[DEMO_FINDING_KINDS];
};

struct demo_finding {
    enum demo_finding_kind kind;
    enum demo_motif motif;
    int64_t index;       /* of the window */
    double severity;     /* 0..1 */
    double prevalence;   /* share of the windows since the first with a finding */
    int64_t persistence; /* the longest run of windows */
    int64_t support;     /* windows in which it was there */
    const char *trend;   /* static storage */
    struct demo_window window; /* of the metrics */
};

/* The severity of fetch pressure where the consumer waits for this share. */
double demo_fetch_severity(enum demo_habit habit, double fetch_share);

/* Adds the next window; windows are numbered from 1, upwards. Returns how many
 * findings there are in `out`. */
size_t demo_diagnose(struct demo_diagnosis *d, const struct demo_window *w,
                     struct demo_finding out[DEMO_FINDING_KINDS]);

/* The message for a finding on this host, as DFDiagnoser writes it: two texts of
 * JSON. Returns OK, with both owned (free), or NOMEM. */
enum dfopt_err demo_finding_json(const struct demo_finding *f, const char *hostname,
                                 char **metadata, char **body);

#endif
