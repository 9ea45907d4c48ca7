/* Verifies on the consumer's side, from the samples alone, that every record
 * arrives intact and exactly once per epoch. */
#ifndef DFOPT_CMD_DEMO_AUDIT_H
#define DFOPT_CMD_DEMO_AUDIT_H

#include "cmd/demo/dataset.h"

#include <stdbool.h>

struct demo_audit {
    bool *seen; /* in this epoch; owned */
    uint64_t records, in_epoch;
    uint64_t digest, want; /* sums of checksums: of this epoch, of the set */
    uint64_t samples, epochs;
};

/* Returns OK or NOMEM. */
enum dfopt_err demo_audit_init(struct demo_audit *a, const struct demo_dataset *d);
void demo_audit_free(struct demo_audit *a);

/* Returns OK; FORMAT: a duplicate in this epoch, an unknown record, or an epoch
 * whose checksums do not match the set. *epoch_ends: it was the epoch's last. */
enum dfopt_err demo_audit_sample(struct demo_audit *a, const struct demo_sample *s,
                                 bool *epoch_ends, struct dfopt_error *err);

#endif
