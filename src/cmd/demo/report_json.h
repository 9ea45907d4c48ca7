/* Writes the report as JSON lines, and reads the summary of another run. */
#ifndef DFOPT_CMD_DEMO_REPORT_JSON_H
#define DFOPT_CMD_DEMO_REPORT_JSON_H

#include "cmd/demo/report.h"

/* Each writes one line; does nothing if `out` is NULL. */
void demo_json_window(FILE *out, const struct demo_window *w);
void demo_json_change(FILE *out, const struct demo_change *c);
void demo_json_summary(FILE *out, const struct demo_window *first,
                       const struct demo_window *last, const struct demo_end *end,
                       size_t plans_applied);

void demo_json_best(FILE *out, const struct demo_grid *g, const struct demo_end *e);
void demo_json_judged(FILE *out, double best, double share);

#define DEMO_JSON_END_RATE  "end_samples_per_second" /* in the last quarter */
#define DEMO_JSON_BEST_RATE "best_samples_per_second"

/* Reads one of these members from a file, the last one in it. Returns OK; IO;
 * FORMAT (the file has none). */
enum dfopt_err demo_json_read(const char *path, const char *member, double *out,
                              struct dfopt_error *err);

#endif
