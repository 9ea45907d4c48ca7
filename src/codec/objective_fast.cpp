/* Fast decoding of objectives: every node sends one per window, so there may be
 * as many as findings. The rules of finding_fast.cpp apply. */
#include "codec/fast.hpp"

using namespace dfopt;

namespace
{

/* The fields of an objective; its strings still point into the text. */
struct objective_draft {
    span node, goal;
    bool has_value, has_window;
    struct dfopt_objective f;
    const span *named; /* metrics after DFOPT_METRIC_KNOWN */

    static bool is_stream(const char *name)
    {
        return is_key(name, "objective");
    }
};

void draft_clear(objective_draft &d)
{
    d.node = ""_span;
    d.goal = "max"_span;
    d.has_value = d.has_window = false;
    std::memset(&d.f, 0, sizeof d.f);
}

/* Whether a key belongs to another kind of message (kind.c). */
bool is_foreign(const char *key)
{
    return is_key(key, "knobs") || is_key(key, "fact_type") ||
           is_key(key, "findings") || is_key(key, "finding_type") ||
           is_key(key, "severity_score") || is_key(key, "status") ||
           is_key(key, "plan_id") || is_key(key, "knob_id");
}

/* The member of an objective after its key. */
bool read_field(walk &w, const char *key, objective_draft &d)
{
    bool null = false;
    if (is_key(key, "node"))
        return read_string(w, d.node, ""_span);
    if (is_key(key, "goal"))
        return read_string(w, d.goal, "max"_span);
    if (is_key(key, "metrics"))
        return read_metrics(w, d);
    if (is_key(key, "value")) {
        const bool good = read_real(w, d.f.value, 0, &null);
        d.has_value = !null;
        return good;
    }
    if (is_key(key, "window_index")) {
        d.has_window = w.at < w.end && w.text[*w.at] != 'n';
        return read_whole(w, d.f.window);
    }
    return !is_foreign(key) && skip(w);
}

bool is_text(span t, span want)
{
    return t.len == want.len && std::memcmp(t.at, want.at, t.len) == 0;
}

/* Whether all required fields are present and the goal is valid. */
bool is_complete(objective_draft &d)
{
    const bool min = is_text(d.goal, "min"_span);
    d.f.goal = min ? -1 : 1;
    return d.has_value && d.has_window && (min || is_text(d.goal, "max"_span));
}

} // namespace

bool dfopt_objective_fast_decode(struct dfopt_finding_fast *fast, const char *data,
                                 size_t len, bool envelopes,
                                 struct dfopt_objective *out)
{
    walk w;
    objective_draft d;
    bool in_envelope = false;
    if (!fast || (envelopes && stream_letter(data, len) != 'o') ||
        !open(fast, data, len, w))
        return false;
    d.named = fast->named;
    if (envelopes ? !read_record(w, d, &in_envelope) || !in_envelope
                  : !read_body(w, d) || w.at != w.end)
        return false;
    if (!is_complete(d) || (d.f.node = intern(fast, d.node)) == DFOPT_SYM_NONE)
        return false;
    *out = d.f;
    return true;
}
