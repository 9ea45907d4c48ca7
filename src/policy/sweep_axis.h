/* A parameter of a sweep and the values that it takes: a list of values, or a
 * range of numbers. For this folder only. */
#ifndef DFOPT_POLICY_SWEEP_AXIS_H
#define DFOPT_POLICY_SWEEP_AXIS_H

#include "json/json.h"

struct dfopt_axis {
    const char *path;         /* borrowed from the tree */
    struct json_object *list; /* borrowed; NULL: a range */
    bool whole, log;          /* range: whole numbers; even in the logarithm */
    double from, to;
    double step;   /* 0: none */
    int64_t count; /* points, the ends included; 0: as the step says */
};

/* Reads the values of a path: a list that is not empty, or an object with from,
 * to and, if need be, step or count, and scale. OK or SCHEMA. */
enum dfopt_err dfopt_axis_read(struct dfopt_axis *a, const char *path,
                               struct json_object *values, struct dfopt_error *err);

/* How many values there are; 0: any between the ends. */
uint64_t dfopt_axis_count(const struct dfopt_axis *a);

/* The i-th of them; the one at a place of [0, 1). New reference, or NULL: no
 * memory (or the list's null: *e tells). */
struct json_object *dfopt_axis_at(const struct dfopt_axis *a, uint64_t i,
                                  enum dfopt_err *e);
struct json_object *dfopt_axis_sample(const struct dfopt_axis *a, double u,
                                      enum dfopt_err *e);

#endif
