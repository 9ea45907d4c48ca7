/* The new value of a knob. A computation in which Python would raise an exception
 * is UNSUPPORTED; the finding's other responses continue. */
#include "planner/step/step.h"

#include <math.h>

/* The inputs of a step. */
struct step {
    struct dfopt_dict *dict;
    const struct dfopt_switches *on;
    const struct dfopt_knob *k;
    const struct dfopt_response *r;
    struct dfopt_value old;
    const struct dfopt_finding *f;
};

#define FETCH_NEGLIGIBLE 0.05 /* share of time below which it is negligible */
#define FETCH_NOTABLE    0.20 /* share of time above which a probe pays */
#define COMPUTE_LEAST    0.01 /* keeps the ratio finite */

static bool list_has(const struct dfopt_dict *dict, const struct dfopt_knob *k,
                     struct dfopt_value v)
{
    for (size_t i = 0; i < k->n_values; i++)
        if (dfopt_value_equal(dict, k->values[i], v))
            return true;
    return false;
}

/* A bound, rounded inward for an int knob where types are strict. */
static bool bound(const struct step *s, struct dfopt_value v, bool upper,
                  struct dfopt_number *out)
{
    *out = dfopt_number_from(v);
    if (!s->on->strict_types || s->k->type != DFOPT_KNOB_INT ||
        v.kind != DFOPT_KIND_REAL)
        return true;
    return dfopt_number_truncate(upper ? floor(v.d) : ceil(v.d), out);
}

static bool clamp(const struct step *s, struct dfopt_number n,
                  struct dfopt_value *out)
{
    const struct dfopt_knob *k = s->k;
    if (k->has_values) {
        struct dfopt_value v;
        *out = dfopt_number_value(n, &v) && list_has(s->dict, k, v)
                   ? v
                   : k->default_value;
        return true;
    }
    if (k->range_state != DFOPT_RANGE_NONE) {
        struct dfopt_number lo, hi;
        if (k->range_state == DFOPT_RANGE_BAD || !bound(s, k->lo, false, &lo) ||
            !bound(s, k->hi, true, &hi) || !dfopt_number_min(hi, n, &n) ||
            !dfopt_number_max(lo, n, &n))
            return false;
    }
    return dfopt_number_cast(s->dict, k->type, n, &n) && dfopt_number_value(n, out);
}

/* The first present of two metrics. Returns its state. */
static enum dfopt_metric_state metric(const struct step *s, enum dfopt_metric first,
                                      enum dfopt_metric second, double *out)
{
    enum dfopt_metric m =
        s->f->metric_state[first] != DFOPT_METRIC_ABSENT ? first : second;
    *out = s->f->metric[m];
    return s->f->metric_state[m];
}

/* max(2 * old, old + 1) */
static bool doubled(const struct step *s, struct dfopt_number *out)
{
    struct dfopt_number old = dfopt_number_from(s->old), twice, next;
    return dfopt_number_multiply(old, dfopt_number_int(2), &twice) &&
           dfopt_number_add(s->dict, old, dfopt_number_int(1), &next) &&
           dfopt_number_max(twice, next, out);
}

/* Amdahl: enough readers to keep the computation fed. */
static bool evidence_target(double fetch, double compute, struct dfopt_number *out)
{
    return dfopt_number_truncate(fetch / compute, out) &&
           dfopt_number_max(*out, dfopt_number_int(1), out);
}

static enum dfopt_verdict evidence(const struct step *s, struct dfopt_number *out)
{
    const uint32_t direction = s->r->direction;
    struct dfopt_number old = dfopt_number_from(s->old), target;
    double fetch, compute;
    enum dfopt_metric_state has_fetch =
        metric(s, DFOPT_METRIC_FETCH, DFOPT_METRIC_FETCH_PARENT, &fetch);
    enum dfopt_metric_state has_compute =
        metric(s, DFOPT_METRIC_COMPUTE, DFOPT_METRIC_COMPUTE_PARENT, &compute);
    if (!s->on->strict_types &&
        (has_fetch == DFOPT_METRIC_BAD || has_compute == DFOPT_METRIC_BAD))
        return DFOPT_VERDICT_UNSUPPORTED;
    bool ok;
    if (has_fetch != DFOPT_METRIC_NUMBER) {
        if (direction == DFOPT_DIRECTION_DECREASE && s->on->strict_direction)
            return DFOPT_VERDICT_NO_EVIDENCE;
        return doubled(s, out) ? DFOPT_VERDICT_PLANNED : DFOPT_VERDICT_UNSUPPORTED;
    }
    if (has_compute != DFOPT_METRIC_NUMBER)
        compute = 1.0 - fetch;
    if (fetch <= FETCH_NEGLIGIBLE) {
        *out = old;
        return DFOPT_VERDICT_PLANNED;
    }
    compute = COMPUTE_LEAST > compute ? COMPUTE_LEAST : compute;
    if (!evidence_target(fetch, compute, &target))
        return DFOPT_VERDICT_UNSUPPORTED;
    if (direction == DFOPT_DIRECTION_INCREASE) {
        bool above;
        ok = dfopt_number_less(old, target, &above);
        if (ok && above)
            *out = target;
        else if (ok && fetch > FETCH_NOTABLE && s->on->evidence_probe)
            ok = dfopt_number_add(s->dict, old, dfopt_number_int(1), out);
        else
            *out = old;
    } else if (direction == DFOPT_DIRECTION_DECREASE) {
        *out = compute > fetch ? target : old;
        ok = true;
    } else {
        ok = !s->on->strict_types && doubled(s, out);
    }
    return ok ? DFOPT_VERDICT_PLANNED : DFOPT_VERDICT_UNSUPPORTED;
}

/* Size of a step of mode "add": scaled by severity, halved while stable. */
static bool delta(const struct step *s, struct dfopt_number *out)
{
    const struct dfopt_value step = s->r->step;
    if (step.kind == DFOPT_KIND_NULL || step.kind == DFOPT_KIND_STR)
        return false;
    double damping = s->f->trend == DFOPT_TREND_STABLE ? 0.5 : 1.0;
    double scaled =
        dfopt_value_as_double(step) * ((0.5 + 0.5 * s->f->severity) * damping);
    if (s->k->type == DFOPT_KNOB_INT) {
        if (scaled <= 0)
            *out = dfopt_number_int(0);
        else if (scaled < 1)
            *out = dfopt_number_int(1);
        else
            return dfopt_number_truncate(scaled, out);
        return true;
    }
    if (s->k->type == DFOPT_KNOB_FLOAT) { /* not cast: need not be finite yet */
        *out = dfopt_number_real(scaled);
        return true;
    }
    return dfopt_number_cast(s->dict, s->k->type, dfopt_number_real(scaled), out);
}

static bool moved_by_delta(const struct step *s, struct dfopt_number *out)
{
    struct dfopt_number old = dfopt_number_from(s->old), by;
    if (!delta(s, &by))
        return false;
    return s->r->direction == DFOPT_DIRECTION_INCREASE
               ? dfopt_number_add(s->dict, old, by, out)
               : dfopt_number_subtract(old, by, out);
}

static bool multiplied(const struct step *s, struct dfopt_number *out)
{
    struct dfopt_number old = dfopt_number_from(s->old), next;
    struct dfopt_number step = dfopt_number_from(s->r->step);
    if (s->r->direction == DFOPT_DIRECTION_DECREASE)
        return dfopt_number_floor_divide(old, step, out);
    return dfopt_number_multiply(old, step, out) &&
           dfopt_number_add(s->dict, old, dfopt_number_int(1), &next) &&
           dfopt_number_max(*out, next, out);
}

/* Equality for entries of `values`: a boolean never equals a number. */
static bool same_entry(const struct dfopt_dict *dict, struct dfopt_value a,
                       struct dfopt_value b)
{
    return (a.kind == DFOPT_KIND_BOOL) == (b.kind == DFOPT_KIND_BOOL) &&
           dfopt_value_equal(dict, a, b);
}

static bool find_entry(const struct dfopt_dict *dict, const struct dfopt_knob *k,
                       struct dfopt_value v, size_t *at)
{
    for (size_t i = 0; i < k->n_values; i++)
        if (same_entry(dict, k->values[i], v)) {
            *at = i;
            return true;
        }
    return false;
}

static bool is_nan(struct dfopt_number n)
{
    return n.kind == DFOPT_KIND_REAL && isnan(n.d);
}

/* The entry the evidence asks for: going up, the first that reaches it; going
 * down, the last that does; else the end of the list. */
static enum dfopt_verdict neighbour_by_evidence(const struct step *s,
                                                struct dfopt_value *out)
{
    const struct dfopt_knob *k = s->k;
    bool up = s->r->direction == DFOPT_DIRECTION_INCREASE;
    struct dfopt_number want;
    enum dfopt_verdict verdict = evidence(s, &want);
    if (verdict != DFOPT_VERDICT_PLANNED)
        return verdict;
    for (size_t i = 0; i < k->n_values; i++)
        if (!dfopt_value_is_number(k->values[i]))
            return DFOPT_VERDICT_UNSUPPORTED;
    for (size_t i = 0; i < k->n_values; i++) {
        size_t at = up ? i : k->n_values - 1 - i;
        struct dfopt_number v = dfopt_number_from(k->values[at]);
        bool short_of = false;
        if (!(up ? dfopt_number_less(v, want, &short_of)
                 : dfopt_number_less(want, v, &short_of)))
            return DFOPT_VERDICT_UNSUPPORTED;
        if (!short_of && !is_nan(v) && !is_nan(want)) {
            *out = k->values[at];
            return DFOPT_VERDICT_PLANNED;
        }
    }
    *out = k->values[up ? k->n_values - 1 : 0];
    return DFOPT_VERDICT_PLANNED;
}

/* The next different entry, up or down the list; at its end: old. */
static struct dfopt_value next_entry(const struct step *s, size_t at, bool up)
{
    const struct dfopt_knob *k = s->k;
    const size_t ahead = up ? k->n_values - 1 - at : at;
    for (size_t i = 1; i <= ahead; i++) {
        const struct dfopt_value v = k->values[up ? at + i : at - i];
        if (!same_entry(s->dict, v, k->values[at]))
            return v;
    }
    return s->old;
}

static enum dfopt_verdict neighbour(const struct step *s, struct dfopt_value *out)
{
    const struct dfopt_knob *k = s->k;
    const uint32_t direction = s->r->direction;
    size_t at;
    if (direction == DFOPT_DIRECTION_SET) {
        if (!find_entry(s->dict, k, s->r->set_to, &at))
            return DFOPT_VERDICT_UNSUPPORTED;
        *out = k->values[at];
        return DFOPT_VERDICT_PLANNED;
    }
    if (direction == DFOPT_DIRECTION_UNKNOWN ||
        (!find_entry(s->dict, k, s->old, &at) &&
         !find_entry(s->dict, k, k->default_value, &at)))
        return DFOPT_VERDICT_UNSUPPORTED;
    if (s->r->step_mode == DFOPT_STEP_EVIDENCE)
        return neighbour_by_evidence(s, out);
    *out = next_entry(s, at, direction == DFOPT_DIRECTION_INCREASE);
    return DFOPT_VERDICT_PLANNED;
}

/* Whether a value is of the knob's type; any number fits a numeric knob. */
static bool fits_type(uint32_t type, struct dfopt_value v)
{
    switch (type) {
    case DFOPT_KNOB_STR:
        return v.kind == DFOPT_KIND_STR;
    case DFOPT_KNOB_BOOL:
        return v.kind == DFOPT_KIND_BOOL;
    default:
        return dfopt_value_is_number(v);
    }
}

static bool is_arithmetic(uint32_t type)
{
    return type == DFOPT_KNOB_INT || type == DFOPT_KNOB_FLOAT;
}

enum dfopt_verdict
dfopt_step_next(struct dfopt_dict *dict, const struct dfopt_switches *on,
                const struct dfopt_knob *k, const struct dfopt_response *r,
                struct dfopt_value old, const struct dfopt_finding *f,
                struct dfopt_value *out)
{
    const struct step s = {dict, on, k, r, old, f};
    const bool set = r->direction == DFOPT_DIRECTION_SET;
    struct dfopt_number n;
    bool ok;
    if (on->strict_types && !set &&
        (!is_arithmetic(k->type) || !dfopt_value_is_number(old)))
        return DFOPT_VERDICT_UNSUPPORTED;
    if (k->has_values && on->enum_step == DFOPT_ENUM_STEP_NEIGHBOUR)
        return neighbour(&s, out);
    if (set) {
        ok = !on->strict_types || fits_type(k->type, r->set_to);
        n = dfopt_number_from(r->set_to);
    } else if (r->step_mode == DFOPT_STEP_EVIDENCE) {
        enum dfopt_verdict verdict = evidence(&s, &n);
        if (verdict != DFOPT_VERDICT_PLANNED)
            return verdict;
        ok = true;
    } else if (r->direction == DFOPT_DIRECTION_UNKNOWN) {
        ok = false;
    } else {
        ok = r->step_mode == DFOPT_STEP_MULTIPLY ? multiplied(&s, &n)
                                                 : moved_by_delta(&s, &n);
    }
    return ok && clamp(&s, n, out) ? DFOPT_VERDICT_PLANNED
                                   : DFOPT_VERDICT_UNSUPPORTED;
}

bool dfopt_step_clamp(struct dfopt_dict *dict, const struct dfopt_switches *on,
                      const struct dfopt_knob *k, struct dfopt_number n,
                      struct dfopt_value *out)
{
    const struct step s = {.dict = dict, .on = on, .k = k};
    return clamp(&s, n, out);
}

bool dfopt_step_accept(struct dfopt_dict *dict, const struct dfopt_switches *on,
                       const struct dfopt_knob *k, struct dfopt_value wanted,
                       struct dfopt_value *out)
{
    const struct step s = {.dict = dict, .on = on, .k = k};
    size_t at;
    if (k->has_values && on->enum_step == DFOPT_ENUM_STEP_NEIGHBOUR) {
        if (!find_entry(dict, k, wanted, &at))
            return false;
        *out = k->values[at];
        return true;
    }
    bool worded = wanted.kind == DFOPT_KIND_BOOL || wanted.kind == DFOPT_KIND_STR;
    if (on->strict_types && worded != !is_arithmetic(k->type))
        return false;
    return clamp(&s, dfopt_number_from(wanted), out);
}
