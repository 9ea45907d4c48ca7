/* A sweep parameter and its values: a list, or a range of numbers. For this
 * folder only. */
#ifndef DFOPT_POLICY_SWEEP_AXIS_H
#define DFOPT_POLICY_SWEEP_AXIS_H

#include "json/json.h"

struct dfopt_axis {
    const char *path;         /* borrowed from the tree */
    struct json_object *list; /* borrowed; NULL: a range */
    bool whole, log;          /* range: integers; logarithmic spacing */
    double from, to;
    double step;   /* 0: none */
    int64_t count; /* number of points, ends included; 0: given by step */
};

/* Reads the values of a path: a non-empty list, or an object with from, to and
 * optionally step or count, and scale. OK or SCHEMA. */
enum dfopt_err dfopt_axis_read(struct dfopt_axis *a, const char *path,
                               struct json_object *values, struct dfopt_error *err);

/* The number of values; 0: any between the ends. */
uint64_t dfopt_axis_count(const struct dfopt_axis *a);

/* Value number i; the value at a fraction in [0, 1). New reference, or NULL: no
 * memory (or the list's null: *e tells). */
struct json_object *dfopt_axis_at(const struct dfopt_axis *a, uint64_t i,
                                  enum dfopt_err *e);
struct json_object *dfopt_axis_sample(const struct dfopt_axis *a, double u,
                                      enum dfopt_err *e);

#endif
