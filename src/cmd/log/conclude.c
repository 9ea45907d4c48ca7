#include "cmd/log/conclude.h"

#include <inttypes.h>

uint64_t dl_conclusion_verdicts(const struct dl_conclusion *c)
{
    uint64_t all = 0;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        all += c->counts[v];
    return all;
}

static void put_trials(struct dl_print *p, const struct dl_trials *t)
{
    dl_put(p,
           "kept %" PRIu64 " (gain certain for %" PRIu64 "), taken back %" PRIu64,
           t->kept, t->certain, t->taken_back);
}

static bool has_trials(const struct dl_conclusion *c)
{
    return c->trials->kept > 0 || c->trials->taken_back > 0;
}

void dl_conclude_line(struct dl_print *p, const struct dl_conclusion *c)
{
    const char *comma = "";
    dl_put(p, ": %" PRIu64 " verdicts:", dl_conclusion_verdicts(c));
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        if (c->counts[v] > 0) {
            dl_put(p, "%s %s %" PRIu64, comma, dfopt_verdict_name(v), c->counts[v]);
            comma = ",";
        }
    if (has_trials(c)) {
        dl_put(p, "; trials ");
        put_trials(p, c->trials);
    }
    dl_put(p, "\n");
}

/* ---- the table ---- */

static bool changes(uint32_t verdict)
{
    return dl_verdict_plans(verdict) || verdict == DFOPT_VERDICT_ADOPTED;
}

static bool holds_back(uint32_t verdict)
{
    return !changes(verdict) && !dl_verdict_ends(verdict);
}

/* The verdicts of a kind that occurred, most frequent first. Returns how many. */
static size_t order_of(const struct dl_conclusion *c,
                       bool (*is_of)(uint32_t verdict),
                       uint32_t order[DFOPT_VERDICT_COUNT])
{
    size_t n = 0;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++) {
        if (!is_of(v) || c->counts[v] == 0)
            continue;
        size_t at = n++;
        for (; at > 0 && c->counts[order[at - 1]] < c->counts[v]; at--)
            order[at] = order[at - 1];
        order[at] = v;
    }
    return n;
}

static void put_label(struct dl_print *p, const char *label)
{
    dl_put(p, "  %-9s ", label);
}

static void put_rows(struct dl_print *p, const struct dl_conclusion *c,
                     const char *label, bool (*is_of)(uint32_t verdict),
                     enum dl_color color)
{
    uint32_t order[DFOPT_VERDICT_COUNT];
    const size_t n = order_of(c, is_of, order);
    if (n == 0) {
        put_label(p, label);
        dl_put(p, "-\n");
    }
    for (size_t i = 0; i < n; i++) {
        put_label(p, i ? "" : label);
        dl_color(p, color);
        dl_put(p, "%-21s", dfopt_verdict_name(order[i]));
        dl_color(p, DL_PLAIN);
        dl_put(p, " %7" PRIu64 "  %s\n", c->counts[order[i]],
               dfopt_verdict_meaning(order[i]));
    }
}

void dl_conclude_table(struct dl_print *p, const struct dl_conclusion *c)
{
    dl_put(p, ": %" PRIu64 " verdicts\n", dl_conclusion_verdicts(c));
    put_rows(p, c, "changed", changes, DL_GREEN);
    if (has_trials(c)) {
        put_label(p, "outcome");
        put_trials(p, c->trials);
        dl_put(p, "\n");
    }
    put_rows(p, c, "blocked", holds_back, DL_YELLOW);
}
