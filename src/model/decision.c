/* Decisions: row buffers, plan ids, and the text that explains a plan. */
#include "model/decision.h"

#include "base/names.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct dfopt_verdict_row) == 48, "no padding");
_Static_assert(sizeof(struct dfopt_plan) == 208, "no padding");
_Static_assert(sizeof(struct dfopt_suppression_row) == 40, "no padding");
_Static_assert(sizeof(struct dfopt_ack_row) == 56, "no padding");
_Static_assert(sizeof(struct dfopt_relay_row) == 56, "no padding");
_Static_assert(sizeof(struct dfopt_seen_row) == 24, "no padding");
_Static_assert(sizeof(struct dfopt_timeout_row) == 48, "no padding");
_Static_assert(sizeof(struct dfopt_outcome_row) == 104, "no padding");

void dfopt_decisions_clear(struct dfopt_decisions *d)
{
    dfopt_buf_clear(&d->verdicts);
    dfopt_buf_clear(&d->plans);
    dfopt_buf_clear(&d->suppressions);
    dfopt_buf_clear(&d->acks);
    dfopt_buf_clear(&d->relays);
    dfopt_buf_clear(&d->seen);
    dfopt_buf_clear(&d->timeouts);
    dfopt_buf_clear(&d->outcomes);
    dfopt_buf_clear(&d->commands);
}

void dfopt_decisions_free(struct dfopt_decisions *d)
{
    dfopt_buf_free(&d->verdicts);
    dfopt_buf_free(&d->plans);
    dfopt_buf_free(&d->suppressions);
    dfopt_buf_free(&d->acks);
    dfopt_buf_free(&d->relays);
    dfopt_buf_free(&d->seen);
    dfopt_buf_free(&d->timeouts);
    dfopt_buf_free(&d->outcomes);
    dfopt_buf_free(&d->commands);
}

bool dfopt_gain_is_certain(double gain, double standard_error, uint32_t n,
                           uint32_t m, double min_effect)
{
    if (!isfinite(standard_error) || n + m == 0)
        return false;
    const double errors = 3 + 6 / ((double)n + (double)m);
    return fabs(gain) >= fmax(min_effect, errors * standard_error);
}

struct dfopt_outcome_claim dfopt_outcome_claim(const struct dfopt_outcome_row *row,
                                               double min_effect)
{
    struct dfopt_outcome_claim c = {.standard_error = NAN};
    if (isnan(row->noise) || isnan(row->gain) || !row->base_n || !row->now_n)
        return c;
    c.standard_error =
        1.25 * row->noise * sqrt(1.0 / row->base_n + 1.0 / row->now_n);
    c.certain = dfopt_gain_is_certain(row->gain, c.standard_error, row->base_n,
                                      row->now_n, min_effect);
    return c;
}

struct dfopt_verdict_row dfopt_outcome_verdict(const struct dfopt_outcome_row *o)
{
    return (struct dfopt_verdict_row){.seq = o->seq,
                                      .position = o->position,
                                      .verdict = o->verdict,
                                      .tag = DFOPT_SYM_NONE,
                                      .knob = o->knob,
                                      .node = o->node,
                                      .value = NAN,
                                      .threshold = NAN};
}

enum dfopt_err dfopt_decisions_add_withdrawn(struct dfopt_decisions *d)
{
    const struct dfopt_outcome_row *o =
        DFOPT_ROW(&d->outcomes, const struct dfopt_outcome_row);
    size_t left = DFOPT_ROWS(&d->outcomes, struct dfopt_outcome_row), n = 0;
    for (size_t i = 0; i < left; i++)
        n += o[i].verdict == DFOPT_VERDICT_WITHDRAWN;
    if (n == 0)
        return DFOPT_OK;
    size_t from = DFOPT_ROWS(&d->verdicts, struct dfopt_verdict_row);
    if (!dfopt_buf_grow(&d->verdicts, n * sizeof(struct dfopt_verdict_row)))
        return DFOPT_ERR_NOMEM;
    /* backwards: they follow all other verdicts of their event */
    struct dfopt_verdict_row *v = DFOPT_ROW(&d->verdicts, struct dfopt_verdict_row);
    for (size_t to = from + n; n > 0;) {
        const struct dfopt_outcome_row *row = &o[left - 1];
        if (row->verdict != DFOPT_VERDICT_WITHDRAWN) {
            left--;
        } else if (from > 0 && v[from - 1].seq > row->seq) {
            v[--to] = v[--from];
        } else {
            v[--to] = dfopt_outcome_verdict(row);
            left--;
            n--;
        }
    }
    return DFOPT_OK;
}

static enum dfopt_err add_text(const struct dfopt_dict *dict, dfopt_sym s,
                               struct dfopt_buf *out)
{
    size_t len;
    const char *text = dfopt_dict_text(dict, s, &len);
    return dfopt_buf_add(out, text, len); /* may contain NUL: no %s */
}

static enum dfopt_err add_z(const char *text, struct dfopt_buf *out)
{
    return dfopt_buf_add(out, text, strlen(text));
}

static enum dfopt_err add_number(struct dfopt_value v, struct dfopt_buf *out)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    if (v.kind == DFOPT_KIND_INT)
        return dfopt_buf_printf(out, "%" PRId64, v.i);
    dfopt_real_text(dfopt_value_as_double(v), text);
    return add_z(text, out);
}

/* "KNOB OLD -> NEW" */
static enum dfopt_err add_move(const struct dfopt_dict *dict, dfopt_sym knob,
                               struct dfopt_value old, struct dfopt_value new,
                               struct dfopt_buf *out)
{
    enum dfopt_err e = add_text(dict, knob, out);
    if (!e)
        e = add_z(" ", out);
    if (!e)
        e = add_number(old, out);
    if (!e)
        e = add_z(" -> ", out);
    return e ? e : add_number(new, out);
}

static enum dfopt_err why_finding(const struct dfopt_dict *dict,
                                  const struct dfopt_plan *p, struct dfopt_buf *out)
{
    enum dfopt_err e = add_text(dict, p->finding_type, out);
    if (!e)
        e = add_z(": ", out);
    if (!e)
        e = add_text(dict, p->motif, out);
    if (!e)
        e = dfopt_buf_printf(
            out, " (severity=%.3f, persistence=%" PRId64 ", trend=", p->severity,
            p->persistence);
    if (!e)
        e = add_text(dict, p->trend, out);
    if (!e)
        e = add_z(", scope=", out);
    if (!e)
        e = add_text(dict, p->scope, out);
    return e ? e : add_z(")", out);
}

static enum dfopt_err why_trend(const struct dfopt_dict *dict,
                                const struct dfopt_plan *p, struct dfopt_buf *out)
{
    enum dfopt_err e = add_z("rollback: finding ", out);
    if (!e)
        e = add_text(dict, p->other, out);
    if (!e)
        e = add_z(", trend ", out);
    if (!e)
        e = add_text(dict, p->trend, out);
    return e ? e
             : dfopt_buf_printf(out, ", seen in %" PRIu32 " windows since",
                                p->count);
}

static enum dfopt_err why_trade(const struct dfopt_dict *dict,
                                const struct dfopt_plan *p, struct dfopt_buf *out)
{
    const bool gives = p->why == DFOPT_WHY_TRADE_GIVES;
    const struct dfopt_value old[2] = {p->old_value, p->other_old};
    const struct dfopt_value new[2] = {p->new_value, p->other_new};
    const dfopt_sym knob[2] = {p->knob, p->other};
    enum dfopt_err e = add_z("trade: ", out);
    if (!e)
        e = add_move(dict, knob[!gives], old[!gives], new[!gives], out);
    if (!e)
        e = add_z(" makes room for ", out);
    return e ? e : add_move(dict, knob[gives], old[gives], new[gives], out);
}

/* "operator: VERB by NAME" */
static enum dfopt_err why_operator(const struct dfopt_dict *dict,
                                   const struct dfopt_plan *p,
                                   struct dfopt_buf *out)
{
    char id[DFOPT_PLAN_ID_SIZE];
    enum dfopt_err e = add_z("operator: ", out);
    if (!e && p->why == DFOPT_WHY_APPROVED) {
        dfopt_plan_id_text((uint64_t)p->other_old.i, id);
        e = dfopt_buf_printf(out, "approved %s", id);
    } else if (!e) {
        e = add_z(p->why == DFOPT_WHY_SET ? "set" : "restored", out);
    }
    if (!e)
        e = add_z(" by ", out);
    return e ? e : add_text(dict, p->other, out);
}

static enum dfopt_err add_why(const struct dfopt_dict *dict,
                              const struct dfopt_plan *p, struct dfopt_buf *out)
{
    switch (p->why) {
    case DFOPT_WHY_OBJECTIVE:
        return dfopt_buf_printf(out,
                                "rollback: objective %.6g against %.6g, gain %.3f, "
                                "threshold %.3f, windows %" PRIu32,
                                p->figures[0], p->figures[1], p->figures[2],
                                p->figures[3], p->count);
    case DFOPT_WHY_TREND:
        return why_trend(dict, p, out);
    case DFOPT_WHY_GUARD:
        return add_z("rollback: guard", out);
    case DFOPT_WHY_RELEASE:
        return add_z("release: not shown to be needed", out);
    case DFOPT_WHY_TRADE_TAKES:
    case DFOPT_WHY_TRADE_GIVES:
        return why_trade(dict, p, out);
    case DFOPT_WHY_APPROVED:
    case DFOPT_WHY_SET:
    case DFOPT_WHY_RESTORED:
        return why_operator(dict, p, out);
    default:
        return why_finding(dict, p, out);
    }
}

enum dfopt_err dfopt_plan_rationale(const struct dfopt_dict *dict,
                                    const struct dfopt_plan *p,
                                    struct dfopt_buf *out)
{
    if (p->rationale != DFOPT_SYM_NONE)
        return add_text(dict, p->rationale, out);
    const size_t start = out->len;
    const bool of_other = p->why == DFOPT_WHY_TRADE_GIVES;
    const bool has_tag = p->why != DFOPT_WHY_SET && p->why != DFOPT_WHY_RESTORED;
    enum dfopt_err e = add_why(dict, p, out);
    if (!e && has_tag)
        e = add_z(" -> ", out);
    if (!e && has_tag)
        e = add_text(dict, of_other ? p->other_tag : p->tag, out);
    if (e)
        out->len = start;
    return e;
}

void dfopt_plan_id_text(uint64_t id, char text[DFOPT_PLAN_ID_SIZE])
{
    snprintf(text, DFOPT_PLAN_ID_SIZE, "plan_%016" PRIx64, id);
}

void dfopt_plan_id_run_text(uint64_t id, uint32_t run,
                            char text[DFOPT_PLAN_ID_RUN_SIZE])
{
    dfopt_plan_id_text(id, text);
    if (run)
        snprintf(text + DFOPT_PLAN_ID_SIZE - 1, 10, "_%08" PRIx32, run);
}

bool dfopt_plan_id_parse(const char *text, size_t len, uint64_t *id)
{
    if (len != DFOPT_PLAN_ID_SIZE - 1 || memcmp(text, "plan_", 5) != 0)
        return false;
    uint64_t v = 0;
    for (size_t i = 5; i < len; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *id = v;
    return true;
}

size_t dfopt_plan_id_cut_run(char *text, size_t len, uint32_t run)
{
    char whole[DFOPT_PLAN_ID_RUN_SIZE];
    const size_t bare = DFOPT_PLAN_ID_SIZE - 1;
    uint64_t id = 0;
    dfopt_plan_id_run_text(id, run, whole);
    const size_t n = strlen(whole);
    for (size_t i = 0; i + n <= len; i++)
        if (dfopt_plan_id_run_parse(text + i, n, run, &id)) {
            memmove(text + i + bare, text + i + n, len - i - n);
            len -= n - bare;
        }
    return len;
}

DFOPT_NAME_FUNCTION(dfopt_verdict_name, DFOPT_VERDICT_LIST, DFOPT_NAME_TEXT3)
DFOPT_NAME_FUNCTION(dfopt_verdict_meaning, DFOPT_VERDICT_LIST, DFOPT_NAME_MEANING)
DFOPT_NAME_FUNCTION(dfopt_suppression_action_name, DFOPT_SUPPRESSION_ACTION_LIST,
                    DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_ack_outcome_name, DFOPT_ACK_OUTCOME_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_ack_tally_name, DFOPT_ACK_TALLY_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_relay_outcome_name, DFOPT_RELAY_OUTCOME_LIST,
                    DFOPT_NAME_TEXT)

bool dfopt_plan_id_run_parse(const char *text, size_t len, uint32_t run,
                             uint64_t *id)
{
    char whole[DFOPT_PLAN_ID_RUN_SIZE];
    uint64_t v;
    const size_t bare = DFOPT_PLAN_ID_SIZE - 1;
    if (len < bare || !dfopt_plan_id_parse(text, bare, &v))
        return false;
    dfopt_plan_id_run_text(v, run, whole);
    if (len != strlen(whole) || memcmp(text, whole, len) != 0)
        return false;
    *id = v;
    return true;
}
