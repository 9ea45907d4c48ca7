/* The report's JSON lines, and reading the summary of another run. */
#ifndef DFOPT_CMD_DEMO_REPORT_JSON_H
#define DFOPT_CMD_DEMO_REPORT_JSON_H

#include "cmd/demo/report.h"

/* Each writes one line; `out` NULL: nothing. */
void demo_json_window(FILE *out, const struct demo_window *w);
void demo_json_change(FILE *out, const struct demo_change *c);
void demo_json_summary(FILE *out, const struct demo_window *first,
                       const struct demo_window *last, const struct demo_end *end,
                       size_t plans_applied);

struct demo_json_rates {
    double end_rate; /* samples a second in the last quarter of the windows */
};

/* Reads the summary of a file. Returns OK; IO; FORMAT (it has none). */
enum dfopt_err demo_json_read(const char *path, struct demo_json_rates *out,
                              struct dfopt_error *err);

#endif
