/* Self-measurement: from the times that an application measures, libdfopt_client
 * derives the objective and the findings of each window. No tracer is needed.
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

/* The measurements of one window. Set unknown members to zero. */
struct dfopt_client_window {
    int64_t index;  /* from 1, upwards; |index| <= 2^53. If it starts over, so do
                     * persistence, prevalence and trend of the findings */
    double units;   /* work done: samples, bytes, steps */
    double seconds; /* wall-clock duration */
    double fetch_s; /* waiting for data; no shares if compute_s is 0, too */
    double compute_s;
    int64_t workers;    /* processes or threads that fetch */
    double memory;      /* peak use, as a share of the memory budget */
    double read_spread; /* slow reads against fast ones: the ratio of a high to a
                         * low percentile of the latency of a read */
    bool changed;       /* a knob changed meanwhile: no findings. The library itself
                         * tracks plans acknowledged as applied */
};

/* Reports a finished window: units/seconds as its objective, with the shares
 * fetch_frac, compute_frac and mem_frac as metrics, and the findings derived from
 * this and earlier windows. Each is sent to its endpoint, if set, as
 * options.reports selects. Never blocks. Returns OK; ARG (a number is negative or
 * not finite, or seconds is 0); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_window(dfopt_client *c, const struct dfopt_client_window *w);

/* ---- custom findings ---- */

/* A finding like those of DFDiagnoser. Members that are zero have their defaults.
 * Borrowed. */
struct dfopt_client_finding {
    const char *type;     /* such as fetch_pressure; required */
    int64_t window_index; /* |w| <= 2^53 */
    double severity;      /* 0..1 */
    int64_t persistence;  /* consecutive windows */
    int64_t support;      /* windows in total */
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
    enum dfopt_client_reports reports; /* whom it concerns; 0: as in the options */
};

/* Sends a finding to options.findings_endpoint (NULL: it is discarded): about this
 * node, or about the job with REPORTS_JOB; not at all with REPORTS_NONE. Never
 * blocks; beyond max_pending_findings the oldest is dropped. Returns OK; ARG (an
 * invalid member); STATE (forked, or NULL); NOMEM. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_finding(dfopt_client *c, const struct dfopt_client_finding *f);

/* ---- measuring ---- */

enum dfopt_measure_phase {
    DFOPT_MEASURE_OTHER, /* neither, such as evaluation or checkpoints */
    DFOPT_MEASURE_FETCH,
    DFOPT_MEASURE_COMPUTE
};

/* The current window. Plain data, owns no memory. Members may be read; only
 * window.workers, memory, read_spread and changed may be written directly. now_ns
 * may be of any monotonic clock. */
struct dfopt_measure {
    dfopt_client *client;              /* borrowed; NULL: nothing is reported */
    int64_t window_ns;                 /* minimum length of a window */
    struct dfopt_client_window window; /* so far; the index is its number */
    enum dfopt_measure_phase phase;
    int64_t start_ns, phase_ns; /* when the window and the phase began */
};

/* Begins window 1 in phase OTHER. */
DFOPT_CLIENT_API void dfopt_measure_init(struct dfopt_measure *m,
                                         dfopt_client *client, int64_t window_ns,
                                         int64_t now_ns);

/* Enters a phase: time from now on counts towards it. */
DFOPT_CLIENT_API void dfopt_measure_phase(struct dfopt_measure *m,
                                          enum dfopt_measure_phase phase,
                                          int64_t now_ns);

/* Adds work done. */
DFOPT_CLIENT_API void dfopt_measure_add(struct dfopt_measure *m, double units);

/* Call it at the end of each iteration. If the window has lasted window_ns,
 * reports it, begins the next and returns true: this is a boundary. */
DFOPT_CLIENT_API bool dfopt_measure_end(struct dfopt_measure *m, int64_t now_ns);

/* Reports the window regardless of its length, under the index of a window of
 * dfopt_window_* (0: its own), and begins the next. Returns as dfopt_client_window;
 * also ARG if the window has no duration. */
DFOPT_CLIENT_API enum dfopt_err dfopt_measure_close(struct dfopt_measure *m,
                                                    int64_t index, int64_t now_ns);

#ifdef __cplusplus
}
#endif
#endif
