/* The values of one parameter. Computed reals are rounded to a few digits, so
 * that policies stay readable. */
#include "policy/sweep_axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX     1000000
#define AT_DIGITS     9 /* steps may be small */
#define SAMPLE_DIGITS 6

static enum dfopt_err check_range(const struct dfopt_axis *a,
                                  struct dfopt_error *err)
{
    const char *what = NULL;
    if (!(a->from < a->to))
        what = "from must be below to";
    else if (a->log && !(a->from > 0))
        what = "a logarithmic range must begin above 0";
    else if (a->log && a->step > 0)
        what = "a logarithmic range needs a count, not a step";
    else if (a->step < 0)
        what = "step must be above 0";
    else if (a->step > 0 && (a->to - a->from) / a->step > COUNT_MAX)
        what = "step makes more than a million values";
    else if (a->count < 0 || a->count == 1 || a->count > COUNT_MAX)
        what = "count must be from 2 to a million";
    else if (a->count > 0 && a->step > 0)
        what = "step and count are mutually exclusive";
    return what ? dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s", what) : DFOPT_OK;
}

static enum dfopt_err read_scale(struct json_object *j, bool *log,
                                 struct dfopt_error *err)
{
    struct dfopt_text scale = dfopt_text_z("linear");
    enum dfopt_err e = dfopt_json_get_text(j, "scale", &scale, err);
    if (e)
        return e;
    *log = dfopt_text_is(scale, "log");
    if (!*log && !dfopt_text_is(scale, "linear"))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "scale must be \"linear\" or \"log\"");
    return DFOPT_OK;
}

static enum dfopt_err read_range(struct dfopt_axis *a, struct json_object *j,
                                 struct dfopt_error *err)
{
    static const char *const known[] = {"from",  "to",    "step",
                                        "count", "scale", NULL};
    struct json_object *from = dfopt_json_get(j, "from"),
                       *to = dfopt_json_get(j, "to"),
                       *step = dfopt_json_get(j, "step");
    enum dfopt_err e =
        dfopt_json_check_keys(j, known, " (from, to, step, count or scale)", err);
    if (!e && (!from || !to))
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA, "a range needs from and to");
    if (!e)
        e = dfopt_json_get_finite(j, "from", &a->from, err);
    if (!e)
        e = dfopt_json_get_finite(j, "to", &a->to, err);
    if (!e)
        e = dfopt_json_get_finite(j, "step", &a->step, err);
    if (!e && step && !(a->step > 0))
        a->step = -1; /* check_range reports it */
    if (!e)
        e = dfopt_json_get_whole(j, "count", &a->count, err);
    if (!e)
        e = read_scale(j, &a->log, err);
    a->whole = dfopt_json_kind(from) == DFOPT_JSON_INT &&
               dfopt_json_kind(to) == DFOPT_JSON_INT &&
               (!step || dfopt_json_kind(step) == DFOPT_JSON_INT);
    return e ? e : check_range(a, err);
}

enum dfopt_err dfopt_axis_read(struct dfopt_axis *a, const char *path,
                               struct json_object *values, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    *a = (struct dfopt_axis){.path = path};
    if (dfopt_json_kind(values) == DFOPT_JSON_OBJECT) {
        e = read_range(a, values, err);
    } else if (dfopt_json_kind(values) != DFOPT_JSON_LIST ||
               json_object_array_length(values) == 0) {
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                            "neither a list of values nor a range");
    } else {
        a->list = values;
    }
    char name[DFOPT_JSON_NAME_SIZE];
    if (e)
        dfopt_error_prefix(err, "%s", dfopt_json_name(dfopt_text_z(path), name));
    return e;
}

uint64_t dfopt_axis_count(const struct dfopt_axis *a)
{
    if (a->list)
        return json_object_array_length(a->list);
    if (a->count)
        return (uint64_t)a->count;
    if (a->step > 0) /* a small tolerance, for steps without an exact binary form */
        return (uint64_t)floor((a->to - a->from) / a->step + 1e-9) + 1;
    return a->whole && !a->log ? (uint64_t)(a->to - a->from) + 1 : 0;
}

static struct json_object *number(const struct dfopt_axis *a, double v, int digits,
                                  enum dfopt_err *e)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    struct json_object *j;
    if (a->whole) {
        j = json_object_new_int64((int64_t)llround(v));
    } else {
        snprintf(text, sizeof text, "%.*g", digits, v);
        v = strtod(text, NULL);
        dfopt_real_text(v, text);
        j = json_object_new_double_s(v, text);
    }
    *e = j ? DFOPT_OK : DFOPT_ERR_NOMEM;
    return j;
}

/* The number at a fraction of the range. */
static double between(const struct dfopt_axis *a, double share)
{
    if (share >= 1)
        return a->to;
    return a->log ? a->from * pow(a->to / a->from, share)
                  : a->from + (a->to - a->from) * share;
}

struct json_object *dfopt_axis_at(const struct dfopt_axis *a, uint64_t i,
                                  enum dfopt_err *e)
{
    *e = DFOPT_OK;
    if (a->list)
        return json_object_get(json_object_array_get_idx(a->list, i));
    if (a->count)
        return number(a, between(a, (double)i / (double)(a->count - 1)), AT_DIGITS,
                      e);
    return number(a, a->from + (double)i * (a->step > 0 ? a->step : 1), AT_DIGITS,
                  e);
}

struct json_object *dfopt_axis_sample(const struct dfopt_axis *a, double u,
                                      enum dfopt_err *e)
{
    const uint64_t n = dfopt_axis_count(a);
    return n ? dfopt_axis_at(a, (uint64_t)(u * (double)n), e)
             : number(a, between(a, u), SAMPLE_DIGITS, e);
}
