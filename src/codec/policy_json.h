/* Policies as trees, for policy and sweep files. */
#ifndef DFOPT_CODEC_POLICY_JSON_H
#define DFOPT_CODEC_POLICY_JSON_H

#include "json/json.h"
#include "model/policy.h"

/* Decodes a policy object onto *policy. On failure *policy is as it was. OK,
 * NOMEM or SCHEMA; *err names the switch, or the target and field. */
enum dfopt_err dfopt_policy_decode(struct dfopt_dict *dict,
                                   struct json_object *tree,
                                   struct dfopt_policy *policy,
                                   struct dfopt_error *err);

#endif
