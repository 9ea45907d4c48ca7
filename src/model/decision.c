/* Decisions: buffers of rows, plan ids, the text that explains a plan. */
#include "model/decision.h"

#include "base/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct dfopt_verdict_row) == 48, "no padding");
_Static_assert(sizeof(struct dfopt_plan) == 128, "no padding");
_Static_assert(sizeof(struct dfopt_suppression_row) == 40, "no padding");
_Static_assert(sizeof(struct dfopt_ack_row) == 56, "no padding");
_Static_assert(sizeof(struct dfopt_relay_row) == 56, "no padding");
_Static_assert(sizeof(struct dfopt_seen_row) == 24, "no padding");
_Static_assert(sizeof(struct dfopt_timeout_row) == 48, "no padding");

void dfopt_decisions_clear(struct dfopt_decisions *d)
{
    dfopt_buf_clear(&d->verdicts);
    dfopt_buf_clear(&d->plans);
    dfopt_buf_clear(&d->suppressions);
    dfopt_buf_clear(&d->acks);
    dfopt_buf_clear(&d->relays);
    dfopt_buf_clear(&d->seen);
    dfopt_buf_clear(&d->timeouts);
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
}

static enum dfopt_err add_text(const struct dfopt_dict *dict, dfopt_sym s,
                               struct dfopt_buf *out)
{
    size_t len;
    const char *text = dfopt_dict_text(dict, s, &len);
    return dfopt_buf_add(out, text, len); /* may hold NUL: no %s */
}

enum dfopt_err dfopt_plan_rationale(const struct dfopt_dict *dict,
                                    const struct dfopt_plan *p,
                                    struct dfopt_buf *out)
{
    if (p->rationale != DFOPT_SYM_NONE)
        return add_text(dict, p->rationale, out);
    size_t start = out->len;
    enum dfopt_err e = add_text(dict, p->finding_type, out);
    if (!e)
        e = dfopt_buf_add(out, ": ", 2);
    if (!e)
        e = add_text(dict, p->motif, out);
    if (!e)
        e = dfopt_buf_printf(
            out, " (severity=%.3f, persistence=%" PRId64 ", trend=", p->severity,
            p->persistence);
    if (!e)
        e = add_text(dict, p->trend, out);
    if (!e)
        e = dfopt_buf_add(out, ", scope=", 8);
    if (!e)
        e = add_text(dict, p->scope, out);
    if (!e)
        e = dfopt_buf_add(out, ") -> ", 5);
    if (!e)
        e = add_text(dict, p->tag, out);
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

DFOPT_NAME_FUNCTION(dfopt_verdict_name, DFOPT_VERDICT_LIST, DFOPT_NAME_TEXT3)
DFOPT_NAME_FUNCTION(dfopt_verdict_meaning, DFOPT_VERDICT_LIST, DFOPT_NAME_MEANING)
DFOPT_NAME_FUNCTION(dfopt_suppression_action_name, DFOPT_SUPPRESSION_ACTION_LIST,
                    DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_ack_outcome_name, DFOPT_ACK_OUTCOME_LIST, DFOPT_NAME_TEXT)
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
