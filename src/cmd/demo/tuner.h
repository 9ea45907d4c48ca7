/* The loader's side of the loop: declares its two knobs to libdfopt_client, applies
 * the plans available at a boundary, acknowledges them, and reports the throughput
 * of each window. */
#ifndef DFOPT_CMD_DEMO_TUNER_H
#define DFOPT_CMD_DEMO_TUNER_H

#include "cmd/demo/diagnosis.h"
#include "cmd/demo/reader.h"
#include "dfopt/client.h"

#define DEMO_KNOBS 2

/* Whether knobs and objective belong to the node or the job. */
enum demo_knob_scope { DEMO_SCOPE_NODE, DEMO_SCOPE_JOB };

struct demo_knob_options {
    enum demo_knob_scope scope;
    double min_severity; /* 0..1, of fetch pressure, for a knob to respond */
    const struct demo_reader_options *reader;
};

/* A plan that was delivered, and its outcome. */
struct demo_change {
    struct dfopt_client_plan plan;
    int64_t window; /* in which it was applied: the last with the old value */
    int64_t from, to;
    bool applied;
    char reason[DFOPT_ERROR_TEXT_SIZE]; /* if not applied */
};

struct demo_tuner {
    dfopt_client *client; /* owned; NULL: not tuned */
    uint64_t applied;     /* plans */
};

/* Declares the knobs with the reader's initial values, and starts. Returns OK, with
 * tuner to be closed; ARG, IO, NOMEM. */
enum dfopt_err demo_tuner_open(struct demo_tuner *t,
                               const struct dfopt_client_options *options,
                               const struct demo_knob_options *knobs,
                               struct dfopt_error *err);
void demo_tuner_close(struct demo_tuner *t);

/* Flushes acks and objectives for at most timeout_ms. Returns whether every applied
 * plan has been acknowledged. */
bool demo_tuner_finish(struct demo_tuner *t, int timeout_ms);

/* Whether the knobs are registered with the optimizer. */
bool demo_tuner_registered(const struct demo_tuner *t);

/* Reports a window's samples/s and the share of its memory budget that it held.
 * Does nothing without an objectives endpoint. Waits a few ms at most for it to be
 * sent: it must reach the optimizer before the window's findings, or their plans
 * would be judged against earlier windows. */
void demo_tuner_objective(struct demo_tuner *t, const struct demo_window *w);

/* Number of objectives sent. */
uint64_t demo_tuner_objectives(const struct demo_tuner *t);

/* At a boundary: applies the available plans to the reader. Returns the number of
 * changes in `out`. */
size_t demo_tuner_boundary(struct demo_tuner *t, const char *boundary,
                           int64_t window, struct demo_reader *reader,
                           struct demo_change out[DEMO_KNOBS]);

#endif
