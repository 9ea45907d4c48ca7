/* Values, decisions and state of a planner as text.
 *
 * Verdicts read `planned t k@a 4->5; suppressed t@a`, suppressions `set t`, acks
 * `applied k@a=5 at 3`, relays `relayed k 4->9`; a value keeps its kind: 4 is
 * not 4.0, and a text stands in quotes. State: `k=4 k@a=5 pending=k@a#0.0
 * cool=k@a(1,0.9) supp=t(1,0.8,g)`. */
#ifndef DFOPT_TESTS_PLANNER_TEXT_H
#define DFOPT_TESTS_PLANNER_TEXT_H

#include "planner/planner.h"
#include "support/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The id of a plan: of its event and its number within the event. */
/* The id of the plan for an event's pair of tag and response, from 0. */
#define PLAN(seq, pair) ((uint64_t)(seq) << 16 | (DFOPT_POSITION_TAG + (pair)))

static inline void pf_put(struct dfopt_buf *out, const char *text)
{
    assert_int_equal(dfopt_buf_add(out, text, strlen(text)), DFOPT_OK);
}

static inline void pf_value_text(const struct dfopt_dict *dict,
                                 struct dfopt_value v, struct dfopt_buf *out)
{
    char real[DFOPT_REAL_TEXT_SIZE];
    enum dfopt_err e;
    switch (v.kind) {
    case DFOPT_KIND_BOOL:
        e = dfopt_buf_printf(out, "%s", v.i ? "true" : "false");
        break;
    case DFOPT_KIND_INT:
        e = dfopt_buf_printf(out, "%" PRId64, v.i);
        break;
    case DFOPT_KIND_REAL:
        dfopt_real_text(v.d, real);
        e = dfopt_buf_printf(out, "%s", real);
        break;
    case DFOPT_KIND_STR:
        e = dfopt_buf_printf(out, "'%s'", dfopt_dict_text(dict, v.str, NULL));
        break;
    default:
        e = dfopt_buf_printf(out, "null");
    }
    assert_int_equal(e, DFOPT_OK);
}

/* ---- decisions as text ---- */

/* `knob@node`; a knob that is DFOPT_SYM_NONE has no text */
static inline void pf_put_key(const struct dfopt_dict *dict, dfopt_sym knob,
                              dfopt_sym node, struct dfopt_buf *out)
{
    pf_put(out, dfopt_dict_text(dict, knob, NULL));
    if (node != DFOPT_SYM_EMPTY) {
        pf_put(out, "@");
        pf_put(out, dfopt_dict_text(dict, node, NULL));
    }
}

static inline void pf_put_move(const struct dfopt_dict *dict,
                               const struct dfopt_plan *p, struct dfopt_buf *out)
{
    pf_put(out, " ");
    pf_value_text(dict, p->old_value, out);
    pf_put(out, "->");
    pf_value_text(dict, p->new_value, out);
}

static inline void pf_put_verdicts(const struct dfopt_dict *dict,
                                   const struct dfopt_decisions *d,
                                   struct dfopt_buf *out)
{
    size_t n = DFOPT_ROWS(&d->verdicts, struct dfopt_verdict_row);
    size_t plans = DFOPT_ROWS(&d->plans, struct dfopt_plan), plan = 0;
    for (size_t i = 0; i < n; i++) {
        const struct dfopt_verdict_row *v =
            &DFOPT_ROW(&d->verdicts, struct dfopt_verdict_row)[i];
        if (v->tag != DFOPT_SYM_NONE)
            assert_int_equal(v->position, DFOPT_POSITION_TAG + i);
        pf_put(out, out->len ? "; " : "");
        pf_put(out, dfopt_verdict_name(v->verdict));
        if (v->tag != DFOPT_SYM_NONE) {
            pf_put(out, " ");
            pf_put(out, dfopt_dict_text(dict, v->tag, NULL));
        }
        if (v->knob != DFOPT_SYM_NONE)
            pf_put(out, " ");
        pf_put_key(dict, v->knob, v->node, out);
        if (v->verdict != DFOPT_VERDICT_PLANNED)
            continue;
        assert_true(plan < plans);
        const struct dfopt_plan *p =
            &DFOPT_ROW(&d->plans, struct dfopt_plan)[plan++];
        assert_int_equal(p->position, v->position);
        assert_int_equal(p->plan_id, v->seq << 16 | v->position);
        pf_put_move(dict, p, out);
    }
}

static inline void pf_put_acks(const struct dfopt_dict *dict,
                               const struct dfopt_decisions *d,
                               struct dfopt_buf *out)
{
    for (size_t i = 0; i < DFOPT_ROWS(&d->acks, struct dfopt_ack_row); i++) {
        const struct dfopt_ack_row *a =
            &DFOPT_ROW(&d->acks, struct dfopt_ack_row)[i];
        pf_put(out, out->len ? "; " : "");
        pf_put(out, dfopt_ack_outcome_name(a->outcome));
        if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED)
            continue;
        pf_put(out, " ");
        pf_put_key(dict, a->knob, a->node, out);
        pf_put(out, "=");
        pf_value_text(dict, a->value, out);
        if (a->window >= 0)
            assert_int_equal(dfopt_buf_printf(out, " at %" PRId64, a->window),
                             DFOPT_OK);
        pf_put(out, a->other_plan ? " other" : "");
    }
}

static inline void pf_put_relays(const struct dfopt_dict *dict,
                                 const struct dfopt_decisions *d,
                                 struct dfopt_buf *out)
{
    for (size_t i = 0; i < DFOPT_ROWS(&d->relays, struct dfopt_relay_row); i++) {
        const struct dfopt_relay_row *r =
            &DFOPT_ROW(&d->relays, struct dfopt_relay_row)[i];
        pf_put(out, out->len ? "; " : "");
        pf_put(out, dfopt_relay_outcome_name(r->outcome));
        if (r->outcome != DFOPT_RELAY_RELAYED)
            continue;
        pf_put(out, " ");
        pf_put(out, dfopt_dict_text(dict, r->knob, NULL));
        assert_int_equal(DFOPT_ROWS(&d->plans, struct dfopt_plan), 1);
        pf_put_move(dict, DFOPT_ROW(&d->plans, struct dfopt_plan), out);
    }
}

static inline void pf_put_suppressions(const struct dfopt_dict *dict,
                                       const struct dfopt_decisions *d,
                                       struct dfopt_buf *out)
{
    for (size_t i = 0;
         i < DFOPT_ROWS(&d->suppressions, struct dfopt_suppression_row); i++) {
        const struct dfopt_suppression_row *s =
            &DFOPT_ROW(&d->suppressions, struct dfopt_suppression_row)[i];
        pf_put(out, out->len ? "; " : "");
        pf_put(out, dfopt_suppression_action_name(s->action));
        pf_put(out, " ");
        pf_put(out, dfopt_dict_text(dict, s->tag, NULL));
    }
}

/* Fails, naming the case, unless the buffer holds the text. */
static inline void pf_check(const char *name, struct dfopt_buf *got,
                            const char *want)
{
    assert_int_equal(dfopt_buf_reserve(got, 1), DFOPT_OK);
    got->data[got->len] = '\0';
    if (strcmp(got->data, want) != 0)
        fail_msg("%s:\n  got  %s\n  want %s", name, got->data, want);
}

/* ---- state as text ---- */

struct pf_line {
    char text[200];
};

static inline int pf_by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Adds a line to an array of struct pf_line. */
static inline void pf_add_line(struct dfopt_buf *lines, struct dfopt_buf *text)
{
    struct pf_line *line = dfopt_buf_grow(lines, sizeof *line);
    assert_non_null(line);
    assert_true(text->len < sizeof line->text);
    memcpy(line->text, text->data, text->len);
    dfopt_buf_clear(text);
}

static inline void pf_state_lines(const struct dfopt_dict *dict,
                                  const struct dfopt_planner *planner, bool job,
                                  struct dfopt_buf *lines)
{
    struct dfopt_buf rows = {0}, suppressions = {0}, text = {0};
    char real[DFOPT_REAL_TEXT_SIZE];
    assert_int_equal(dfopt_planner_state(planner, job, &rows, &suppressions),
                     DFOPT_OK);
    for (size_t i = 0; i < DFOPT_ROWS(&rows, struct dfopt_state_row); i++) {
        const struct dfopt_state_row *r =
            &DFOPT_ROW(&rows, struct dfopt_state_row)[i];
        if (r->flags & DFOPT_STATE_VALUE) {
            pf_put_key(dict, r->knob, r->node, &text);
            pf_put(&text, "=");
            pf_value_text(dict, r->value, &text);
            pf_add_line(lines, &text);
        }
        if (r->flags & DFOPT_STATE_PENDING) {
            pf_put(&text, "pending=");
            pf_put_key(dict, r->knob, r->node, &text);
            assert_int_equal(
                dfopt_buf_printf(&text, "#%" PRIu64 ".%" PRIu64, r->plan_id >> 16,
                                 (r->plan_id & 0xffff) - DFOPT_POSITION_TAG),
                DFOPT_OK);
            pf_add_line(lines, &text);
        }
        if (r->flags & DFOPT_STATE_COOLDOWN) {
            pf_put(&text, "cool=");
            pf_put_key(dict, r->knob, r->node, &text);
            dfopt_real_text(r->cooldown_severity, real);
            assert_int_equal(dfopt_buf_printf(&text, "(%" PRId64 ",%s)",
                                              r->cooldown_window, real),
                             DFOPT_OK);
            pf_add_line(lines, &text);
        }
    }
    for (size_t i = 0;
         i < DFOPT_ROWS(&suppressions, struct dfopt_suppression_state); i++) {
        const struct dfopt_suppression_state *s =
            &DFOPT_ROW(&suppressions, struct dfopt_suppression_state)[i];
        dfopt_real_text(s->severity, real);
        assert_int_equal(
            dfopt_buf_printf(&text, "supp=%s(%" PRId64 ",%s,%s)",
                             dfopt_dict_text(dict, s->tag, NULL), s->window, real,
                             dfopt_dict_text(dict, s->finding_type, NULL)),
            DFOPT_OK);
        pf_add_line(lines, &text);
    }
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
    dfopt_buf_free(&text);
}

/* The lines, sorted, with blanks between. Frees them. */
static inline void pf_join_lines(struct dfopt_buf *lines, struct dfopt_buf *out)
{
    size_t n = DFOPT_ROWS(lines, struct pf_line);
    if (n)
        qsort(lines->data, n, sizeof(struct pf_line), pf_by_text);
    for (size_t i = 0; i < n; i++) {
        pf_put(out, out->len ? " " : "");
        pf_put(out, DFOPT_ROW(lines, struct pf_line)[i].text);
    }
    dfopt_buf_free(lines);
}

#endif
