/* Python's arithmetic on knob values, because Python defines the values that
 * DFOptimizer computes: integers that do not wrap, booleans that count as 0 and 1,
 * min and max that keep the first of equals, floor division, int() that truncates
 * toward zero. Every function returns whether Python would have returned a result;
 * where it would have raised, *out is untouched. */
#ifndef DFOPT_PLANNER_STEP_NUMBER_H
#define DFOPT_PLANNER_STEP_NUMBER_H

#include "model/knob.h"

/* An intermediate value of a computation. */
struct dfopt_number {
    uint32_t kind; /* enum dfopt_kind */
    dfopt_sym str; /* STR */
    __int128 i;    /* INT, BOOL: within 2^126 either way */
    double d;      /* REAL; also an integer too large for i */
};

struct dfopt_number dfopt_number_from(struct dfopt_value v);
struct dfopt_number dfopt_number_int(int64_t i);
struct dfopt_number dfopt_number_real(double d);

/* Back to a value. False if an integer does not fit in 64 bits. */
bool dfopt_number_value(struct dfopt_number n, struct dfopt_value *out);

/* The number as a double; NaN if it is not a number. */
double dfopt_number_as_double(struct dfopt_number n);

/* a < b. False if the two cannot be ordered. NaN is ordered: never less. */
bool dfopt_number_less(struct dfopt_number a, struct dfopt_number b, bool *out);

bool dfopt_number_add(struct dfopt_dict *dict, struct dfopt_number a,
                      struct dfopt_number b, struct dfopt_number *out);
bool dfopt_number_subtract(struct dfopt_number a, struct dfopt_number b,
                           struct dfopt_number *out);
bool dfopt_number_multiply(struct dfopt_number a, struct dfopt_number b,
                           struct dfopt_number *out);
bool dfopt_number_floor_divide(struct dfopt_number a, struct dfopt_number b,
                               struct dfopt_number *out);

/* max(a, b) and min(a, b): a unless b is strictly beyond it. */
bool dfopt_number_max(struct dfopt_number a, struct dfopt_number b,
                      struct dfopt_number *out);
bool dfopt_number_min(struct dfopt_number a, struct dfopt_number b,
                      struct dfopt_number *out);

/* int(d). False for NaN and infinities. */
bool dfopt_number_truncate(double d, struct dfopt_number *out);

/* int(), float(), str() or bool() of n, by enum dfopt_knob_type. False also if
 * an int does not fit in 64 bits or a float is not finite. */
bool dfopt_number_cast(struct dfopt_dict *dict, uint32_t type,
                       struct dfopt_number n, struct dfopt_number *out);

#endif
