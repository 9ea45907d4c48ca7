/* Sweep files: a base policy, and how its fields vary (docs/sweeps.md). */
#ifndef DFOPT_POLICY_SWEEP_JSON_H
#define DFOPT_POLICY_SWEEP_JSON_H

#include "base/dict.h"
#include "model/sweep.h"

/* Decodes a sweep file into all its variants of a policy (borrowed). Validates
 * everything: dfopt_policy_read would accept each variant. Returns owned in
 * *out: dfopt_sweep_variants_free. OK, NOMEM, or PARSE, SCHEMA, LIMIT; *err
 * gives the place in the file, without the file's name. */
enum dfopt_err dfopt_sweep_read(struct dfopt_dict *dict, const char *text,
                                size_t len, const struct dfopt_policy *policy,
                                struct dfopt_sweep_variants *out,
                                struct dfopt_error *err);

#endif
