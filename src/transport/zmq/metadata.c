/* A strict scanner of one JSON object. It keeps nothing but two flags, so it needs
 * no memory. Each step moves `p` behind what it has read, or fails. */
#include "transport/zmq/metadata.h"

#include <stdbool.h>
#include <string.h>

#define MAX_DEPTH 32

struct scan {
    const char *p, *end;
    bool name_end, type_stop;
};

/* A string as it is spelt, without its quotes. */
struct text {
    const char *at;
    size_t len;
};

static bool value(struct scan *s, int depth);

static bool is(struct text t, const char *want)
{
    return t.len == strlen(want) && memcmp(t.at, want, t.len) == 0;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* What stands behind a backslash. */
static bool escape(struct scan *s)
{
    if (s->p == s->end)
        return false;
    const char c = *s->p++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++, s->p++)
        if (s->p == s->end || !is_hex(*s->p))
            return false;
    return true;
}

static bool string(struct scan *s, struct text *out)
{
    if (!take(s, '"'))
        return false;
    out->at = s->p;
    while (s->p < s->end) {
        const char c = *s->p++;
        if (c == '"') {
            out->len = (size_t)(s->p - 1 - out->at);
            return true;
        }
        if ((unsigned char)c < 0x20 || (c == '\\' && !escape(s)))
            return false;
    }
    return false;
}

static bool digits(struct scan *s)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > start;
}

static bool word(struct scan *s, const char *w)
{
    const size_t n = strlen(w);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool number(struct scan *s)
{
    const bool minus = word(s, "-");
    if (minus && word(s, "Infinity"))
        return true;
    if (!word(s, "0") && !digits(s))
        return false;
    if (word(s, ".") && !digits(s))
        return false;
    if (!word(s, "e") && !word(s, "E"))
        return true;
    if (!word(s, "+"))
        (void)word(s, "-");
    return digits(s);
}

static bool array(struct scan *s, int depth)
{
    if (!take(s, '['))
        return false;
    if (take(s, ']'))
        return true;
    do {
        if (!value(s, depth + 1))
            return false;
    } while (take(s, ','));
    return take(s, ']');
}

/* A member whose value is a string may be one half of a sentinel. */
static bool member(struct scan *s, int depth)
{
    struct text key = {0}, text = {0};
    if (!string(s, &key) || !take(s, ':'))
        return false;
    skip_space(s);
    const bool is_text = s->p < s->end && *s->p == '"';
    if (!(is_text ? string(s, &text) : value(s, depth + 1)))
        return false;
    if (depth == 0 && is(key, "name"))
        s->name_end = is_text && is(text, "end");
    else if (depth == 0 && is(key, "type"))
        s->type_stop = is_text && is(text, "stop");
    return true;
}

static bool object(struct scan *s, int depth)
{
    if (!take(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        if (!member(s, depth))
            return false;
    } while (take(s, ','));
    return take(s, '}');
}

static bool value(struct scan *s, int depth)
{
    struct text ignored;
    skip_space(s);
    if (depth > MAX_DEPTH || s->p == s->end)
        return false;
    switch (*s->p) {
    case '{':
        return object(s, depth);
    case '[':
        return array(s, depth);
    case '"':
        return string(s, &ignored);
    default:
        return word(s, "true") || word(s, "false") || word(s, "null") ||
               word(s, "NaN") || word(s, "Infinity") || number(s);
    }
}

enum dfopt_zmq_metadata dfopt_zmq_metadata_scan(const void *bytes, size_t n)
{
    struct scan s = {.p = bytes};
    if (n == 0)
        return DFOPT_ZMQ_METADATA_BAD;
    s.end = s.p + n;
    if (!object(&s, 0))
        return DFOPT_ZMQ_METADATA_BAD;
    skip_space(&s);
    if (s.p != s.end)
        return DFOPT_ZMQ_METADATA_BAD;
    return s.name_end || s.type_stop ? DFOPT_ZMQ_METADATA_STOP
                                     : DFOPT_ZMQ_METADATA_PLAIN;
}
