/* Turns windows into findings, by DFAnalyzer's rules for data loaders and with
 * DFDiagnoser's habits. Pure: no clock, no I/O. */
#ifndef DFOPT_DIAGNOSIS_DIAGNOSIS_H
#define DFOPT_DIAGNOSIS_DIAGNOSIS_H

#include "base/buf.h"
#include "dfopt/client_measure.h"

/* Share of time spent waiting for data, and computing, 0..1. */
double dfopt_diagnosis_fetch_share(const struct dfopt_client_window *w);
double dfopt_diagnosis_compute_share(const struct dfopt_client_window *w);

/* How findings look back. */
enum dfopt_diagnosis_habit {
    /* Severity and metrics of the window; severity is 1 only if its share is. */
    DFOPT_DIAGNOSIS_CURRENT,
    /* As DFDiagnoser: those of the worst window so far. */
    DFOPT_DIAGNOSIS_PEAK
};

enum dfopt_finding_kind { /* in sending order */
                          DFOPT_COMPUTE_DOMINANCE,
                          DFOPT_FETCH_PRESSURE,
                          DFOPT_IO_CONTENTION,
                          DFOPT_MEMORY_PRESSURE,
                          DFOPT_READ_CONTENTION,
                          DFOPT_FINDING_KINDS
};

enum dfopt_motif {
    DFOPT_UNCLASSIFIED,
    DFOPT_WARMUP_TRANSIENT,
    DFOPT_PERSISTENT_PRESSURE
};

#define DFOPT_TREND_WINDOWS 6

/* The windows in which one kind of finding occurred. */
struct dfopt_diagnosis_track {
    int64_t first, last;  /* window */
    int64_t run, longest; /* consecutive windows: current, longest so far */
    int64_t seen;         /* windows */
    double recent[DFOPT_TREND_WINDOWS]; /* severities, the newest last */
    size_t n_recent;
    double peak; /* severity */
    struct dfopt_client_window peak_window;
};

/* Zeroed, with a habit: the initial state. */
struct dfopt_diagnosis {
    enum dfopt_diagnosis_habit habit;
    int64_t first;    /* window of the first finding; 0: none yet */
    int64_t counted;  /* the last window not left out */
    int64_t last;     /* the last window */
    int64_t left_out; /* windows since the first with a finding */
    bool gap;         /* windows are missing since the last one counted */
    struct dfopt_diagnosis_track tracks[DFOPT_FINDING_KINDS];
};

struct dfopt_diagnosed {
    enum dfopt_finding_kind kind;
    enum dfopt_motif motif;
    int64_t index;       /* of the window */
    double severity;     /* 0..1 */
    double prevalence;   /* share of the windows since the first finding */
    int64_t persistence; /* longest run of windows */
    int64_t support;     /* windows in which it occurred */
    const char *trend;   /* static storage */
    struct dfopt_client_window window; /* of the metrics */
};

/* The severity of fetch pressure if the consumer waits for this share. */
double dfopt_diagnosis_fetch_severity(enum dfopt_diagnosis_habit habit,
                                      double fetch_share);

/* Adds the next window; window numbers start at 1 and increase. If they start over,
 * so does the history. A window in which a knob changed is left out: it gives no
 * findings and breaks no run. Returns the number of findings in `out`. */
size_t dfopt_diagnose(struct dfopt_diagnosis *d,
                      const struct dfopt_client_window *w,
                      struct dfopt_diagnosed out[DFOPT_FINDING_KINDS]);

#define DFOPT_DIAGNOSED_METRICS 6

/* Fills *out with a finding, as DFDiagnoser writes it. Borrows f's texts; its
 * metrics are in `metrics`. */
void dfopt_diagnosed_finding(
    const struct dfopt_diagnosed *f, struct dfopt_client_finding *out,
    struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS]);

/* Whether all members can be sent. */
bool dfopt_finding_is_good(const struct dfopt_client_finding *f);

/* Appends the message for a finding about `scope` (node:n1:window): metadata and
 * body, both JSON. OK or NOMEM. */
enum dfopt_err dfopt_finding_json(const struct dfopt_client_finding *f,
                                  const char *scope, struct dfopt_buf *meta,
                                  struct dfopt_buf *body);

#endif
