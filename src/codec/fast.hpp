/* Shared by the fast decoders of findings and objectives: memory, the record's
 * tokens, its envelope and its metrics. Each decodes a body into its draft type D,
 * which provides D::is_stream(text after the quote), draft_clear(d),
 * read_field(walk, key, d), d.f with metrics, and d.named. Included only by
 * finding_fast.cpp and objective_fast.cpp. */
#ifndef DFOPT_CODEC_FAST_HPP
#define DFOPT_CODEC_FAST_HPP

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* C's rules */
extern "C" {
#include "model/message.h"
}
#pragma GCC diagnostic pop

#include "codec/finding_fast.h"
#include "codec/token_walk.hpp"

#include <cstring>
#include <memory>
#include <simdjson.h>

namespace dfopt
{

constexpr size_t record_max = 64 * 1024; /* longer records are declined */
constexpr size_t list_max = 64;          /* strings in a list */

/* ---- caches ---- */

/* The cached meaning of a text as a scope or a trend. */
struct consequence {
    dfopt_sym node; /* if as_scope */
    bool as_scope, as_trend;
    uint8_t global : 4, trend : 4;
};

/* The text of a JSON array of strings, and its number in the dictionary. */
struct list_entry {
    dfopt_list list;
    uint8_t len; /* 0: unused */
    char text[123];
};

static_assert(sizeof(list_entry) == 128, "an entry fills two cache lines");

constexpr size_t list_entries = 256; /* 32 KiB */

} // namespace dfopt

struct dfopt_finding_fast {
    struct dfopt_dict *dict; /* borrowed */
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    std::unique_ptr<char[]> scratch; /* capacity plus simdjson's padding */
    std::unique_ptr<dfopt::list_entry[]> lists;
    std::unique_ptr<dfopt::consequence[]> consequences; /* indexed by the symbol */
    size_t n_consequences;
    dfopt::span named[DFOPT_METRIC_NAMED]; /* borrowed from dict; len 0: none */
    size_t capacity;
    int max_depth;
};

namespace dfopt
{

/* ---- metrics ---- */

/* Whether the key equals the name of a metric in the policy. */
inline bool is_named(const walk &w, const char *key, span name)
{
    return name.len && (size_t)(w.text_end - key) > name.len &&
           std::memcmp(key, name.at, name.len) == 0 && key[name.len] == '"';
}

template <typename D> bool read_metric(walk &w, D &d, int metric)
{
    bool null;
    if (!read_real(w, d.f.metric[metric], 0, &null))
        return false;
    d.f.metric_state[metric] = null ? DFOPT_METRIC_ABSENT : DFOPT_METRIC_NUMBER;
    return true;
}

template <typename D> bool read_metrics(walk &w, D &d)
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
        for (int i = 0; i < DFOPT_METRIC_NAMED; i++)
            if (is_named(w, key, d.named[i]))
                return read_metric(w, d, DFOPT_METRIC_KNOWN + i);
        return skip(w);
    });
}

/* ---- a body, and a record ---- */

template <typename D> bool read_body(walk &w, D &d)
{
    draft_clear(d);
    if (w.at >= w.end || w.text[*w.at] != '{')
        return false;
    return container(w, '}', [&] {
        const char *key = take_key(w);
        return key && read_field(w, key, d);
    });
}

/* A bare body, or an envelope if it has the key "stream". "stream" and "body" may
 * come in either order. Every "stream" must match; a "body" is decoded if it comes
 * after "stream", otherwise only the last one is. */
template <typename D> bool read_record(walk &w, D &d, bool *enveloped)
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
            return *p == '"' && D::is_stream(p + 1);
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
    w.at = body; /* skipped once, so its depth is within bounds */
    return body && read_body(w, d);
}

/* ---- memory ---- */

/* Returns DFOPT_SYM_NONE on NOMEM. */
inline dfopt_sym intern(dfopt_finding_fast *fast, span t)
{
    return t.len ? dfopt_dict_intern(fast->dict, t.at, t.len) : DFOPT_SYM_EMPTY;
}

/* The first letter of the stream name of an event as event logs write it; NUL if
 * the record does not start with "stream". */
inline char stream_letter(const char *data, size_t len)
{
    static const char spaced[] = "{\"stream\": \"", tight[] = "{\"stream\":\"";
    const size_t n = sizeof spaced - 1, m = sizeof tight - 1;
    if (len > n && std::memcmp(data, spaced, n) == 0)
        return data[n];
    return len > m && std::memcmp(data, tight, m) == 0 ? data[m] : '\0';
}

/* Copies the record into padded memory and finds its tokens. */
inline bool open(dfopt_finding_fast *fast, const char *data, size_t len, walk &w)
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

} // namespace dfopt

#endif
