/* Sweep files: a base policy, and how its fields vary (docs/sweeps.md). */
#ifndef DFOPT_POLICY_SWEEP_JSON_H
#define DFOPT_POLICY_SWEEP_JSON_H

#include "base/dict.h"
#include "model/sweep.h"

/* Decodes a sweep file into all its variants of a policy (borrowed). Everything
 * is checked: each variant is a policy that dfopt_policy_read would accept.
 * Returns owned in *out: dfopt_sweep_variants_free. OK, NOMEM, or PARSE, SCHEMA,
 * LIMIT; *err says where in the file, without naming it. */
enum dfopt_err dfopt_sweep_read(struct dfopt_dict *dict, const char *text,
                                size_t len, const struct dfopt_policy *policy,
                                struct dfopt_sweep_variants *out,
                                struct dfopt_error *err);

#endif
