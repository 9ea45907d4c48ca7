/* Objectives made up at random. */
#ifndef DFOPT_TESTS_FAST_OBJECTIVES_H
#define DFOPT_TESTS_FAST_OBJECTIVES_H

#include "fast_records.h"

/* As an application sends it, now and then with something left out or added. */
static inline void make_objective(struct record *r)
{
    static const char *const goals[] = {"\"max\"", "\"min\"", "null"};
    r->n = 0;
    if (below(8))
        put(r, "node", "\"tuolumne%u\"", 1001 + below(64));
    else
        put(r, "node", "%s", below(2) ? "\"\"" : "null");
    put(r, "window_index", below(8) ? "%u" : "%u.0", below(200));
    put(r, "value", below(4) ? "%.17g" : "%.1f", unit() * 1e4);
    if (below(2))
        put(r, "goal", "%s", goals[below(3)]);
    if (below(2))
        put(r, "metrics",
            "{\"mem_frac\": %.17g, \"active_time\": %.16g, \"x\": %u}", unit(),
            unit(), below(9));
    if (below(4) == 0)
        put(r, "step", "{\"a\": [1, \"value\", {\"value\": 2}]}");
}

/* As an event of an event log: compact, or as Python spaces it; `late`: the stream
 * stands behind the body. */
static inline size_t render_event(const struct record *r, bool compact, bool late,
                                  char *out, size_t size)
{
    const char *colon = compact ? ":" : ": ", *comma = compact ? "," : ", ";
    size_t n = (size_t)snprintf(out, size,
                                late ? "{\"body\"%s{"
                                     : "{\"stream\"%s"
                                       "\"objective\",\"body\":{",
                                colon);
    for (size_t i = 0; i < r->n; i++)
        n += (size_t)snprintf(out + n, size - n, "%s\"%s\"%s%s", i ? comma : "",
                              r->key[i], colon, r->value[i]);
    n += (size_t)snprintf(out + n, size - n, "%s",
                          late ? "},\"stream\":\"objective\"}" : "}}");
    assert_true(n < size);
    return n;
}

static inline size_t render_body(const struct record *r, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += (size_t)snprintf(out + n, size - n, "%s\"%s\": %s", i ? ", " : "{",
                              r->key[i], r->value[i]);
    n += (size_t)snprintf(out + n, size - n, r->n ? "}" : "{}");
    assert_true(n < size);
    return n;
}

#endif
