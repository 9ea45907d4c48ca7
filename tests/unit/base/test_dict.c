/* Interned strings and lists: of the authority, of a replica, and of both. */
#include "base/dict.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dfopt_dict *open_dict(bool replica)
{
    struct dfopt_dict *d = NULL;
    assert_int_equal(dfopt_dict_create(&d, replica), DFOPT_OK);
    assert_non_null(d);
    return d;
}

static void check_text(const struct dfopt_dict *d, dfopt_sym s, const char *want,
                       size_t len)
{
    size_t got;
    const char *text = dfopt_dict_text(d, s, &got);
    assert_int_equal(got, len);
    assert_memory_equal(text, want, len);
    assert_int_equal(text[len], '\0');
}

static void empty(void **state)
{
    (void)state;
    for (int replica = 0; replica < 2; replica++) {
        struct dfopt_dict *d = open_dict(replica);
        size_t n = 9;
        assert_int_equal(dfopt_dict_strings(d), 1);
        assert_int_equal(dfopt_dict_lists(d), 1);
        assert_int_equal(dfopt_dict_intern(d, "", 0), DFOPT_SYM_EMPTY);
        assert_int_equal(dfopt_dict_find(d, "", 0), DFOPT_SYM_EMPTY);
        assert_int_equal(dfopt_dict_intern_list(d, NULL, 0), DFOPT_LIST_EMPTY);
        check_text(d, DFOPT_SYM_EMPTY, "", 0);
        dfopt_dict_items(d, DFOPT_LIST_EMPTY, &n);
        assert_int_equal(n, 0);
        dfopt_dict_destroy(d);
    }
    dfopt_dict_destroy(NULL);
}

static void authority_counts_from_first_use(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(false);
    assert_int_equal(dfopt_dict_intern_z(d, "a"), 1);
    assert_int_equal(dfopt_dict_intern_z(d, "b"), 2);
    assert_int_equal(dfopt_dict_intern_z(d, "a"), 1);
    assert_int_equal(dfopt_dict_find(d, "b", 1), 2);
    assert_int_equal(dfopt_dict_find(d, "c", 1), DFOPT_SYM_NONE);
    assert_int_equal(dfopt_dict_strings(d), 3);
    assert_int_equal(dfopt_dict_intern(d, "abc", 1), 1);
    check_text(d, 2, "b", 1);
    dfopt_dict_destroy(d);
}

static void any_byte(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(false);
    dfopt_sym nul = dfopt_dict_intern(d, "\0", 1),
              two = dfopt_dict_intern(d, "\0\0", 2);
    dfopt_sym ab = dfopt_dict_intern(d, "a\0b", 3),
              ac = dfopt_dict_intern(d, "a\0c", 3);
    dfopt_sym a = dfopt_dict_intern(d, "a", 1),
              high = dfopt_dict_intern(d, "\xff\xfe", 2);
    const dfopt_sym all[] = {DFOPT_SYM_EMPTY, nul, two, ab, ac, a, high};
    for (size_t i = 0; i < N_OF(all); i++)
        for (size_t j = 0; j < i; j++)
            assert_true(all[i] != all[j]);
    check_text(d, nul, "\0", 1);
    check_text(d, ab, "a\0b", 3);
    check_text(d, high, "\xff\xfe", 2);
    assert_int_equal(dfopt_dict_find(d, "a\0c", 3), ac);
    dfopt_dict_destroy(d);
}

static void unknown_numbers(void **state)
{
    (void)state;
    const uint32_t unknown[] = {1,           1000,        0x7fffffffu,
                                0x80000000u, 0x80000007u, DFOPT_SYM_NONE};
    for (int replica = 0; replica < 2; replica++) {
        struct dfopt_dict *d = open_dict(replica);
        for (size_t i = 0; i < N_OF(unknown); i++) {
            size_t n = 9;
            check_text(d, unknown[i], "", 0);
            assert_string_equal(dfopt_dict_text(d, unknown[i], NULL), "");
            dfopt_dict_items(d, unknown[i], &n);
            assert_int_equal(n, 0);
        }
        dfopt_dict_destroy(d);
    }
}

static void texts_stay_where_they_are(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(false);
    const char *first = dfopt_dict_text(d, dfopt_dict_intern_z(d, "first"), NULL);
    for (int i = 0; i < 20000; i++) {
        char text[24];
        snprintf(text, sizeof text, "text %d", i);
        assert_int_equal(dfopt_dict_intern_z(d, text), i + 2);
    }
    assert_string_equal(first, "first");
    assert_ptr_equal(first, dfopt_dict_text(d, 1, NULL));
    assert_int_equal(dfopt_dict_find(d, "text 19999", 10), 20001);
    dfopt_dict_destroy(d);
}

static void lists(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(false);
    const dfopt_sym items[] = {5, 1, 5};
    size_t n;
    assert_int_equal(dfopt_dict_intern_list(d, items, 3), 1);
    assert_int_equal(dfopt_dict_intern_list(d, items, 2), 2);
    assert_int_equal(dfopt_dict_intern_list(d, items + 1, 2), 3);
    assert_int_equal(dfopt_dict_intern_list(d, items, 3), 1);
    assert_int_equal(dfopt_dict_lists(d), 4);
    const dfopt_sym *got = dfopt_dict_items(d, 1, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(got, items, sizeof items);
    /* a list and a text of the same bytes are apart */
    dfopt_dict_intern(d, (const char *)items, sizeof items);
    assert_int_equal(dfopt_dict_intern_list(d, items, 3), 1);
    /* a list of an empty string is not an empty list */
    const dfopt_sym blank = DFOPT_SYM_EMPTY;
    assert_int_equal(dfopt_dict_intern_list(d, &blank, 1), 4);
    dfopt_dict_items(d, 4, &n);
    assert_int_equal(n, 1);
    dfopt_dict_destroy(d);
}

static void authority_is_not_told(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(false);
    const dfopt_sym item = 0;
    assert_int_equal(dfopt_dict_define(d, 1, "a", 1), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_define_list(d, 1, &item, 1), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_strings(d), 1);
    assert_int_equal(dfopt_dict_find(d, "a", 1), DFOPT_SYM_NONE);
    dfopt_dict_destroy(d);
}

static void replica_is_told(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(true);
    assert_int_equal(dfopt_dict_define(d, 5, "e", 1), DFOPT_OK);
    assert_int_equal(dfopt_dict_define(d, 2, "b", 1), DFOPT_OK);
    assert_int_equal(dfopt_dict_find(d, "e", 1), 5);
    assert_int_equal(dfopt_dict_intern_z(d, "b"), 2);
    assert_int_equal(dfopt_dict_strings(d), 6);
    check_text(d, 3, "", 0); /* a gap */
    assert_int_equal(dfopt_dict_define(d, 3, "c\0", 2), DFOPT_OK);
    check_text(d, 3, "c\0", 2);
    dfopt_dict_destroy(d);
}

struct define_case {
    const char *name;
    dfopt_sym s;
    const char *text;
    enum dfopt_err want;
};

static void what_a_replica_refuses(void **state)
{
    (void)state;
    const struct define_case cases[] = {
        {"the same once more", 5, "e", DFOPT_OK},
        {"another text", 5, "f", DFOPT_ERR_ARG},
        {"a longer text", 5, "ee", DFOPT_ERR_ARG},
        {"a text that has a number", 6, "e", DFOPT_ERR_ARG},
        {"the empty text is 0", 6, "", DFOPT_ERR_ARG},
        {"0 is the empty text", 0, "e", DFOPT_ERR_ARG},
        {"0 told as it is", 0, "", DFOPT_OK},
        {"a local number", 0x80000000u, "z", DFOPT_ERR_ARG},
        {"no number", DFOPT_SYM_NONE, "z", DFOPT_ERR_ARG},
    };
    struct dfopt_dict *d = open_dict(true);
    assert_int_equal(dfopt_dict_define(d, 5, "e", 1), DFOPT_OK);
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct define_case *c = &cases[i];
        if (dfopt_dict_define(d, c->s, c->text, strlen(c->text)) != c->want)
            fail_msg("%s", c->name);
        check_text(d, 5, "e", 1);
        assert_int_equal(dfopt_dict_find(d, "e", 1), 5);
        assert_int_equal(dfopt_dict_strings(d), 6);
    }
    dfopt_dict_destroy(d);
}

static void local_numbers(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(true);
    dfopt_sym a = dfopt_dict_intern_z(d, "a"), b = dfopt_dict_intern_z(d, "b");
    assert_true(dfopt_sym_is_local(a) && dfopt_sym_is_local(b) && a != b);
    assert_false(dfopt_sym_is_local(DFOPT_SYM_NONE));
    assert_false(dfopt_sym_is_local(0x7fffffffu));
    assert_int_equal(dfopt_dict_intern_z(d, "a"), a);
    assert_int_equal(dfopt_dict_strings(d), 1);
    check_text(d, b, "b", 1);
    /* the authority's number takes over; the local one still has its text */
    assert_int_equal(dfopt_dict_define(d, 7, "a", 1), DFOPT_OK);
    assert_int_equal(dfopt_dict_find(d, "a", 1), 7);
    assert_int_equal(dfopt_dict_intern_z(d, "a"), 7);
    check_text(d, a, "a", 1);
    assert_true(dfopt_dict_same(d, a, 7));
    assert_true(dfopt_dict_same(d, 7, a));
    assert_false(dfopt_dict_same(d, b, 7));
    assert_true(dfopt_dict_same(d, b, b));
    dfopt_dict_destroy(d);
}

static void same(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(true);
    assert_int_equal(dfopt_dict_define(d, 1, "a", 1), DFOPT_OK);
    assert_int_equal(dfopt_dict_define(d, 2, "ab", 2), DFOPT_OK);
    dfopt_sym local = dfopt_dict_intern_z(d, "c");
    assert_true(dfopt_dict_same(d, 1, 1));
    assert_false(dfopt_dict_same(d, 1, 2));
    assert_false(dfopt_dict_same(d, 1, local));
    assert_false(dfopt_dict_same(d, local, local + 1));
    assert_false(dfopt_dict_same(d, DFOPT_SYM_NONE, DFOPT_SYM_EMPTY));
    dfopt_dict_destroy(d);
}

static void lists_of_a_replica(void **state)
{
    (void)state;
    struct dfopt_dict *d = open_dict(true);
    const dfopt_sym ab[] = {1, 2}, ba[] = {2, 1};
    size_t n;
    dfopt_list local = dfopt_dict_intern_list(d, ab, 2);
    assert_true(dfopt_sym_is_local(local));
    assert_int_equal(dfopt_dict_define_list(d, 4, ab, 2), DFOPT_OK);
    assert_int_equal(dfopt_dict_intern_list(d, ab, 2), 4);
    assert_memory_equal(dfopt_dict_items(d, local, &n), ab, sizeof ab);
    assert_int_equal(n, 2);
    assert_int_equal(dfopt_dict_define_list(d, 4, ba, 2), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_define_list(d, 5, ab, 2), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_define_list(d, 5, NULL, 0), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_define_list(d, 0, NULL, 0), DFOPT_OK);
    assert_int_equal(dfopt_dict_define_list(d, 0x80000001u, ba, 2), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_dict_lists(d), 5);
    dfopt_dict_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(authority_counts_from_first_use),
        cmocka_unit_test(any_byte),
        cmocka_unit_test(unknown_numbers),
        cmocka_unit_test(texts_stay_where_they_are),
        cmocka_unit_test(lists),
        cmocka_unit_test(authority_is_not_told),
        cmocka_unit_test(replica_is_told),
        cmocka_unit_test(what_a_replica_refuses),
        cmocka_unit_test(local_numbers),
        cmocka_unit_test(same),
        cmocka_unit_test(lists_of_a_replica),
    };
    return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
