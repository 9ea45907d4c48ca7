/* The end of one JSON value. */
#include "transport/file/scan.h"

#include <stdint.h>
#include <string.h>

void dfopt_scan_begin(struct dfopt_scan *s, char first)
{
    *s = (struct dfopt_scan){.in_string = first == '"',
                             .depth = first == '{' || first == '['};
    s->scalar = !s->in_string && s->depth == 0;
}

/* A value other than a string, array or object ends before any of these. */
static bool ends_scalar(char c)
{
    return dfopt_scan_is_white(c) || c == ',' || c == ']' || c == '"' || c == '{' ||
           c == '[';
}

/* Whether one of the 8 bytes is c: subtracting 1 borrows into a zero byte's high
 * bit only. */
static bool has_byte(uint64_t word, uint8_t c)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t x = word ^ (ones * c);
    return ((x - ones) & ~x & (ones << 7)) != 0;
}

/* Skips words of 8 bytes without a quote or backslash. */
static const char *skip_text(const char *p, const char *end)
{
    uint64_t word;
    while ((size_t)(end - p) >= sizeof word) {
        memcpy(&word, p, sizeof word);
        if (has_byte(word, '"') || has_byte(word, '\\'))
            break;
        p += sizeof word;
    }
    return p;
}

/* Finds the end of the string that contains p: returns the place after its
 * closing quote, or NULL. */
static const char *scan_string(struct dfopt_scan *s, const char *p, const char *end)
{
    if (s->escaped && p < end) {
        s->escaped = false;
        p++;
    }
    for (p = skip_text(p, end); p < end; p++) {
        if (*p == '"')
            return p + 1;
        if (*p == '\\' && ++p == end) {
            s->escaped = true;
            break;
        }
    }
    return NULL;
}

/* The same outside of strings, for an array or object. */
static const char *scan_nested(struct dfopt_scan *s, const char *p, const char *end)
{
    size_t depth = s->depth;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            p = scan_string(s, p, end);
            if (!p) {
                s->in_string = true;
                break;
            }
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return p;
        }
    }
    s->depth = depth;
    return NULL;
}

const char *dfopt_scan_end(struct dfopt_scan *s, const char *p, const char *end)
{
    if (s->scalar) {
        while (p < end && !ends_scalar(*p))
            p++;
        return p < end ? p : NULL;
    }
    if (s->in_string) {
        p = scan_string(s, p, end);
        s->in_string = p == NULL;
        if (!p || s->depth == 0)
            return p;
    }
    return scan_nested(s, p, end);
}
