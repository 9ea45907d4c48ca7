/* Reports windows and plans as they happen, then a summary: for people on standard
 * output, for programs as JSON lines in a file. */
#ifndef DFOPT_CMD_DEMO_REPORT_H
#define DFOPT_CMD_DEMO_REPORT_H

#include "cmd/demo/diagnosis.h"
#include "cmd/demo/grid.h"
#include "cmd/demo/tuner.h"

#include <stdbool.h>
#include <stdio.h>

/* A change of a knob, and the full windows before and after it. */
struct demo_step {
    struct demo_change change;
    struct demo_window before, after; /* after.index 0: there was none */
};

struct demo_report {
    FILE *json; /* owned; NULL: none */
    const char *json_path;
    struct demo_window *windows; /* all; owned */
    size_t n_windows;
    struct demo_step *steps; /* owned */
    size_t n_steps;
};

/* More facts for the summary. */
struct demo_end {
    uint64_t samples, epochs;
    uint64_t findings_sent, findings_dropped, objectives_sent;
    bool tuned;        /* the run has an optimizer */
    bool acknowledged; /* every applied plan was acknowledged */
    bool interrupted;
};

/* Returns OK, or IO: the file cannot be written. */
enum dfopt_err demo_report_open(struct demo_report *r, const char *json_path,
                                struct dfopt_error *err);

/* Closes the file. Returns OK, or IO: it could not be written completely. */
enum dfopt_err demo_report_close(struct demo_report *r, struct dfopt_error *err);

/* Each returns OK or NOMEM. */
enum dfopt_err demo_report_window(struct demo_report *r,
                                  const struct demo_window *w);
enum dfopt_err demo_report_change(struct demo_report *r,
                                  const struct demo_change *c);

void demo_report_summary(struct demo_report *r, const struct demo_end *end);

/* Summarizes a grid: its best setting. */
void demo_report_best(struct demo_report *r, const struct demo_end *end,
                      const struct demo_grid *g);

/* Compares with the run whose JSON file is `path` and prints the result; *enough:
 * it is as good as required. Returns OK; IO or FORMAT: the text names the file. */
enum dfopt_err demo_report_compare(const struct demo_report *r,
                                   const struct demo_end *end, const char *path,
                                   double at_least, bool *enough,
                                   struct dfopt_error *err);

/* Compares with the best setting of the grid whose JSON file is `path`; prints and
 * writes the result. Returns OK; IO or FORMAT: the text names the file. */
enum dfopt_err demo_report_judge(struct demo_report *r, const char *path,
                                 struct dfopt_error *err);

#endif
