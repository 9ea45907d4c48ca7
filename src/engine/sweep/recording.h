/* A recording in memory: every event of the input, decoded once, in order, as
 * plain rows; and what the metrics of a sweep need to know of it that does not
 * depend on the policy. A function of the input's bytes alone. */
#ifndef DFOPT_ENGINE_SWEEP_RECORDING_H
#define DFOPT_ENGINE_SWEEP_RECORDING_H

#include "codec/codec.h"
#include "base/symmap.h"

#include <signal.h>

#define DFOPT_NO_EPISODE UINT32_MAX

/* A record that is no finding. */
struct dfopt_recording_other {
    uint64_t seq;
    bool invalid; /* finding or objective that could not be used: its stream */
    struct dfopt_event event; /* a registration is owned */
};

struct dfopt_recording {
    struct dfopt_buf findings; /* struct dfopt_finding_row */
    struct dfopt_buf others;   /* struct dfopt_recording_other */
    /* Episodes: findings of one type and scope, each in the same window as the
     * one before or in the next. Findings without a tag are in none. */
    struct dfopt_buf episode_of; /* uint32_t by finding */
    struct dfopt_buf onsets;     /* int64_t by episode: window of its first */
    struct dfopt_symmap node_of; /* 0 .. n_nodes-1: nodes that findings name */
    uint32_t n_nodes;
    struct dfopt_symmap knob_of; /* 0 ..: by first registration */
    struct dfopt_buf knobs;      /* dfopt_sym */
    uint64_t records, invalid;
    double severity; /* of all findings with a tag that are not improving */
    uint64_t digest; /* of the bytes */
};

struct dfopt_recording_source {
    const char *const *patterns; /* paths or globs; regular files only */
    size_t n;
    size_t max_record_bytes;
    bool strict;                       /* the first bad record is an error */
    const volatile sig_atomic_t *stop; /* NULL, or: not 0 ends it */
};

/* Zero *r before; free it in any case. Adds the knobs of a registration that is
 * there before the first record. OK or NOMEM. */
enum dfopt_err dfopt_recording_add_knobs(struct dfopt_recording *r,
                                         const struct dfopt_registration *g);

/* Reads the whole input. OK, NOMEM, INTERRUPTED, IO (a file that cannot be read
 * to its end; one that is not regular), or with strict PARSE, SCHEMA, LIMIT. */
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
