/* A recording in memory: every event of the input, decoded once, in order, as
 * plain rows; plus what a sweep's metrics need that does not depend on the policy.
 * A function of the input's bytes alone. */
#ifndef DFOPT_ENGINE_SWEEP_RECORDING_H
#define DFOPT_ENGINE_SWEEP_RECORDING_H

#include "codec/codec.h"
#include "base/symmap.h"

#include <signal.h>

#define DFOPT_NO_EPISODE UINT32_MAX

/* A record that is not a finding. */
struct dfopt_recording_other {
    uint64_t seq;
    bool invalid;             /* an unusable finding or objective: its stream */
    struct dfopt_event event; /* owns its registration, if any */
};

struct dfopt_recording {
    struct dfopt_buf findings; /* struct dfopt_finding_row */
    struct dfopt_buf others;   /* struct dfopt_recording_other */
    /* Episodes: findings of one type and scope, each in the same window as the
     * previous one or in the next. Findings without a tag are in none. */
    struct dfopt_buf episode_of; /* uint32_t per finding */
    struct dfopt_buf onsets;     /* int64_t per episode: its first window */
    struct dfopt_symmap node_of; /* 0 .. n_nodes-1: nodes named by findings */
    uint32_t n_nodes;
    struct dfopt_symmap knob_of; /* 0 ..: in order of first registration */
    struct dfopt_buf knobs;      /* dfopt_sym */
    uint64_t records, invalid;
    double severity; /* over all findings with a tag that are not improving */
    uint64_t digest; /* of the input's bytes */
};

struct dfopt_recording_source {
    const char *const *patterns; /* paths or globs; regular files only */
    size_t n;
    size_t max_record_bytes;
    bool strict;                       /* the first bad record is an error */
    const volatile sig_atomic_t *stop; /* or NULL; nonzero ends it */
};

/* Zero *r before; free it in any case. Adds the knobs of a registration made
 * before the first record. OK or NOMEM. */
enum dfopt_err dfopt_recording_add_knobs(struct dfopt_recording *r,
                                         const struct dfopt_registration *g);

/* Reads the whole input. OK, NOMEM, INTERRUPTED, IO (a file that cannot be read to
 * its end or is not regular), or with strict PARSE, SCHEMA, LIMIT. */
enum dfopt_err dfopt_recording_load(struct dfopt_recording *r,
                                    struct dfopt_dict *dict,
                                    struct dfopt_codec *codec,
                                    const struct dfopt_recording_source *from,
                                    struct dfopt_error *err);
void dfopt_recording_free(struct dfopt_recording *r);

static inline size_t dfopt_recording_findings(const struct dfopt_recording *r)
{
    return DFOPT_ROWS(&r->findings, struct dfopt_finding_row);
}

#endif
