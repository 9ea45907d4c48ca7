/* Fast decoding of findings. simdjson's first stage finds the tokens of a record;
 * the walk over them (token_walk.hpp) checks the rest of the grammar, for every
 * value whether needed or not, and uses strings in place. That stage is not part of
 * simdjson's public interface, which is slower. Measured per finding of 930 bytes:
 * copy and first stage 110 ns, the rest 330; simdjson's whole tree 430 before
 * reading a field, its on-demand interface 850.
 *
 * Rules: if in doubt, decline. A record with a backslash is declined, so that the
 * bytes of a string are its text. Nothing is interned until all is accepted. */
#include "codec/fast.hpp"

#include <new>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace dfopt;

namespace
{

struct list_span {
    span json;              /* brackets included; nothing for an empty list */
    const uint32_t *tokens; /* the first string's token; the others follow */
    size_t n;
};

/* The fields of a finding; its strings still point into the text. */
struct draft {
    span type, scope, motif, trend;
    list_span tags, suppresses;
    struct dfopt_finding f;
    const span *named; /* metrics after DFOPT_METRIC_KNOWN */
    bool known;        /* a field of a finding was present */

    static bool is_stream(const char *name)
    {
        return is_key(name, "finding");
    }
};

} // namespace

namespace
{

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

/* The member of a finding after its key. Dispatching on the first letter saves
 * comparisons. Declines on a key of another kind of message (kind.c). */
bool read_field(walk &w, const char *key, draft &d)
{
    const bool known = d.known;
    d.known = true;
    switch (*key) {
    case 'f':
        if (is_key(key, "finding_type"))
            return read_string(w, d.type, ""_span);
        if (is_key(key, "fact_type") || is_key(key, "findings"))
            return false;
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
        if (is_key(key, "plan_id"))
            return false;
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
        if (is_key(key, "knobs") || is_key(key, "knob_id"))
            return false;
        break;
    case 'v':
        if (is_key(key, "value"))
            return false;
        break;
    case 'g':
        if (is_key(key, "goal"))
            return false;
        break;
    default:
        break;
    }
    d.known = known;
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
    d.known = false;
}

/* ---- strings to numbers ---- */

dfopt_list intern_items(dfopt_finding_fast *fast, const walk &w, const list_span &l)
{
    dfopt_sym items[list_max];
    for (size_t i = 0; i < l.n; i++) {
        span t;
        if (!string_at(w, w.text + l.tokens[2 * i], t))
            return DFOPT_LIST_NONE;
        items[i] = intern(fast, t);
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

/* The cached results derived from a text; NULL if they cannot be cached. */
consequence *consequence_of(dfopt_finding_fast *fast, dfopt_sym sym)
{
    if (dfopt_sym_is_local(sym))
        return nullptr;
    if (sym >= fast->n_consequences) {
        const size_t n = ((size_t)sym + 64) * 2;
        std::unique_ptr<consequence[]> more(new (std::nothrow) consequence[n]());
        if (!more)
            return nullptr;
        if (fast->n_consequences)
            std::memcpy(more.get(), fast->consequences.get(),
                        fast->n_consequences * sizeof(consequence));
        fast->consequences = std::move(more);
        fast->n_consequences = n;
    }
    return &fast->consequences[sym];
}

/* As dfopt_finding_derive, which is called once per text. */
bool derive(dfopt_finding_fast *fast, struct dfopt_finding *f)
{
    consequence_of(fast, f->scope > f->trend_text ? f->scope : f->trend_text);
    consequence *scope = consequence_of(fast, f->scope);
    consequence *trend = consequence_of(fast, f->trend_text);
    if (scope && trend && scope->as_scope && trend->as_trend) {
        f->node = scope->node;
        f->global = scope->global;
        f->trend = trend->trend;
        return true;
    }
    if (dfopt_finding_derive(fast->dict, f) != DFOPT_OK)
        return false;
    if (scope && !dfopt_sym_is_local(f->node)) {
        scope->as_scope = true;
        scope->node = f->node;
        scope->global = f->global & 15;
    }
    if (trend) {
        trend->as_trend = true;
        trend->trend = f->trend & 15;
    }
    return true;
}

/* In the order of dfopt_finding_decode. */
bool intern_all(dfopt_finding_fast *fast, const walk &w, draft &d)
{
    struct dfopt_finding *f = &d.f;
    if ((f->type = intern(fast, d.type)) == DFOPT_SYM_NONE ||
        (f->scope = intern(fast, d.scope)) == DFOPT_SYM_NONE ||
        (f->motif = intern(fast, d.motif)) == DFOPT_SYM_NONE ||
        (f->trend_text = intern(fast, d.trend)) == DFOPT_SYM_NONE ||
        (f->tags = intern_list(fast, w, d.tags)) == DFOPT_LIST_NONE ||
        (f->suppresses = intern_list(fast, w, d.suppresses)) == DFOPT_LIST_NONE)
        return false;
    return derive(fast, f);
}

/* ---- a record ---- */

/* Whether this is an event of another stream in event-log form, judged by its
 * start. */
bool is_other_stream(const char *data, size_t len)
{
    const char first = stream_letter(data, len);
    return first && first != 'f';
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
    fast->lists.reset(new (std::nothrow) list_entry[list_entries]());
    if (!fast->scratch || !fast->lists)
        return DFOPT_ERR_NOMEM;
    /* The depth limit is the second stage's, which never runs. */
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

void dfopt_finding_fast_metrics(struct dfopt_finding_fast *fast,
                                const dfopt_sym *names)
{
    for (int i = 0; fast && i < DFOPT_METRIC_NAMED; i++)
        fast->named[i].at =
            dfopt_dict_text(fast->dict, names[i], &fast->named[i].len);
}

bool dfopt_finding_fast_decode(struct dfopt_finding_fast *fast, const char *data,
                               size_t len, bool envelopes,
                               struct dfopt_finding *out, bool *enveloped)
{
    walk w;
    draft d;
    bool in_envelope = false;
    d.named = fast ? fast->named : nullptr;
    if (!fast || (envelopes && is_other_stream(data, len)) ||
        !open(fast, data, len, w))
        return false;
    bool good = envelopes ? read_record(w, d, &in_envelope)
                          : read_body(w, d) && w.at == w.end;
    if (!good || !d.known || !intern_all(fast, w, d))
        return false;
    *out = d.f;
    *enveloped = in_envelope;
    return true;
}
