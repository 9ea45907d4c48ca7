/* Walks the tokens that simdjson's first stage found in a record, and checks the
 * rest of the grammar on the way. The first stage has checked that the text is
 * UTF-8, that strings are closed, and that they contain no control characters. It
 * has not checked anything else: of a number or word it knows only the start, and a
 * quote directly after one is not a token.
 *
 * The text contains no backslash, so the bytes of a string are its text, and 64
 * bytes after the text may be read. Functions return false when in doubt: the
 * caller must then decline the record and end the walk. Included only by the fast
 * decoders. */
#ifndef DFOPT_CODEC_TOKEN_WALK_HPP
#define DFOPT_CODEC_TOKEN_WALK_HPP

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dfopt
{

struct span {
    const char *at;
    size_t len;
};

struct walk {
    const char *text;
    const uint32_t *at, *end; /* token positions */
    const char *text_end;
    int depth, max_depth;
};

struct number {
    bool real;
    int64_t i;
    double d; /* an integer sets both */
};

constexpr span operator""_span(const char *text, size_t len)
{
    return {text, len};
}

inline bool take(walk &w, char c)
{
    if (w.at >= w.end || w.text[*w.at] != c)
        return false;
    w.at++;
    return true;
}

/* Whether the character at p ends a number or word. */
inline bool is_end(const char *p)
{
    return *p == ',' || *p == '}' || *p == ']' || *p == ' ' || *p == '\n' ||
           *p == '\r' || *p == '\t';
}

template <size_t N> inline bool is_word(const char *p, const char (&word)[N])
{
    return std::memcmp(p, word, N - 1) == 0 && is_end(p + N - 1);
}

template <size_t N> inline bool is_key(const char *key, const char (&name)[N])
{
    return std::memcmp(key, name, N - 1) == 0 && key[N - 1] == '"';
}

/* ---- numbers ---- */

/* Appends the digits at p to *value, which wraps beyond 19 digits. */
inline const char *digits(const char *p, uint64_t *value)
{
    uint64_t v = *value;
    for (; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    *value = v;
    return p;
}

inline const char *exponent(const char *p)
{
    uint64_t ignored = 0;
    p += p[1] == '+' || p[1] == '-' ? 2 : 1;
    const char *end = digits(p, &ignored);
    return end > p ? end : nullptr;
}

/* The result of a scan: the number is sign * value / 10^n_fraction unless it has
 * an exponent or more than 19 digits. */
struct number_scan {
    const char *end;
    uint64_t value;
    ptrdiff_t n_whole, n_fraction;
    bool real, exponent;
};

/* Whether the text at p is exactly a JSON number. Declines integers of more than
 * 18 digits. */
inline bool scan_number(const char *p, number_scan &s)
{
    s.value = 0;
    s.n_fraction = 0;
    s.real = s.exponent = false;
    p += *p == '-';
    const char *first = p;
    p = digits(p, &s.value);
    s.n_whole = p - first;
    if (s.n_whole == 0 || (s.n_whole > 1 && *first == '0'))
        return false;
    if (*p == '.') {
        s.real = true;
        first = p + 1;
        p = digits(first, &s.value);
        s.n_fraction = p - first;
        if (s.n_fraction == 0)
            return false;
    }
    if (*p == 'e' || *p == 'E') {
        s.real = s.exponent = true;
        p = exponent(p);
        if (!p)
            return false;
    }
    s.end = p;
    return (s.real || s.n_whole <= 18) && is_end(p);
}

/* Also declines reals that are out of range. */
inline bool read_number(const char *p, number &out)
{
    /* powers of ten that a double represents exactly */
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                  1e14, 1e15, 1e16, 1e17, 1e18};
    number_scan s;
    if (!scan_number(p, s))
        return false;
    out.real = s.real;
    out.i = 0;
    if (!s.real) {
        out.i = *p == '-' ? -(int64_t)s.value : (int64_t)s.value;
        out.d = (double)out.i;
        return true;
    }
    if (!s.exponent && s.n_whole + s.n_fraction <= 18 &&
        s.value <= (uint64_t)1 << 53) { /* both operands are exact */
        out.d = (double)s.value / tens[s.n_fraction];
        out.d = *p == '-' ? -out.d : out.d;
        return true;
    }
    std::from_chars_result r = std::from_chars(p, s.end, out.d);
    return r.ec == std::errc() && r.ptr == s.end && std::isfinite(out.d);
}

/* ---- values to skip ---- */

inline bool skip(walk &w);

/* Calls `member` for each element or member; it must consume it. */
template <typename F> inline bool container(walk &w, char close, F &&member)
{
    if (++w.depth > w.max_depth)
        return false;
    w.at++;
    if (!take(w, close)) {
        do {
            if (!member())
                return false;
        } while (take(w, ','));
        if (!take(w, close))
            return false;
    }
    w.depth--;
    return true;
}

/* The text of a key, followed by its closing quote; NULL if there is no key. */
inline const char *take_key(walk &w)
{
    if (w.end - w.at < 3 || w.text[w.at[0]] != '"' || w.text[w.at[1]] != ':')
        return nullptr;
    const char *key = w.text + *w.at + 1;
    w.at += 2;
    return key;
}

inline bool skip(walk &w)
{
    if (w.at >= w.end)
        return false;
    const char *p = w.text + *w.at;
    number_scan s;
    switch (*p) {
    case '{':
        return container(w, '}', [&] { return take_key(w) && skip(w); });
    case '[':
        return container(w, ']', [&] { return skip(w); });
    case '"':
        w.at++;
        return true;
    case 't':
        w.at++;
        return is_word(p, "true");
    case 'f':
        w.at++;
        return is_word(p, "false");
    case 'n':
        w.at++;
        return is_word(p, "null");
    default:
        w.at++;
        return scan_number(p, s);
    }
}

/* ---- values to read ---- */

/* The start of the next scalar; at the end, text that is not a value. */
inline const char *take_scalar(walk &w)
{
    return w.at < w.end ? w.text + *w.at++ : "        ";
}

/* The text of the string whose opening quote is at p; the first stage has verified
 * that there is a closing one. */
inline bool string_at(const walk &w, const char *p, span &out)
{
    if (*p != '"')
        return false;
    const char *end =
        (const char *)std::memchr(p + 1, '"', (size_t)(w.text_end - p - 1));
    if (!end)
        return false;
    out = {p + 1, (size_t)(end - p - 1)};
    return true;
}

inline bool read_string(walk &w, span &out, span or_else)
{
    const char *p = take_scalar(w);
    out = or_else;
    return string_at(w, p, out) || is_word(p, "null");
}

/* An integer of magnitude at most 2^53. */
inline bool read_whole(walk &w, int64_t &out)
{
    const char *p = take_scalar(w);
    const int64_t most = (int64_t)1 << 53;
    number n;
    out = 0;
    if (!read_number(p, n))
        return is_word(p, "null");
    if (!n.real) {
        out = n.i;
        return n.i >= -most && n.i <= most;
    }
    if (!(std::fabs(n.d) <= (double)most) || n.d != std::trunc(n.d))
        return false;
    out = (int64_t)n.d;
    return true;
}

/* A number or boolean; null gives or_else. `null` may be NULL. */
inline bool read_real(walk &w, double &out, double or_else, bool *null)
{
    const char *p = take_scalar(w);
    number n = {};
    bool is_null = *p == 'n' && is_word(p, "null");
    out = or_else;
    if (null)
        *null = is_null;
    if (is_null)
        return true;
    bool good = *p == 't'   ? is_word(p, "true")
                : *p == 'f' ? is_word(p, "false")
                            : read_number(p, n);
    if (good)
        out = *p == 't' ? 1 : n.d;
    return good;
}

/* A number that is only recorded; null gives NaN. */
inline bool read_recorded(walk &w, double &out)
{
    const char *p = take_scalar(w);
    number n;
    out = NAN;
    if (!read_number(p, n))
        return is_word(p, "null");
    out = n.d;
    return true;
}

} // namespace dfopt

#endif
