/* Policy files. docs/policies.md defines the accepted fields. */
#ifndef DFOPT_POLICY_POLICY_JSON_H
#define DFOPT_POLICY_POLICY_JSON_H

#include "base/buf.h"
#include "model/policy.h"

struct json_object;

/* Decodes a policy file onto *policy, which holds a preset. On failure *policy
 * is unchanged. An unknown key is a SCHEMA error that names it. */
enum dfopt_err dfopt_policy_read(struct dfopt_dict *dict, const char *text,
                                 size_t len, struct dfopt_policy *policy,
                                 struct dfopt_error *err);

/* The same for a policy object, which sweep files contain, too. OK, NOMEM or
 * SCHEMA; *err names the switch, or the target and field. */
enum dfopt_err dfopt_policy_decode(struct dfopt_dict *dict,
                                   struct json_object *tree,
                                   struct dfopt_policy *policy,
                                   struct dfopt_error *err);

/* Appends a policy to *out in policy-file form, every switch included, as
 * compact JSON. OK or NOMEM. */
enum dfopt_err dfopt_policy_json(const struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 struct dfopt_buf *out);

#endif
