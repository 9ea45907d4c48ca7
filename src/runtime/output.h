/* Where decided rounds go: decision log, plans, log lines, totals. */
#ifndef DFOPT_RUNTIME_OUTPUT_H
#define DFOPT_RUNTIME_OUTPUT_H

#include "runtime/lead.h"
#include "runtime/round.h"

struct dfopt_output {
    const struct dfopt_lead_config *c;
    struct dfopt_totals *totals;
    uint64_t rejects_shown;
    bool sink_failed, failed; /* failed: something is not whole */
    struct dfopt_buf json;    /* scratch */
    struct dfopt_buf text;
};

/* Logs the registrations that were there before the first event. */
enum dfopt_err dfopt_output_presets(struct dfopt_output *o,
                                    struct dfopt_error *err);

/* Puts out a merged round. `flush`: make it durable in the decision log. Returns
 * OK also when an output fails and the run is not strict (said in the log). */
enum dfopt_err dfopt_output_round(struct dfopt_output *o,
                                  const struct dfopt_round *r, bool flush,
                                  struct dfopt_error *err);

/* Flushes what is buffered. */
enum dfopt_err dfopt_output_end(struct dfopt_output *o, struct dfopt_error *err);

void dfopt_output_free(struct dfopt_output *o);

#endif
