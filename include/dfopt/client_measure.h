/* What an application measures of itself, and what libdfopt_client makes of it:
 * the objective and the findings of each window, with no tracer beside it.
 *
 *     struct dfopt_measure m;
 *     dfopt_measure_init(&m, client, 1000000000, now());
 *     for (;;) {
 *         dfopt_measure_phase(&m, DFOPT_MEASURE_FETCH, now());
 *         ... wait for a batch ...
 *         dfopt_measure_phase(&m, DFOPT_MEASURE_COMPUTE, now());
 *         ... compute ...
 *         dfopt_measure_add(&m, batch_size);
 *         if (dfopt_measure_end(&m, now()))
 *             ... a window has ended: take the plans of "window_boundary" ...
 *     }
 *
 * docs/client.md has the rules of the findings. Threads: as in dfopt/client.h; a
 * struct dfopt_measure is not locked (one measure, one thread). */
#ifndef DFOPT_CLIENT_MEASURE_H
#define DFOPT_CLIENT_MEASURE_H

#include "dfopt/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- windows ---- */

/* What was measured in one window. Zero a member that is not known. */
struct dfopt_client_window {
    int64_t index;  /* from 1, upwards; |index| <= 2^53 */
    double units;   /* what was achieved: samples, bytes, steps */
    double seconds; /* by the clock */
    double fetch_s; /* waiting for data; with compute_s 0, too: no shares */
    double compute_s;
    int64_t workers;    /* processes or threads that fetch */
    double memory;      /* most that was held, as a share of its budget */
    double read_spread; /* slow reads against fast ones: the ratio of a high to a
                         * low percentile of the latency of a read */
    bool changed; /* a knob changed meanwhile: no findings. The library knows of
                   * plans that were acknowledged as applied by itself */
};

/* Reports a window that has ended: units/seconds as its objective, with the shares
 * fetch_frac, compute_frac and mem_frac as metrics, and the findings that the
 * window and those before it give. Each goes to its endpoint, if there is one, and
 * for whom options.reports says. Waits for nothing. Returns OK; ARG (a number that
 * is negative or not finite, or no seconds); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_window(dfopt_client *c, const struct dfopt_client_window *w);

/* ---- findings of one's own ---- */

/* A finding, as DFDiagnoser's. Zero a member to have its default. Borrowed. */
struct dfopt_client_finding {
    const char *type;     /* such as fetch_pressure; must be given */
    int64_t window_index; /* |w| <= 2^53 */
    double severity;      /* 0..1 */
    int64_t persistence;  /* windows in a row */
    int64_t support;      /* windows in all */
    double prevalence;    /* share of the windows, 0..1 */
    double confidence;    /* 0..1; 0: 0.5 */
    const char *trend; /* improving, stable, worsening; NULL: insufficient_data */
    const char *motif; /* NULL: unclassified */
    const char *const *tags; /* opportunities, which knobs respond to */
    size_t n_tags;
    const char *const *suppresses; /* tags; for findings about the whole system */
    size_t n_suppresses;
    const struct dfopt_client_metric *metrics; /* key metrics */
    size_t n_metrics;
    enum dfopt_client_reports reports; /* whom it is about; 0: as the options say */
};

/* Sends a finding to options.findings_endpoint (NULL: nobody asks, and nothing is
 * kept): about this node, or with REPORTS_JOB about the job; with REPORTS_NONE not
 * at all. Waits for nothing; beyond max_pending_findings the oldest is dropped.
 * Returns OK; ARG (a member that cannot be); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_finding(dfopt_client *c, const struct dfopt_client_finding *f);

/* ---- measuring ---- */

enum dfopt_measure_phase {
    DFOPT_MEASURE_OTHER, /* neither: evaluation, checkpoints */
    DFOPT_MEASURE_FETCH,
    DFOPT_MEASURE_COMPUTE
};

/* The window under way. Plain data, no memory of its own; read the members, change
 * them by the functions, but for window.workers, memory, read_spread and changed.
 * now_ns is on any clock, and does not go back. */
struct dfopt_measure {
    dfopt_client *client;              /* borrowed; NULL: nothing is reported */
    int64_t window_ns;                 /* shortest window */
    struct dfopt_client_window window; /* so far; its index is its number */
    enum dfopt_measure_phase phase;
    int64_t start_ns, phase_ns; /* when the window and the phase began */
};

/* Begins window 1, in the phase OTHER. */
DFOPT_CLIENT_API void dfopt_measure_init(struct dfopt_measure *m,
                                         dfopt_client *client, int64_t window_ns,
                                         int64_t now_ns);

/* From now on time counts as this phase's. */
DFOPT_CLIENT_API void dfopt_measure_phase(struct dfopt_measure *m,
                                          enum dfopt_measure_phase phase,
                                          int64_t now_ns);

/* Adds what was achieved. */
DFOPT_CLIENT_API void dfopt_measure_add(struct dfopt_measure *m, double units);

/* At the end of an iteration: if the window has lasted window_ns, reports it, and
 * begins the next. Returns whether it did: that is a boundary. */
DFOPT_CLIENT_API bool dfopt_measure_end(struct dfopt_measure *m, int64_t now_ns);

/* Reports the window however long it was, under the index of a window of
 * dfopt_window_* (0: its own), and begins the next. Returns as dfopt_client_window;
 * ARG for one without any time, too. */
DFOPT_CLIENT_API enum dfopt_err dfopt_measure_close(struct dfopt_measure *m,
                                                    int64_t index, int64_t now_ns);

#ifdef __cplusplus
}
#endif
#endif
