/* Budgets, guards and the objective metric of a policy, as trees. For
 * policy_json.c only. */
#ifndef DFOPT_POLICY_POLICY_CONTROL_JSON_H
#define DFOPT_POLICY_POLICY_CONTROL_JSON_H

#include "json/write.h"
#include "model/policy.h"

/* Each replaces its part of *p, whose arrays *p owns (null: removes it). After a
 * failure *p can still be cleared. OK, NOMEM or SCHEMA; *err names the part. */
enum dfopt_err dfopt_budgets_decode(struct dfopt_dict *dict, struct json_object *j,
                                    struct dfopt_policy *p,
                                    struct dfopt_error *err);
enum dfopt_err dfopt_guards_decode(struct dfopt_dict *dict, struct json_object *j,
                                   struct dfopt_policy *p, struct dfopt_error *err);
enum dfopt_err dfopt_objective_metric_decode(struct dfopt_dict *dict,
                                             struct json_object *j,
                                             struct dfopt_policy *p,
                                             struct dfopt_error *err);

enum dfopt_err dfopt_limits_decode(struct json_object *j, struct dfopt_policy *p,
                                   struct dfopt_error *err);

/* Writes `,"budgets":...` and so on, for the parts that exist. */
void dfopt_policy_control_put(struct dfopt_put *put, const struct dfopt_policy *p);

/* The names of the metrics in the slots below DFOPT_METRIC_KNOWN. */
extern const char *const dfopt_metric_known[DFOPT_METRIC_KNOWN];

#endif
