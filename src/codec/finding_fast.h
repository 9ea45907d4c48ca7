/* The fast decoder of findings and objectives. It decodes ordinary, well-formed
 * ones and declines everything else: anything odd or wrong, and every other
 * stream. Declined records go to dfopt_record_decode, which defines what is
 * accepted and writes the errors. Accepted records decode to the same bits and
 * give the same numbers to the same strings. Needs simdjson; without it
 * (DFOPT_HAVE_SIMDJSON undefined) this decoder does not exist. */
#ifndef DFOPT_CODEC_FINDING_FAST_H
#define DFOPT_CODEC_FINDING_FAST_H

#ifdef __cplusplus
extern "C" {
#endif

#include "model/message.h"

struct dfopt_finding_fast; /* parser, padded scratch, caches; one thread */

#ifdef DFOPT_HAVE_SIMDJSON

/* max_bytes and max_depth as in struct dfopt_codec_limits, but not 0. Returns
 * OK or NOMEM. Returns owned: destroy. `dict` is borrowed for the decoder's
 * life. */
enum dfopt_err dfopt_finding_fast_create(struct dfopt_finding_fast **out,
                                         struct dfopt_dict *dict, size_t max_bytes,
                                         int max_depth);
void dfopt_finding_fast_destroy(struct dfopt_finding_fast *fast);

/* Sets the names of the additional metrics (DFOPT_METRIC_NAMED of them;
 * DFOPT_SYM_EMPTY: none). `fast` may be NULL. */
void dfopt_finding_fast_metrics(struct dfopt_finding_fast *fast,
                                const dfopt_sym *names);

/* Decodes one record, bare or, if `envelopes`, as {"stream": "finding", "body":
 * ...}. Returns whether it did. If not, nothing is known of the record, and the
 * outputs and the dictionary are untouched (except on running out of memory: the
 * record's first strings may then be interned). `fast` may be NULL: declines. */
bool dfopt_finding_fast_decode(struct dfopt_finding_fast *fast, const char *data,
                               size_t len, bool envelopes,
                               struct dfopt_finding *out, bool *enveloped);

/* The same for an objective; with `envelopes` only {"stream": "objective", ...}
 * starting exactly so: an accepted record is then always enveloped. */
bool dfopt_objective_fast_decode(struct dfopt_finding_fast *fast, const char *data,
                                 size_t len, bool envelopes,
                                 struct dfopt_objective *out);

#else

static inline enum dfopt_err
dfopt_finding_fast_create(struct dfopt_finding_fast **out, struct dfopt_dict *dict,
                          size_t max_bytes, int max_depth)
{
    (void)dict;
    (void)max_bytes;
    (void)max_depth;
    *out = NULL;
    return DFOPT_OK;
}

static inline void dfopt_finding_fast_destroy(struct dfopt_finding_fast *fast)
{
    (void)fast;
}

static inline void dfopt_finding_fast_metrics(struct dfopt_finding_fast *fast,
                                              const dfopt_sym *names)
{
    (void)fast;
    (void)names;
}

static inline bool dfopt_finding_fast_decode(struct dfopt_finding_fast *fast,
                                             const char *data, size_t len,
                                             bool envelopes,
                                             struct dfopt_finding *out,
                                             bool *enveloped)
{
    (void)fast;
    (void)data;
    (void)len;
    (void)envelopes;
    (void)out;
    (void)enveloped;
    return false;
}

static inline bool dfopt_objective_fast_decode(struct dfopt_finding_fast *fast,
                                               const char *data, size_t len,
                                               bool envelopes,
                                               struct dfopt_objective *out)
{
    (void)fast;
    (void)data;
    (void)len;
    (void)envelopes;
    (void)out;
    return false;
}

#endif

#ifdef __cplusplus
}
#endif
#endif
