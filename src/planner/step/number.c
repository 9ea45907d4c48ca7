/* Python's arithmetic on knob values. Invariant: a number of kind INT is within
 * 2^126 either way, so that no sum or product of two 64-bit values wraps; a larger
 * integer comes only from truncating a large real and stays a REAL. */
#include "planner/step/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_WHOLE 0x1p100 /* a larger real is not turned into an INT */

struct dfopt_number dfopt_number_from(struct dfopt_value v)
{
    struct dfopt_number n = {.kind = v.kind, .str = v.str};
    if (v.kind == DFOPT_KIND_REAL)
        n.d = v.d;
    else
        n.i = v.i;
    return n;
}

struct dfopt_number dfopt_number_int(int64_t i)
{
    return (struct dfopt_number){.kind = DFOPT_KIND_INT, .i = i};
}

struct dfopt_number dfopt_number_real(double d)
{
    return (struct dfopt_number){.kind = DFOPT_KIND_REAL, .d = d};
}

static struct dfopt_number from_wide(__int128 i)
{
    return (struct dfopt_number){.kind = DFOPT_KIND_INT, .i = i};
}

bool dfopt_number_value(struct dfopt_number n, struct dfopt_value *out)
{
    struct dfopt_value v = {.kind = n.kind, .str = n.str};
    if (n.kind == DFOPT_KIND_REAL)
        v.d = n.d;
    else if (n.i < INT64_MIN || n.i > INT64_MAX)
        return false;
    else
        v.i = (int64_t)n.i;
    *out = v;
    return true;
}

static bool is_whole(struct dfopt_number n)
{
    return n.kind == DFOPT_KIND_INT || n.kind == DFOPT_KIND_BOOL;
}

static bool is_numeric(struct dfopt_number n)
{
    return is_whole(n) || n.kind == DFOPT_KIND_REAL;
}

static double to_real(struct dfopt_number n)
{
    return n.kind == DFOPT_KIND_REAL ? n.d : (double)n.i;
}

double dfopt_number_as_double(struct dfopt_number n)
{
    return is_numeric(n) ? to_real(n) : NAN;
}

/* i < d or, with `less` false, i > d; exact for any real but NaN. */
static bool whole_beside_real(__int128 i, double d, bool less)
{
    if (d >= 0x1p126 || d < -0x1p126)
        return less == (d > 0);
    __int128 whole = (__int128)d;
    if (i != whole)
        return less == (i < whole);
    double rest = d - (double)whole; /* 0 where whole needs more than 53 bits */
    return less ? rest > 0 : rest < 0;
}

bool dfopt_number_less(struct dfopt_number a, struct dfopt_number b, bool *out)
{
    if (!is_numeric(a) || !is_numeric(b))
        return false; /* texts are unordered: bounds of texts are rejected */
    if (is_whole(a) && is_whole(b))
        *out = a.i < b.i;
    else if ((!is_whole(a) && isnan(a.d)) || (!is_whole(b) && isnan(b.d)))
        *out = false;
    else if (is_whole(a))
        *out = whole_beside_real(a.i, b.d, true);
    else if (is_whole(b))
        *out = whole_beside_real(b.i, a.d, false);
    else
        *out = a.d < b.d;
    return true;
}

static bool concatenate(struct dfopt_dict *dict, dfopt_sym a, dfopt_sym b,
                        struct dfopt_number *out)
{
    size_t na, nb;
    const char *ta = dfopt_dict_text(dict, a, &na),
               *tb = dfopt_dict_text(dict, b, &nb);
    struct dfopt_buf text = {0};
    dfopt_sym s = DFOPT_SYM_NONE;
    if (!dfopt_buf_add(&text, ta, na) && !dfopt_buf_add(&text, tb, nb))
        s = dfopt_dict_intern(dict, text.data ? text.data : "", text.len);
    dfopt_buf_free(&text);
    if (s == DFOPT_SYM_NONE)
        return false;
    *out = (struct dfopt_number){.kind = DFOPT_KIND_STR, .str = s};
    return true;
}

bool dfopt_number_add(struct dfopt_dict *dict, struct dfopt_number a,
                      struct dfopt_number b, struct dfopt_number *out)
{
    if (a.kind == DFOPT_KIND_STR && b.kind == DFOPT_KIND_STR)
        return concatenate(dict, a.str, b.str, out);
    if (!is_numeric(a) || !is_numeric(b))
        return false;
    *out = is_whole(a) && is_whole(b) ? from_wide(a.i + b.i)
                                      : dfopt_number_real(to_real(a) + to_real(b));
    return true;
}

bool dfopt_number_subtract(struct dfopt_number a, struct dfopt_number b,
                           struct dfopt_number *out)
{
    if (!is_numeric(a) || !is_numeric(b))
        return false;
    *out = is_whole(a) && is_whole(b) ? from_wide(a.i - b.i)
                                      : dfopt_number_real(to_real(a) - to_real(b));
    return true;
}

bool dfopt_number_multiply(struct dfopt_number a, struct dfopt_number b,
                           struct dfopt_number *out)
{
    if (!is_numeric(a) || !is_numeric(b))
        return false; /* a repeated text would fail at the next step anyway */
    *out = is_whole(a) && is_whole(b) ? from_wide(a.i * b.i)
                                      : dfopt_number_real(to_real(a) * to_real(b));
    return true;
}

/* Floor division of reals after CPython's float_divmod: the quotient comes from
 * the exact remainder, so it is never off by one. */
static double floor_divide_real(double a, double b)
{
    double rest = fmod(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient -= 1.0;
    if (quotient == 0)
        return copysign(0.0, a / b);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

bool dfopt_number_floor_divide(struct dfopt_number a, struct dfopt_number b,
                               struct dfopt_number *out)
{
    if (!is_numeric(a) || !is_numeric(b) || to_real(b) == 0)
        return false;
    if (is_whole(a) && is_whole(b)) {
        __int128 q = a.i / b.i;
        if (a.i % b.i != 0 && (a.i < 0) != (b.i < 0))
            q--;
        *out = from_wide(q);
    } else {
        *out = dfopt_number_real(floor_divide_real(to_real(a), to_real(b)));
    }
    return true;
}

bool dfopt_number_max(struct dfopt_number a, struct dfopt_number b,
                      struct dfopt_number *out)
{
    bool less;
    if (!dfopt_number_less(a, b, &less))
        return false;
    *out = less ? b : a;
    return true;
}

bool dfopt_number_min(struct dfopt_number a, struct dfopt_number b,
                      struct dfopt_number *out)
{
    bool less;
    if (!dfopt_number_less(b, a, &less))
        return false;
    *out = less ? b : a;
    return true;
}

bool dfopt_number_truncate(double d, struct dfopt_number *out)
{
    if (!isfinite(d))
        return false;
    *out = fabs(d) < LARGEST_WHOLE ? from_wide((__int128)d)
                                   : dfopt_number_real(trunc(d));
    return true;
}

/* Copies a number's text without surrounding white space and the underscores
 * between digits. False if it does not fit or has an underscore elsewhere. */
static bool plain_digits(const char *text, size_t len, char *out, size_t size)
{
    while (len && isspace((unsigned char)text[0]))
        text++, len--;
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '_') {
            if (i == 0 || i + 1 == len || !isdigit((unsigned char)text[i - 1]) ||
                !isdigit((unsigned char)text[i + 1]))
                return false;
            continue;
        }
        if (n + 1 >= size || text[i] == '\0' || isspace((unsigned char)text[i]))
            return false;
        out[n++] = text[i];
    }
    out[n] = '\0';
    return n > 0;
}

static bool int_of_text(const char *text, size_t len, struct dfopt_number *out)
{
    char plain[64], *end;
    if (!plain_digits(text, len, plain, sizeof plain))
        return false;
    errno = 0;
    long long v = strtoll(plain, &end, 10);
    if (*end || errno == ERANGE)
        return false;
    *out = dfopt_number_int(v);
    return true;
}

static bool real_of_text(const char *text, size_t len, struct dfopt_number *out)
{
    char plain[400], *end;
    if (!plain_digits(text, len, plain, sizeof plain) || strpbrk(plain, "xXpP("))
        return false;
    double d = strtod(plain, &end);
    if (*end)
        return false;
    *out = dfopt_number_real(d);
    return true;
}

static bool cast_int(struct dfopt_dict *dict, struct dfopt_number n,
                     struct dfopt_number *out)
{
    struct dfopt_number r = n;
    size_t len;
    if (n.kind == DFOPT_KIND_STR) {
        const char *text = dfopt_dict_text(dict, n.str, &len);
        if (!int_of_text(text, len, &r))
            return false;
    } else if (n.kind == DFOPT_KIND_REAL) {
        if (!dfopt_number_truncate(n.d, &r))
            return false;
    } else if (!is_whole(n)) {
        return false;
    }
    if (r.kind == DFOPT_KIND_REAL || r.i < INT64_MIN || r.i > INT64_MAX)
        return false;
    *out = from_wide(r.i);
    return true;
}

static bool cast_float(struct dfopt_dict *dict, struct dfopt_number n,
                       struct dfopt_number *out)
{
    struct dfopt_number r = n;
    size_t len;
    if (n.kind == DFOPT_KIND_STR) {
        const char *text = dfopt_dict_text(dict, n.str, &len);
        if (!real_of_text(text, len, &r))
            return false;
    } else if (!is_numeric(n)) {
        return false;
    }
    double d = to_real(r);
    if (!isfinite(d))
        return false;
    *out = dfopt_number_real(d);
    return true;
}

static void whole_text(__int128 i, char text[48])
{
    char digits[48];
    size_t n = 0, at = 0;
    unsigned __int128 u = i < 0 ? -(unsigned __int128)i : (unsigned __int128)i;
    do
        digits[n++] = (char)('0' + (int)(u % 10));
    while (u /= 10);
    if (i < 0)
        text[at++] = '-';
    while (n)
        text[at++] = digits[--n];
    text[at] = '\0';
}

static bool cast_str(struct dfopt_dict *dict, struct dfopt_number n,
                     struct dfopt_number *out)
{
    char text[DFOPT_REAL_TEXT_SIZE + 48];
    switch (n.kind) {
    case DFOPT_KIND_STR:
        *out = n;
        return true;
    case DFOPT_KIND_NULL:
        strcpy(text, "None");
        break;
    case DFOPT_KIND_BOOL:
        strcpy(text, n.i ? "True" : "False");
        break;
    case DFOPT_KIND_INT:
        whole_text(n.i, text);
        break;
    default:
        if (isfinite(n.d))
            dfopt_real_text(n.d, text);
        else
            strcpy(text, isnan(n.d) ? "nan" : n.d > 0 ? "inf" : "-inf");
    }
    dfopt_sym s = dfopt_dict_intern_z(dict, text);
    if (s == DFOPT_SYM_NONE)
        return false;
    *out = (struct dfopt_number){.kind = DFOPT_KIND_STR, .str = s};
    return true;
}

static bool truth(const struct dfopt_dict *dict, struct dfopt_number n)
{
    size_t len;
    switch (n.kind) {
    case DFOPT_KIND_NULL:
        return false;
    case DFOPT_KIND_STR:
        dfopt_dict_text(dict, n.str, &len);
        return len > 0;
    case DFOPT_KIND_REAL:
        return n.d != 0; /* NaN is true */
    default:
        return n.i != 0;
    }
}

bool dfopt_number_cast(struct dfopt_dict *dict, uint32_t type,
                       struct dfopt_number n, struct dfopt_number *out)
{
    switch (type) {
    case DFOPT_KNOB_INT:
        return cast_int(dict, n, out);
    case DFOPT_KNOB_FLOAT:
        return cast_float(dict, n, out);
    case DFOPT_KNOB_STR:
        return cast_str(dict, n, out);
    default:
        *out = (struct dfopt_number){.kind = DFOPT_KIND_BOOL, .i = truth(dict, n)};
        return true;
    }
}
