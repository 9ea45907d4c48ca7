/* Recursive descent over the text: one function per kind of value, each leaving
 * scan.at after what it accepted. Builds nothing. */
#include "json/grammar.h"
#include "json/utf8.h"

#include <string.h>

struct scan {
    const char *start, *at, *end;
    int depth, max_depth;
    struct dfopt_buf *edits;
    struct dfopt_error *err;
};

static enum dfopt_err value(struct scan *s);

static enum dfopt_err malformed(const struct scan *s, const char *what)
{
    return dfopt_error_set(s->err, DFOPT_ERR_PARSE, "%s",
                           s->at >= s->end ? "truncated JSON" : what);
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool next_is(const struct scan *s, char c)
{
    return s->at < s->end && *s->at == c;
}

static enum dfopt_err add_edit(struct scan *s, const char *at, size_t skip,
                               const char *put)
{
    if (!s->edits)
        return DFOPT_OK;
    struct dfopt_json_edit *e = dfopt_buf_grow(s->edits, sizeof *e);
    if (!e)
        return dfopt_error_set(s->err, DFOPT_ERR_NOMEM, "out of memory");
    e->at = (size_t)(at - s->start);
    e->skip = skip;
    memcpy(e->put, put, strlen(put) + 1);
    return DFOPT_OK;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* At a backslash. */
static enum dfopt_err escape(struct scan *s, bool key)
{
    static const char nul_mark[] = {DFOPT_JSON_NUL_MARK, '\0'};
    const char *start = s->at++;
    if (s->at >= s->end || *s->at == '\0' || !strchr("\"\\/bfnrtu", *s->at))
        return malformed(s, "bad escape in a string");
    if (*s->at++ != 'u')
        return DFOPT_OK;
    for (int i = 0; i < 4; i++, s->at++)
        if (s->at >= s->end || !is_hex(*s->at))
            return malformed(s, "bad escape in a string");
    if (key && memcmp(start, "\\u0000", 6) == 0)
        return add_edit(s, start, 6, nul_mark);
    return DFOPT_OK;
}

/* At a quote. */
static enum dfopt_err string(struct scan *s, bool key)
{
    s->at++;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            s->at++;
            return DFOPT_OK;
        }
        if (c < 0x20)
            return malformed(s, "control character in a string");
        if (c == '\\') {
            enum dfopt_err e = escape(s, key);
            if (e)
                return e;
            continue;
        }
        size_t n = dfopt_utf8_char(s->at, s->end);
        if (n == 0)
            return malformed(s, "invalid UTF-8");
        s->at += n;
    }
    return malformed(s, "");
}

static size_t digits(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && **at >= '0' && **at <= '9')
        ++*at;
    return (size_t)(*at - start);
}

const char *dfopt_json_number(const char *at, const char *end, bool *real)
{
    *real = false;
    if (at < end && *at == '-')
        at++;
    const char *first = at;
    size_t n = digits(&at, end);
    if (n == 0 || (n > 1 && *first == '0'))
        return NULL;
    if (at < end && *at == '.') {
        *real = true;
        at++;
        if (digits(&at, end) == 0)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        *real = true;
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        if (digits(&at, end) == 0)
            return NULL;
    }
    return at;
}

static bool fits_int64(const char *at, const char *end)
{
    bool negative = *at == '-';
    at += negative;
    size_t n = (size_t)(end - at);
    const char *most = negative ? "9223372036854775808" : "9223372036854775807";
    return n < 19 || (n == 19 && memcmp(at, most, 19) <= 0);
}

static enum dfopt_err number(struct scan *s)
{
    bool real;
    const char *start = s->at, *end = dfopt_json_number(start, s->end, &real);
    if (!end) { /* truncated, or invalid? */
        while (s->at < s->end && strchr("+-.0123456789Ee", *s->at) && *s->at)
            s->at++;
        return malformed(s, "malformed number");
    }
    s->at = end;
    if (real || fits_int64(start, end))
        return DFOPT_OK;
    if (end - start - (*start == '-') > DFOPT_JSON_DIGITS_MAX)
        return dfopt_error_set(s->err, DFOPT_ERR_LIMIT,
                               "an integer of more than %d digits",
                               DFOPT_JSON_DIGITS_MAX);
    static const char big_mark[] = {DFOPT_JSON_BIG_MARK, '\0'};
    return add_edit(s, end, 0, big_mark);
}

static enum dfopt_err word(struct scan *s, const char *want)
{
    size_t n = strlen(want), left = (size_t)(s->end - s->at);
    if (memcmp(s->at, want, left < n ? left : n) != 0)
        return malformed(s, "unknown word");
    s->at += left < n ? left : n;
    return left < n ? malformed(s, "") : DFOPT_OK;
}

static enum dfopt_err member(struct scan *s)
{
    if (!next_is(s, '"'))
        return malformed(s, "a key that is not a string");
    enum dfopt_err e = string(s, true);
    if (e)
        return e;
    skip_space(s);
    if (!next_is(s, ':'))
        return malformed(s, "no colon after a key");
    s->at++;
    return value(s);
}

/* At an opening bracket. */
static enum dfopt_err container(struct scan *s, char close,
                                enum dfopt_err (*item)(struct scan *s))
{
    if (++s->depth > s->max_depth)
        return dfopt_error_set(s->err, DFOPT_ERR_LIMIT, "nested deeper than %d",
                               s->max_depth);
    s->at++;
    skip_space(s);
    for (bool first = true; !next_is(s, close); first = false) {
        if (!first) {
            if (!next_is(s, ','))
                return malformed(s, "no comma between two values");
            s->at++;
            skip_space(s);
        }
        enum dfopt_err e = item(s);
        if (e)
            return e;
        skip_space(s);
    }
    s->at++;
    s->depth--;
    return DFOPT_OK;
}

/* Skips leading white space. */
static enum dfopt_err value(struct scan *s)
{
    skip_space(s);
    if (s->at >= s->end)
        return malformed(s, "");
    switch (*s->at) {
    case '{':
        return container(s, '}', member);
    case '[':
        return container(s, ']', value);
    case '"':
        return string(s, false);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    case 'N':
        return word(s, "NaN");
    case 'I':
        return word(s, "Infinity");
    case '-':
        if (s->end - s->at > 1 && s->at[1] == 'I')
            return word(s, "-Infinity");
        return number(s);
    default:
        if (*s->at >= '0' && *s->at <= '9')
            return number(s);
        return malformed(s, "a value is expected, and something else found");
    }
}

enum dfopt_err dfopt_json_check(const char *text, size_t len, int max_depth,
                                struct dfopt_buf *edits, struct dfopt_error *err)
{
    struct scan s = {
        .start = text,
        .at = text,
        .end = text + len,
        .max_depth = max_depth,
        .edits = edits,
        .err = err,
    };
    skip_space(&s);
    if (s.at >= s.end)
        return dfopt_error_set(err, DFOPT_ERR_PARSE, "empty");
    enum dfopt_err e = value(&s);
    if (e)
        return e;
    skip_space(&s);
    return s.at < s.end ? malformed(&s, "more than one JSON value") : DFOPT_OK;
}
