/* Fits a value to a knob. Source: DFOptimizer 0.1.0, KnobDef.clamp in
 * dfoptimizer/types.py: the list, else the range, then the type; but values for
 * which Python would raise an exception, or use the truth of a text, are refused,
 * and the result always has the knob's own type. */
#include "client/impl.h"
#include "model/value.h"

#include <math.h>
#include <string.h>

static bool is_number(const struct dfopt_client_value *v)
{
    return v->kind == DFOPT_CLIENT_INT ||
           (v->kind == DFOPT_CLIENT_FLOAT && isfinite(v->d));
}

bool dfopt_client_value_is(enum dfopt_client_kind type,
                           const struct dfopt_client_value *v)
{
    if (type == DFOPT_CLIENT_FLOAT)
        return is_number(v);
    return v->kind == type &&
           (type != DFOPT_CLIENT_STR || memchr(v->s, '\0', sizeof v->s));
}

struct dfopt_client_value dfopt_client_value_as(enum dfopt_client_kind type,
                                                const struct dfopt_client_value *v)
{
    if (type == DFOPT_CLIENT_FLOAT && v->kind == DFOPT_CLIENT_INT)
        return (struct dfopt_client_value){.kind = type, .d = (double)v->i};
    return *v;
}

/* -1, 0, 1 for a less than, equal to, greater than b; both are numbers. */
static int compare(const struct dfopt_client_value *a,
                   const struct dfopt_client_value *b)
{
    if (a->kind == DFOPT_CLIENT_INT)
        return b->kind == DFOPT_CLIENT_INT ? (a->i > b->i) - (a->i < b->i)
                                           : dfopt_compare_int_real(a->i, b->d);
    if (b->kind == DFOPT_CLIENT_INT)
        return -dfopt_compare_int_real(b->i, a->d);
    return (a->d > b->d) - (a->d < b->d);
}

/* Compares two values that fit the same knob. */
static bool same(const struct dfopt_client_value *a,
                 const struct dfopt_client_value *b)
{
    if (a->kind == DFOPT_CLIENT_BOOL || b->kind == DFOPT_CLIENT_BOOL)
        return a->kind == b->kind && a->b == b->b;
    if (a->kind == DFOPT_CLIENT_STR || b->kind == DFOPT_CLIENT_STR)
        return a->kind == b->kind && strcmp(a->s, b->s) == 0;
    return compare(a, b) == 0;
}

/* Whether a value can have the type. For a BOOL knob, converts a number to BOOL. */
static bool suits(enum dfopt_client_kind type, struct dfopt_client_value *v)
{
    switch (type) {
    case DFOPT_CLIENT_INT:
    case DFOPT_CLIENT_FLOAT:
        return is_number(v);
    case DFOPT_CLIENT_BOOL:
        if (is_number(v)) {
            bool truth = v->kind == DFOPT_CLIENT_INT ? v->i != 0 : v->d != 0;
            *v = (struct dfopt_client_value){.kind = type, .b = truth};
        }
        return v->kind == DFOPT_CLIENT_BOOL;
    default:
        return v->kind == type;
    }
}

bool dfopt_client_is_listed(const struct dfopt_client_value *list, size_t n,
                            const struct dfopt_client_value *v)
{
    for (size_t i = 0; i < n; i++)
        if (same(&list[i], v))
            return true;
    return false;
}

bool dfopt_client_range_inverted(const struct dfopt_client_knob *k)
{
    return k->lo.kind && k->hi.kind && compare(&k->lo, &k->hi) > 0;
}

bool dfopt_client_default_outside(const struct dfopt_client_knob *k)
{
    if (k->n_values)
        return !dfopt_client_is_listed(k->values, k->n_values, &k->default_value);
    return k->lo.kind && (compare(&k->default_value, &k->lo) < 0 ||
                          compare(&k->default_value, &k->hi) > 0);
}

bool dfopt_client_step_backward(const struct dfopt_client_response *r)
{
    if (!r->step.kind || r->direction == DFOPT_CLIENT_SET ||
        r->step_mode == DFOPT_CLIENT_EVIDENCE)
        return false;
    const int64_t none = r->step_mode == DFOPT_CLIENT_MULTIPLY ? 1 : 0;
    const struct dfopt_client_value still = {.kind = DFOPT_CLIENT_INT, .i = none};
    return compare(&r->step, &still) <= 0;
}

static const struct dfopt_client_value *
from_list(const struct client_knob *k, const struct dfopt_client_value *v)
{
    for (size_t i = 0; i < k->n_values; i++)
        if (same(&k->values[i], v))
            return &k->values[i];
    return &k->default_value;
}

/* Truncates a real for an INT knob. False: it is beyond 64 bits. */
static bool convert(enum dfopt_client_kind type, struct dfopt_client_value *v)
{
    if (type == DFOPT_CLIENT_INT && v->kind == DFOPT_CLIENT_FLOAT) {
        if (!(v->d >= -0x1p63 && v->d < 0x1p63))
            return false;
        *v = (struct dfopt_client_value){.kind = type, .i = (int64_t)v->d};
    }
    *v = dfopt_client_value_as(type, v);
    return true;
}

bool dfopt_client_fit(const struct client_knob *k,
                      const struct dfopt_client_value *v,
                      struct dfopt_client_value *out, bool *clamped)
{
    struct dfopt_client_value told = *v, fit;
    if (!suits(k->type, &told))
        return false;
    fit = told;
    if (k->has_values)
        fit = *from_list(k, &told);
    else if (k->has_range && compare(&told, &k->hi) > 0)
        fit = k->hi;
    if (!k->has_values && k->has_range && compare(&fit, &k->lo) < 0)
        fit = k->lo; /* also for inverted bounds, as in DFOptimizer */
    if (!convert(k->type, &fit))
        return false;
    *clamped = !same(&fit, &told);
    *out = fit;
    return true;
}
