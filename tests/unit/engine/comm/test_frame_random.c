/* Frames of bytes at random. DFOPT_FRAME_SEED in the environment makes the test
 * another. */
#include "frame_ends.h"
#include "support/random.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MUTATIONS 100000

/* Looks at every byte of what an item became. */
static volatile uint64_t sink;

static void look(const void *bytes, size_t n)
{
    sink ^= XXH3_64bits(bytes, n);
}

static enum dfopt_err look_at_registration(const struct dfopt_item *item)
{
    struct dfopt_registration r;
    uint64_t seq;
    enum dfopt_err e = dfopt_item_registration(item, &seq, &r);
    if (e)
        return e;
    for (size_t i = 0; i < r.n_knobs; i++) {
        look(&r.knobs[i], sizeof *r.knobs);
        look(r.knobs[i].values, r.knobs[i].n_values * sizeof *r.knobs->values);
        look(r.knobs[i].responses,
             r.knobs[i].n_responses * sizeof *r.knobs->responses);
    }
    dfopt_registration_clear(&r);
    return DFOPT_OK;
}

static enum dfopt_err look_at_config(const struct dfopt_item *item)
{
    struct dfopt_policy p;
    struct dfopt_frame_config c;
    enum dfopt_err e = dfopt_item_config(item, &p, &c);
    if (e)
        return e;
    look(p.overrides, p.n_overrides * sizeof *p.overrides);
    dfopt_policy_clear(&p);
    return DFOPT_OK;
}

static enum dfopt_err look_at_finding(const struct dfopt_dict *d,
                                      const struct dfopt_item *item)
{
    const struct dfopt_finding_row *row;
    size_t n;
    enum dfopt_err e = dfopt_item_finding(item, &row);
    if (e)
        return e;
    look(row, sizeof *row);
    const char *text = dfopt_dict_text(d, row->f.type, &n);
    look(text, n);
    const dfopt_sym *items = dfopt_dict_items(d, row->f.tags, &n);
    for (size_t i = 0; i < n; i++)
        look(dfopt_dict_text(d, items[i], NULL), 1);
    return DFOPT_OK;
}

/* Takes an item at both ends, as whoever receives it may be made to. */
static enum dfopt_err take_item(struct ends *t, const struct dfopt_item *item,
                                struct rows *rows)
{
    struct dfopt_global_plan g;
    struct dfopt_ack a;
    uint64_t seq;
    uint32_t number;
    switch (item->kind) {
    case DFOPT_ITEM_STRING:
    case DFOPT_ITEM_LIST:
        if (item->size >= sizeof number) {
            memcpy(&number, item->data, sizeof number);
            if ((number & 0x7fffffffu) >> 16) /* a table as long as that */
                return DFOPT_OK;
            if (item->kind == DFOPT_ITEM_STRING && number >> 31)
                return dfopt_item_rows(item, t->authority, &t->own, &rows->d,
                                       &rows->state, &rows->suppressions,
                                       &rows->commanded);
        }
        return dfopt_item_define(t->replica, item);
    case DFOPT_ITEM_FINDING:
        return look_at_finding(t->replica, item);
    case DFOPT_ITEM_ACK:
        return dfopt_item_ack(item, &seq, &a);
    case DFOPT_ITEM_GLOBAL_PLAN:
        return dfopt_item_global_plan(item, &seq, &g);
    case DFOPT_ITEM_REGISTRATION:
        return look_at_registration(item);
    case DFOPT_ITEM_CONFIG:
        return look_at_config(item);
    default:
        return dfopt_item_rows(item, t->authority, &t->own, &rows->d, &rows->state,
                               &rows->suppressions, &rows->commanded);
    }
}

/* One mutated frame. Returns what it came to. */
static enum dfopt_err take_frame(struct ends *t, const char *bytes, size_t len)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    struct rows rows = {0};
    enum dfopt_err e;
    assert_int_equal(dfopt_frame_open(&r, bytes, len, NULL), DFOPT_OK);
    while (dfopt_frame_next(&r, &item, &e)) {
        enum dfopt_err taken = take_item(t, &item, &rows);
        if (taken && taken != DFOPT_ERR_FORMAT && taken != DFOPT_ERR_NOMEM)
            fail_msg("item of kind %u: %s", item.kind, dfopt_err_text(taken));
    }
    look(rows.d.plans.data, rows.d.plans.len);
    look(rows.state.data, rows.state.len);
    rows_free(&rows);
    return e;
}

/* Rows and everything else in one frame; what a replica sends is in it too. */
static void mixed_frame(struct ends *t, struct dfopt_frame_known *told)
{
    struct rows sent;
    rows_of(&sent, sym(t->replica, "one"), sym(t->replica, "two"),
            sym(t->replica, "three"), sym(t->replica, "four"));
    must_begin(t, t->authority, &t->told);
    add_kinds(t);
    t->f.dict = t->replica;
    t->f.known = told;
    must(t->name, dfopt_frame_decisions(&t->f, &sent.d));
    must(t->name, dfopt_frame_state(&t->f, &sent.state, &sent.suppressions,
                                    &sent.commanded));
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 3);
    rows_free(&sent);
}

static void mutate(char *bytes, size_t len, uint64_t *seed)
{
    static const unsigned char edges[] = {0, 1, 7, 8, 0x7f, 0x80, 0xff};
    for (uint64_t n = random_next(seed) % 6 + 1; n > 0; n--) {
        const size_t at = random_next(seed) % len;
        const uint64_t r = random_next(seed);
        bytes[at] = (char)(r & 256 ? edges[r % N_OF(edges)] : r & 255);
    }
}

/* With a header that fits, whatever the items' bytes are, reading them ends in
 * one of three ways, and never behind the frame. */
static void random_bytes(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_known told = {0};
    const char *given = getenv("DFOPT_FRAME_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
    const size_t skip = sizeof(struct dfopt_frame_header);
    size_t broken = 0;
    t->name = "random bytes";
    mixed_frame(t, &told);
    char *copy = malloc(t->bytes.len);
    assert_non_null(copy);
    for (size_t i = 0; i < MUTATIONS; i++) {
        if (i % 512 == 0) { /* what was learnt by mistake is forgotten */
            dfopt_dict_destroy(t->replica);
            must(t->name, dfopt_dict_create(&t->replica, true));
            dfopt_frame_translation_free(&t->own);
        }
        memcpy(copy, t->bytes.data, t->bytes.len);
        mutate(copy + skip, t->bytes.len - skip, &seed);
        mend(copy, t->bytes.len);
        broken += take_frame(t, copy, t->bytes.len) != DFOPT_OK;
    }
    assert_true(broken > 0 && broken < MUTATIONS);
    free(copy);
    dfopt_frame_known_free(&told);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, ends_setup, ends_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
