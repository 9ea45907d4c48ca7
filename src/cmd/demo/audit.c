/* An epoch of n samples without duplicates is complete. */
#include "cmd/demo/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum dfopt_err demo_audit_init(struct demo_audit *a, const struct demo_dataset *d)
{
    const uint64_t n = demo_dataset_records(d);
    *a = (struct demo_audit){.records = n, .want = demo_dataset_digest(d)};
    a->seen = calloc(n, sizeof *a->seen);
    return a->seen ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void demo_audit_free(struct demo_audit *a)
{
    free(a->seen);
    *a = (struct demo_audit){0};
}

static enum dfopt_err end_epoch(struct demo_audit *a, struct dfopt_error *err)
{
    const bool right = a->digest == a->want;
    memset(a->seen, 0, a->records * sizeof *a->seen);
    a->in_epoch = a->digest = 0;
    a->epochs++;
    return right ? DFOPT_OK
                 : dfopt_error_set(
                       err, DFOPT_ERR_FORMAT,
                       "epoch %" PRIu64
                       ": the checksums of its records do not match the files",
                       a->epochs);
}

enum dfopt_err demo_audit_sample(struct demo_audit *a, const struct demo_sample *s,
                                 bool *epoch_ends, struct dfopt_error *err)
{
    *epoch_ends = false;
    if (s->record >= a->records || a->seen[s->record])
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT, "epoch %" PRIu64 ": record %" PRIu64 " came %s",
            a->epochs + 1, s->record,
            s->record < a->records ? "twice" : "but is not in the data set");
    a->seen[s->record] = true;
    a->digest += s->checksum;
    a->samples++;
    *epoch_ends = ++a->in_epoch == a->records;
    return *epoch_ends ? end_epoch(a, err) : DFOPT_OK;
}
