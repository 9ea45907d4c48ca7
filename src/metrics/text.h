/* A snapshot as text: OpenMetrics 1.0 or the older Prometheus format (0.0.4),
 * which differs only in counter types, units and the end marker. */
#ifndef DFOPT_METRICS_TEXT_H
#define DFOPT_METRICS_TEXT_H

#include "metrics/board.h"

#include <stdbool.h>

#define DFOPT_TYPE_OPENMETRICS                                                     \
    "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define DFOPT_TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

/* Whether a client with this Accept header (NULL: none) wants OpenMetrics: it
 * names the type and prefers no other. */
bool dfopt_metrics_negotiate(const char *accept);

/* Appends the exposition. OK or NOMEM. */
enum dfopt_err dfopt_metrics_text(const struct dfopt_snapshot *s, bool openmetrics,
                                  struct dfopt_buf *out);

/* Appends the checks, one per line: "input: ok". OK or NOMEM. */
enum dfopt_err dfopt_health_text(const struct dfopt_health *h,
                                 struct dfopt_buf *out);

#endif
