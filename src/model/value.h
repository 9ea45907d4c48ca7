/* A JSON scalar that keeps its type: 8 is not 8.0. Plain data of 16 bytes
 * without padding, fit for a frame or a row. */
#ifndef DFOPT_MODEL_VALUE_H
#define DFOPT_MODEL_VALUE_H

#include "base/buf.h"
#include "base/dict.h"

#include <stdbool.h>
#include <stdint.h>

#define DFOPT_KIND_LIST(X)                                                         \
    X(NULL, "null") X(BOOL, "bool") X(INT, "int") X(REAL, "real") X(STR, "str")

enum dfopt_kind {
#define DFOPT_KIND_ENUM(name, text) DFOPT_KIND_##name,
    DFOPT_KIND_LIST(DFOPT_KIND_ENUM)
#undef DFOPT_KIND_ENUM
        DFOPT_KIND_COUNT
};

struct dfopt_value {
    uint32_t kind; /* enum dfopt_kind */
    dfopt_sym str; /* STR: the text; else 0 */
    union {
        int64_t i; /* INT; BOOL: 0 or 1; NULL and STR: 0 */
        double d;  /* REAL */
    };
};

static inline struct dfopt_value dfopt_value_null(void)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_NULL};
}

static inline struct dfopt_value dfopt_value_bool(bool b)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_BOOL, .i = b};
}

static inline struct dfopt_value dfopt_value_int(int64_t i)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_INT, .i = i};
}

static inline struct dfopt_value dfopt_value_real(double d)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_REAL, .d = d};
}

static inline struct dfopt_value dfopt_value_str(dfopt_sym s)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_STR, .str = s};
}

/* INT or REAL: a number that is not a boolean. */
static inline bool dfopt_value_is_number(struct dfopt_value v)
{
    return v.kind == DFOPT_KIND_INT || v.kind == DFOPT_KIND_REAL;
}

/* -1, 0, 1 if i is below, equal to or above d, exactly; 2 if d is NaN. */
int dfopt_compare_int_real(int64_t i, double d);

/* Equality as in Python's JSON: 2 == 2.0 == true+1, exact between integers and
 * reals; strings by text; null equals only null. */
bool dfopt_value_equal(const struct dfopt_dict *dict, struct dfopt_value a,
                       struct dfopt_value b);

/* -1, 0, 1 if the first number is below, equal to or above the other; 2 if
 * either is not a number (a boolean is not one) or NaN. */
int dfopt_value_order(struct dfopt_value a, struct dfopt_value b);

/* The number as a double (BOOL 0 or 1, INT rounded); NaN for null and strings. */
double dfopt_value_as_double(struct dfopt_value v);

/* Size of the buffer for dfopt_real_text, NUL included. */
#define DFOPT_REAL_TEXT_SIZE 40

/* Writes the shortest decimal text that reads back as the same real and cannot
 * be taken for an integer: 0.1, 8.0, 1e-07, NaN, Infinity, -Infinity. Returns
 * its length. */
size_t dfopt_real_text(double d, char text[DFOPT_REAL_TEXT_SIZE]);

#endif
