/* The fields of a response, for registrations and policies. */
#ifndef DFOPT_POLICY_RESPONSE_JSON_H
#define DFOPT_POLICY_RESPONSE_JSON_H

#include "json/write.h"
#include "model/policy.h"

/* Sets the fields of *r that the object has, and their bits in *fields. null
 * selects the wire format's default; for direction, an unknown direction. With
 * `strict`, for files that people write, an unknown field, direction or step_mode,
 * or a step or set_to that is not a scalar, is an error; otherwise they become:
 * ignored, DFOPT_DIRECTION_UNKNOWN, ADD, and null. Returns OK, SCHEMA or NOMEM. */
enum dfopt_err dfopt_response_decode(struct dfopt_dict *dict, struct json_object *j,
                                     bool strict, struct dfopt_response *r,
                                     uint32_t *fields, struct dfopt_error *err);

/* Writes the fields named by the bits as an object. */
void dfopt_response_put(struct dfopt_put *p, const struct dfopt_response *r,
                        uint32_t fields);

#endif
