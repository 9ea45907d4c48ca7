/* The loader's side of the loop: it declares its two knobs to libdfopt_client,
 * applies the plans that are there at a boundary, acknowledges them, and reports
 * what each window achieved. */
#ifndef DFOPT_CMD_DEMO_TUNER_H
#define DFOPT_CMD_DEMO_TUNER_H

#include "cmd/demo/diagnosis.h"
#include "cmd/demo/reader.h"
#include "dfopt/client.h"

#define DEMO_KNOBS 2

/* Whose the knobs are, and the objective. */
enum demo_knob_scope { DEMO_SCOPE_NODE, DEMO_SCOPE_JOB };

struct demo_knob_options {
    enum demo_knob_scope scope;
    double min_severity; /* 0..1, of fetch pressure that a knob follows */
    const struct demo_reader_options *reader;
};

/* One plan that was handed over, and what became of it. */
struct demo_change {
    struct dfopt_client_plan plan;
    int64_t window; /* in which it was applied: the last one with the old value */
    int64_t from, to;
    bool applied;
    char reason[DFOPT_ERROR_TEXT_SIZE]; /* why not */
};

struct demo_tuner {
    dfopt_client *client; /* owned; NULL: not tuned */
    uint64_t applied;     /* plans */
};

/* Declares the knobs, with the values that the reader begins with, and starts.
 * Returns OK, with tuner to be closed; ARG, IO, NOMEM. */
enum dfopt_err demo_tuner_open(struct demo_tuner *t,
                               const struct dfopt_client_options *options,
                               const struct demo_knob_options *knobs,
                               struct dfopt_error *err);
void demo_tuner_close(struct demo_tuner *t);

/* Sends the acks and objectives that wait, for at most timeout_ms. Returns whether
 * each plan that was applied has been acknowledged. */
bool demo_tuner_finish(struct demo_tuner *t, int timeout_ms);

/* Whether the optimizer has been told the knobs. */
bool demo_tuner_registered(const struct demo_tuner *t);

/* Reports the samples/s of a window, and the share of its memory budget that it
 * held. Nothing happens without an endpoint for objectives. Waits a few ms at most
 * for it to leave: the optimizer is to have it before the findings of the window,
 * or it judges what they ask for by the windows before. */
void demo_tuner_objective(struct demo_tuner *t, const struct demo_window *w);

/* Objectives that have been sent. */
uint64_t demo_tuner_objectives(const struct demo_tuner *t);

/* At a boundary: lets the reader have what the plans say. Returns the number of
 * changes in `out`. */
size_t demo_tuner_boundary(struct demo_tuner *t, const char *boundary,
                           int64_t window, struct demo_reader *reader,
                           struct demo_change out[DEMO_KNOBS]);

#endif
