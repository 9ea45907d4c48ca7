/* What the tests of frames share. */
#include "frame_ends.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int ends_setup(void **state)
{
    struct ends *t = calloc(1, sizeof *t);
    assert_non_null(t);
    assert_int_equal(dfopt_dict_create(&t->authority, false), DFOPT_OK);
    assert_int_equal(dfopt_dict_create(&t->replica, true), DFOPT_OK);
    dfopt_dict_intern_z(t->authority, "not for the peer");
    *state = t;
    return 0;
}

int ends_teardown(void **state)
{
    struct ends *t = *state;
    dfopt_frame_known_free(&t->told);
    dfopt_frame_translation_free(&t->own);
    dfopt_buf_free(&t->bytes);
    dfopt_buf_free(&t->defined);
    dfopt_dict_destroy(t->authority);
    dfopt_dict_destroy(t->replica);
    free(t);
    return 0;
}

void must(const char *name, enum dfopt_err e)
{
    if (e)
        fail_msg("%s: %s", name, dfopt_err_text(e));
}

dfopt_sym sym(struct dfopt_dict *d, const char *text)
{
    return dfopt_dict_intern_z(d, text);
}

void must_begin(struct ends *t, const struct dfopt_dict *dict,
                struct dfopt_frame_known *told)
{
    must(t->name, dfopt_frame_begin(&t->f, &t->bytes, dict, told));
}

void must_read(struct ends *t, struct dfopt_frame_reader *r)
{
    struct dfopt_error err = {0};
    if (dfopt_frame_open(r, t->bytes.data, t->bytes.len, &err))
        fail_msg("%s: %s", t->name, err.text);
}

void must_next(struct ends *t, struct dfopt_frame_reader *r,
               struct dfopt_item *item)
{
    enum dfopt_err e;
    for (;;) {
        if (!dfopt_frame_next(r, item, &e))
            fail_msg("%s: no item (%s)", t->name, dfopt_err_text(e));
        if (item->kind != DFOPT_ITEM_STRING && item->kind != DFOPT_ITEM_LIST)
            return;
        must(t->name, dfopt_item_define(t->replica, item));
        t->lists += item->kind == DFOPT_ITEM_LIST;
        if (item->kind == DFOPT_ITEM_STRING)
            must(t->name,
                 dfopt_buf_printf(&t->defined, "%.*s|", (int)item->size - 4,
                                  (const char *)item->data + 4));
    }
}

void must_end(struct ends *t, struct dfopt_frame_reader *r)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_frame_next(r, &item, &e) || e)
        fail_msg("%s: the frame does not end (%s)", t->name, dfopt_err_text(e));
}

void mend(char *bytes, size_t len)
{
    struct dfopt_frame_header h;
    memcpy(&h, bytes, sizeof h);
    h.length = len - sizeof h;
    h.checksum = 0;
    h.checksum = XXH3_64bits_withSeed(bytes + sizeof h, len - sizeof h,
                                      XXH3_64bits(&h, sizeof h));
    memcpy(bytes, &h, sizeof h);
}

void add_kinds(struct ends *t)
{
    for (size_t i = 0; i < N_KINDS; i++)
        must(t->name, kinds[i].add(t));
}

void whole_frame(struct ends *t)
{
    must_begin(t, t->authority, &t->told);
    add_kinds(t);
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 3);
}

/* ---- rows from the replica ---- */

void rows_free(struct rows *r)
{
    dfopt_decisions_free(&r->d);
    dfopt_buf_free(&r->state);
    dfopt_buf_free(&r->suppressions);
    dfopt_buf_free(&r->commanded);
}

static void add_row(struct dfopt_buf *b, const void *row, size_t n)
{
    assert_int_equal(dfopt_buf_add(b, row, n), DFOPT_OK);
}

void rows_of(struct rows *r, dfopt_sym known, dfopt_sym new, dfopt_sym newer,
             dfopt_sym last)
{
    const struct dfopt_verdict_row v = {
        .seq = 1, .verdict = DFOPT_VERDICT_PLANNED, .tag = known, .value = 2};
    const struct dfopt_plan p[] = {{.seq = 1,
                                    .knob = known,
                                    .old_value = dfopt_value_str(known),
                                    .new_value = dfopt_value_str(new)},
                                   {.seq = 2,
                                    .old_value = dfopt_value_str(newer),
                                    .new_value = dfopt_value_int(8)}};
    const struct dfopt_suppression_row s = {
        .seq = 2, .tag = known, .severity = 0.5};
    const struct dfopt_ack_row a = {
        .seq = 3, .knob = known, .value = dfopt_value_str(newer)};
    const struct dfopt_relay_row l = {
        .seq = 4, .knob = known, .new_value = dfopt_value_str(known)};
    const struct dfopt_state_row st[] = {
        {.knob = known, .value = dfopt_value_str(last)},
        {.knob = known, .value = dfopt_value_null()}};
    const struct dfopt_suppression_state ss = {.tag = known, .window = 9};
    const struct dfopt_commanded_row c[] = {
        {.kind = DFOPT_COMMANDED_MODE, .name = known},
        {.kind = DFOPT_COMMANDED_PROPOSAL,
         .id = 8,
         .name = known,
         .old = dfopt_value_str(known),
         .new = dfopt_value_str(newer)}};
    *r = (struct rows){0};
    add_row(&r->d.verdicts, &v, sizeof v);
    add_row(&r->d.plans, p, sizeof p);
    add_row(&r->d.suppressions, &s, sizeof s);
    add_row(&r->d.acks, &a, sizeof a);
    add_row(&r->d.relays, &l, sizeof l);
    add_row(&r->state, st, sizeof st);
    add_row(&r->suppressions, &ss, sizeof ss);
    add_row(&r->commanded, c, sizeof c);
}
