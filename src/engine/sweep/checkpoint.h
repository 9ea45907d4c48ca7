/* The journal of a sweep: an append-only file of results in arrival order. A
 * killed sweep resumes from the intact entries. Only the machine and version that
 * wrote it can read it; it is removed when the sweep is done. */
#ifndef DFOPT_ENGINE_SWEEP_CHECKPOINT_H
#define DFOPT_ENGINE_SWEEP_CHECKPOINT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct dfopt_sweep_journal;

/* Identifies the sweep that a journal belongs to; no other sweep can resume it. */
struct dfopt_sweep_key {
    uint64_t input;  /* digest of the recording */
    uint64_t config; /* digest of policies, knobs and ack handling */
    uint64_t variants, knobs;
};

/* Called with each result found; the bytes are aligned to 8. */
typedef enum dfopt_err (*dfopt_sweep_result_fn)(void *arg, const void *result,
                                                size_t len);

/* Creates a journal (path borrowed), which must not exist. Returns owned: close.
 * OK, NOMEM, STATE (it exists) or IO. */
enum dfopt_err dfopt_sweep_journal_create(struct dfopt_sweep_journal **out,
                                          const char *path,
                                          const struct dfopt_sweep_key *key,
                                          struct dfopt_error *err);

/* Opens the journal of a killed sweep: passes its results to `found`, truncates a
 * partial entry, and appends from there. OK, NOMEM, IO, FORMAT (not a journal),
 * STATE (of another input, sweep or version), or what `found` returned. */
enum dfopt_err dfopt_sweep_journal_resume(struct dfopt_sweep_journal **out,
                                          const char *path,
                                          const struct dfopt_sweep_key *key,
                                          dfopt_sweep_result_fn found, void *arg,
                                          struct dfopt_error *err);

/* Appends a result, which from then on survives a kill. OK or IO. */
enum dfopt_err dfopt_sweep_journal_add(struct dfopt_sweep_journal *j,
                                       const void *result, size_t len,
                                       struct dfopt_error *err);

/* NULL is fine. */
void dfopt_sweep_journal_close(struct dfopt_sweep_journal *j);

#endif
