/* Findings at the speed of memory. simdjson's first stage finds the tokens of a
 * record: it has checked then that the text is UTF-8, that strings are closed,
 * and that they hold no control character. What is left of the grammar is
 * checked here, token by token, for each value whether it is needed or not;
 * strings are used where they lie. Measured per finding of 930 bytes: first
 * stage 100 ns, this walk 200; simdjson's tree instead of it costs 400, its
 * on-demand interface 750.
 *
 * Rules: in doubt, decline. A record with a backslash is declined, so that the
 * bytes of a string are its text. Nothing is interned before all is accepted. */
#include "codec/finding_fast.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace
{

constexpr size_t record_max = 64 * 1024; /* a longer record is declined */
constexpr size_t list_max = 64;          /* strings in a list */

/* ---- caches ---- */

/* A text and its number, with what follows from it as a scope or a trend. */
struct text_entry {
    dfopt_sym sym;
    dfopt_sym node; /* if as_scope */
    uint8_t len;    /* 0: a free place */
    bool as_scope, as_trend;
    uint8_t global : 4, trend : 4;
    char text[52];
};

/* The bytes of a JSON array, and the number of the list that it is. */
struct list_entry {
    dfopt_list list;
    uint8_t len; /* 0: a free place */
    char text[123];
};

static_assert(sizeof(text_entry) == 64, "a text lies in one cache line");
static_assert(sizeof(list_entry) == 128, "a list lies in two");

constexpr size_t text_entries = 8192, list_entries = 256;

/* ---- tokens ---- */

struct span {
    const char *at;
    size_t len;
};

struct list_span {
    span json;              /* brackets included; nothing if the list is empty */
    const uint32_t *tokens; /* the first string's; each other one is the next's */
    size_t n;
};

struct walk {
    const char *text;
    const uint32_t *at, *end; /* token positions */
    const char *text_end;
    int depth, max_depth;
};

/* What a finding says, its strings still in the text. */
struct draft {
    span type, scope, motif, trend;
    list_span tags, suppresses;
    struct dfopt_finding f;
};

struct number {
    bool real;
    int64_t i;
    double d; /* both for an integer */
};

} // namespace

struct dfopt_finding_fast {
    struct dfopt_dict *dict; /* borrowed */
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    std::unique_ptr<char[]> scratch; /* capacity, and simdjson's padding */
    std::unique_ptr<text_entry[]> texts;
    std::unique_ptr<list_entry[]> lists;
    size_t capacity;
    int max_depth;
};

namespace
{

constexpr span operator""_span(const char *text, size_t len)
{
    return {text, len};
}

bool take(walk &w, char c)
{
    if (w.at >= w.end || w.text[*w.at] != c)
        return false;
    w.at++;
    return true;
}

/* Whether what stands at p cannot belong to a number or word before it. */
bool is_end(const char *p)
{
    return *p == ',' || *p == '}' || *p == ']' || *p == ' ' || *p == '\n' ||
           *p == '\r' || *p == '\t';
}

template <size_t N> bool is_word(const char *p, const char (&word)[N])
{
    return std::memcmp(p, word, N - 1) == 0 && is_end(p + N - 1);
}

template <size_t N> bool is_key(const char *key, const char (&name)[N])
{
    return std::memcmp(key, name, N - 1) == 0 && key[N - 1] == '"';
}

/* ---- numbers ---- */

/* Digits at p, appended to *value, which wraps when there are more than 19. */
const char *digits(const char *p, uint64_t *value)
{
    uint64_t v = *value;
    for (; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    *value = v;
    return p;
}

const char *exponent(const char *p)
{
    uint64_t ignored = 0;
    p += p[1] == '+' || p[1] == '-' ? 2 : 1;
    const char *end = digits(p, &ignored);
    return end > p ? end : nullptr;
}

/* What a scan found: the number is sign * value / 10^n_fraction unless it has
 * an exponent or more than 19 digits. */
struct number_scan {
    const char *end;
    uint64_t value;
    ptrdiff_t n_whole, n_fraction;
    bool real, exponent;
};

/* Whether a JSON number, and nothing else, stands at p. Declines integers of
 * more than 18 digits. */
bool scan_number(const char *p, number_scan &s)
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

/* Declines reals out of range, too. */
bool read_number(const char *p, number &out)
{
    /* the powers of ten that a double holds exactly */
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

/* ---- values that are not needed ---- */

bool skip(walk &w);

/* `member` takes what stands between two commas. */
template <typename F> bool container(walk &w, char close, F &&member)
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

/* The text of a key, its quote behind it; NULL if none stands there. */
const char *take_key(walk &w)
{
    if (w.end - w.at < 3 || w.text[w.at[0]] != '"' || w.text[w.at[1]] != ':')
        return nullptr;
    const char *key = w.text + *w.at + 1;
    w.at += 2;
    return key;
}

bool skip(walk &w)
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

/* ---- values that are ---- */

/* What stands there; something that is no value at the end. */
const char *take_scalar(walk &w)
{
    return w.at < w.end ? w.text + *w.at++ : "        ";
}

/* A string's text. p is at its quote; a first stage without error has seen the
 * other one. */
bool string_at(const walk &w, const char *p, span &out)
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

bool read_string(walk &w, span &out, span or_else)
{
    const char *p = take_scalar(w);
    out = or_else;
    return string_at(w, p, out) || is_word(p, "null");
}

/* A whole number of at most 2^53. */
bool read_whole(walk &w, int64_t &out)
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

/* A number or a boolean; null is or_else. *null may be NULL. */
bool read_real(walk &w, double &out, double or_else, bool *null)
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

/* A number, recorded only; null is none. */
bool read_recorded(walk &w, double &out)
{
    const char *p = take_scalar(w);
    number n;
    out = NAN;
    if (!read_number(p, n))
        return is_word(p, "null");
    out = n.d;
    return true;
}

bool read_list(walk &w, list_span &out)
{
    const uint32_t *open = w.at;
    out = {};
    if (w.at < w.end && w.text[*open] == 'n')
        return skip(w);
    if (w.at >= w.end || w.text[*open] != '[')
        return false;
    size_t n = 0;
    if (!container(w, ']', [&] {
            n++;
            return take(w, '"');
        }))
        return false;
    if (n)
        out = {{w.text + *open, (size_t)(w.at[-1] - *open) + 1}, open + 1, n};
    return n <= list_max;
}

bool read_metric(walk &w, draft &d, enum dfopt_metric metric)
{
    bool null;
    if (!read_real(w, d.f.metric[metric], 0, &null))
        return false;
    d.f.metric_state[metric] = null ? DFOPT_METRIC_ABSENT : DFOPT_METRIC_NUMBER;
    return true;
}

bool read_metrics(walk &w, draft &d)
{
    std::memset(d.f.metric, 0, sizeof d.f.metric);
    std::memset(d.f.metric_state, 0, sizeof d.f.metric_state);
    if (w.at >= w.end || w.text[*w.at] != '{')
        return w.at < w.end && w.text[*w.at] == 'n' && skip(w);
    return container(w, '}', [&] {
        const char *key = take_key(w);
        if (!key)
            return false;
#define METRIC(name, text)                                                         \
    if (is_key(key, text))                                                         \
        return read_metric(w, d, DFOPT_METRIC_##name);
        DFOPT_METRIC_LIST(METRIC)
#undef METRIC
        return skip(w);
    });
}

/* The member of a finding behind its key. The first letter saves comparisons. */
bool read_field(walk &w, const char *key, draft &d)
{
    switch (*key) {
    case 'f':
        if (is_key(key, "finding_type"))
            return read_string(w, d.type, ""_span);
        break;
    case 's':
        if (is_key(key, "scope"))
            return read_string(w, d.scope, ""_span);
        if (is_key(key, "severity_score"))
            return read_real(w, d.f.severity, 0, nullptr);
        if (is_key(key, "suppresses_tags"))
            return read_list(w, d.suppresses);
        break;
    case 'm':
        if (is_key(key, "motif"))
            return read_string(w, d.motif, "unclassified"_span);
        break;
    case 'c':
        if (is_key(key, "confidence"))
            return read_recorded(w, d.f.confidence);
        break;
    case 'p':
        if (is_key(key, "prevalence"))
            return read_recorded(w, d.f.prevalence);
        if (is_key(key, "persistence"))
            return read_whole(w, d.f.persistence);
        break;
    case 't':
        if (is_key(key, "trend_direction"))
            return read_string(w, d.trend, "insufficient_data"_span);
        break;
    case 'o':
        if (is_key(key, "opportunity_tags"))
            return read_list(w, d.tags);
        break;
    case 'w':
        if (is_key(key, "window_index"))
            return read_whole(w, d.f.window);
        break;
    case 'k':
        if (is_key(key, "key_metrics"))
            return read_metrics(w, d);
        break;
    default:
        break;
    }
    return skip(w);
}

void draft_clear(draft &d)
{
    d.type = d.scope = ""_span;
    d.motif = "unclassified"_span;
    d.trend = "insufficient_data"_span;
    d.tags = d.suppresses = {};
    std::memset(&d.f, 0, sizeof d.f);
    d.f.confidence = d.f.prevalence = NAN;
}

bool read_body(walk &w, draft &d)
{
    draft_clear(d);
    if (w.at >= w.end || w.text[*w.at] != '{')
        return false;
    return container(w, '}', [&] {
        const char *key = take_key(w);
        return key && read_field(w, key, d);
    });
}

/* A record that may be an envelope. It is one if it has the key "stream"; that
 * and "body" may come in any order. Each "stream" must be right, and of "body"
 * each that comes behind it, and the last. */
bool read_record(walk &w, draft &d, bool *enveloped)
{
    const uint32_t *body = nullptr;
    bool stream = false, body_read = false;
    draft_clear(d);
    bool good = container(w, '}', [&] {
        const char *key = take_key(w);
        if (!key)
            return false;
        if (is_key(key, "stream")) {
            const char *p = take_scalar(w);
            stream = true;
            return *p == '"' && is_key(p + 1, "finding");
        }
        if (is_key(key, "body")) {
            body = w.at;
            body_read = stream;
            return stream ? read_body(w, d) : skip(w);
        }
        return stream ? skip(w) : read_field(w, key, d);
    });
    if (!good || w.at != w.end)
        return false;
    *enveloped = stream;
    if (!stream || body_read)
        return true;
    w.at = body; /* it has been skipped, so that it is not too deep */
    return body && read_body(w, d);
}

/* ---- strings to numbers ---- */

/* *entry is where the cache has the text, or NULL. Returns DFOPT_SYM_NONE on
 * NOMEM. */
dfopt_sym intern(dfopt_finding_fast *fast, span t, text_entry **entry)
{
    *entry = nullptr;
    if (t.len == 0)
        return DFOPT_SYM_EMPTY;
    if (t.len > sizeof(text_entry::text))
        return dfopt_dict_intern(fast->dict, t.at, t.len);
    text_entry *e = &fast->texts[XXH3_64bits(t.at, t.len) % text_entries];
    if (e->len != t.len || std::memcmp(e->text, t.at, t.len) != 0) {
        dfopt_sym sym = dfopt_dict_intern(fast->dict, t.at, t.len);
        /* a local number may give way to another: not for keeping */
        if (sym == DFOPT_SYM_NONE || dfopt_sym_is_local(sym))
            return sym;
        *e = {};
        e->sym = sym;
        e->len = (uint8_t)t.len;
        std::memcpy(e->text, t.at, t.len);
    }
    *entry = e;
    return e->sym;
}

dfopt_list intern_items(dfopt_finding_fast *fast, const walk &w, const list_span &l)
{
    dfopt_sym items[list_max];
    for (size_t i = 0; i < l.n; i++) {
        span t;
        text_entry *ignored;
        if (!string_at(w, w.text + l.tokens[2 * i], t))
            return DFOPT_LIST_NONE;
        items[i] = intern(fast, t, &ignored);
        if (items[i] == DFOPT_SYM_NONE)
            return DFOPT_LIST_NONE;
    }
    return dfopt_dict_intern_list(fast->dict, items, l.n);
}

dfopt_list intern_list(dfopt_finding_fast *fast, const walk &w, const list_span &l)
{
    if (l.n == 0)
        return DFOPT_LIST_EMPTY;
    if (l.json.len > sizeof(list_entry::text))
        return intern_items(fast, w, l);
    list_entry *e = &fast->lists[XXH3_64bits(l.json.at, l.json.len) % list_entries];
    if (e->len == l.json.len && std::memcmp(e->text, l.json.at, l.json.len) == 0)
        return e->list;
    dfopt_list list = intern_items(fast, w, l);
    if (list != DFOPT_LIST_NONE && !dfopt_sym_is_local(list)) {
        e->list = list;
        e->len = (uint8_t)l.json.len;
        std::memcpy(e->text, l.json.at, l.json.len);
    }
    return list;
}

/* As dfopt_finding_derive, which is asked once for each text. */
bool derive(dfopt_finding_fast *fast, text_entry *scope, text_entry *trend,
            struct dfopt_finding *f)
{
    /* another text of this finding may have taken an entry */
    bool keep =
        scope && trend && scope->sym == f->scope && trend->sym == f->trend_text;
    if (keep && scope->as_scope && trend->as_trend) {
        f->node = scope->node;
        f->global = scope->global;
        f->trend = trend->trend;
        return true;
    }
    if (dfopt_finding_derive(fast->dict, f) != DFOPT_OK)
        return false;
    if (keep && !dfopt_sym_is_local(f->node)) {
        scope->as_scope = trend->as_trend = true;
        scope->node = f->node;
        scope->global = f->global & 1;
        trend->trend = f->trend & 15;
    }
    return true;
}

/* In the order of dfopt_finding_decode. */
bool intern_all(dfopt_finding_fast *fast, const walk &w, draft &d)
{
    text_entry *ignored, *scope, *trend;
    struct dfopt_finding *f = &d.f;
    if ((f->type = intern(fast, d.type, &ignored)) == DFOPT_SYM_NONE ||
        (f->scope = intern(fast, d.scope, &scope)) == DFOPT_SYM_NONE ||
        (f->motif = intern(fast, d.motif, &ignored)) == DFOPT_SYM_NONE ||
        (f->trend_text = intern(fast, d.trend, &trend)) == DFOPT_SYM_NONE ||
        (f->tags = intern_list(fast, w, d.tags)) == DFOPT_LIST_NONE ||
        (f->suppresses = intern_list(fast, w, d.suppresses)) == DFOPT_LIST_NONE)
        return false;
    return derive(fast, scope, trend, f);
}

/* ---- a record ---- */

/* An event of another stream, as event logs are written, told by its start. */
bool is_other_stream(const char *data, size_t len)
{
    static const char start[] = "{\"stream\": \"";
    const size_t n = sizeof start - 1;
    return len > n && std::memcmp(data, start, n) == 0 && data[n] != 'f';
}

/* Copies the record to where it is padded and finds its tokens. */
bool open(dfopt_finding_fast *fast, const char *data, size_t len, walk &w)
{
    char *text = fast->scratch.get();
    if (len < 2 || len > fast->capacity || data[0] != '{')
        return false;
    std::memcpy(text, data, len);
    if (std::memchr(text, '\\', len))
        return false;
    simdjson::internal::dom_parser_implementation &parser = *fast->parser;
    if (parser.stage1((const uint8_t *)text, len, simdjson::stage1_mode::regular))
        return false;
    const uint32_t *tokens = parser.structural_indexes.get();
    w = {text,       tokens, tokens + parser.n_structural_indexes,
         text + len, 0,      fast->max_depth};
    return true;
}

} // namespace

enum dfopt_err dfopt_finding_fast_create(struct dfopt_finding_fast **out,
                                         struct dfopt_dict *dict, size_t max_bytes,
                                         int max_depth)
{
    std::unique_ptr<dfopt_finding_fast> fast(new (std::nothrow)
                                                 dfopt_finding_fast());
    if (!fast)
        return DFOPT_ERR_NOMEM;
    fast->dict = dict;
    fast->capacity = max_bytes < record_max ? max_bytes : record_max;
    fast->max_depth = max_depth;
    fast->scratch.reset(
        new (std::nothrow) char[record_max + simdjson::SIMDJSON_PADDING]());
    fast->texts.reset(new (std::nothrow) text_entry[text_entries]());
    fast->lists.reset(new (std::nothrow) list_entry[list_entries]());
    if (!fast->scratch || !fast->texts || !fast->lists)
        return DFOPT_ERR_NOMEM;
    /* The second stage, for which the depth is meant, is never run. */
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            record_max, 1, fast->parser))
        return DFOPT_ERR_NOMEM;
    *out = fast.release();
    return DFOPT_OK;
}

void dfopt_finding_fast_destroy(struct dfopt_finding_fast *fast)
{
    delete fast;
}

void dfopt_finding_fast_forget(struct dfopt_finding_fast *fast)
{
    if (!fast)
        return;
    std::fill_n(fast->texts.get(), text_entries, text_entry());
    std::fill_n(fast->lists.get(), list_entries, list_entry());
}

bool dfopt_finding_fast_decode(struct dfopt_finding_fast *fast, const char *data,
                               size_t len, bool envelopes,
                               struct dfopt_finding *out, bool *enveloped)
{
    walk w;
    draft d;
    bool in_envelope = false;
    if (!fast || (envelopes && is_other_stream(data, len)) ||
        !open(fast, data, len, w))
        return false;
    bool good = envelopes ? read_record(w, d, &in_envelope)
                          : read_body(w, d) && w.at == w.end;
    if (!good || !intern_all(fast, w, d))
        return false;
    *out = d.f;
    *enveloped = in_envelope;
    return true;
}
