/* Names of nodes: which of them are one, in the order in which they come. */
#include "planner/state/slots.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#define NAMES 8

static const struct {
    const char *name;
    const char *names[NAMES + 1];
    int nodes[NAMES]; /* of each name; from 1, the job being 0 */
} cases[] = {
    {"plain names", {"n1", "n2", "n1", "n11"}, {1, 2, 1, 3}},
    {"the job", {"", "n1", ""}, {0, 1, 0}},
    {"case", {"N1", "n1", "n1"}, {1, 1, 1}},
    {"a dot at the end", {"n1.", "n1", "N1."}, {1, 1, 1}},
    {"short, then full", {"n1", "n1.a.example", "N1.A.example."}, {1, 1, 1}},
    {"full, then short", {"n1.a.example", "n1", "n1.a.example"}, {1, 1, 1}},
    {"two domains", {"n1.a.example", "n1.b.example"}, {1, 2}},
    {"two domains, then short: a third",
     {"n1.a.example", "n1.b.example", "n1", "N1.", "n1.c.example"},
     {1, 2, 3, 3, 3}},
    {"short with one domain, then another",
     {"n1", "n1.a.example", "n1.b.example", "n1", "n1.A.example"},
     {1, 1, 2, 1, 1}},
    {"addresses", {"10.0.0.1", "10.0.0.2", "10", "10.0.0.1."}, {1, 2, 3, 1}},
    {"IPv6", {"fe80::1", "fe80::2", "FE80::1"}, {1, 2, 1}},
    {"dots alone", {".", "..", ".a", "a"}, {1, 1, 2, 3}},
    {"only ASCII has case", {"\xC3\x89", "\xC3\xA9"}, {1, 2}},
};

static uint32_t node_of(struct dfopt_slots *s, struct dfopt_dict *d,
                        const char *name)
{
    const dfopt_sym sym = dfopt_dict_intern_z(d, name);
    const uint32_t before = dfopt_slots_find_node(s, sym);
    const uint32_t nodes = s->n_nodes, at = dfopt_slots_node(s, sym);
    /* looking is not adding, and finds what adding finds */
    if (before != DFOPT_SYMMAP_NONE)
        assert_int_equal(before, at);
    else
        assert_int_equal(at, nodes);
    assert_int_equal(dfopt_slots_find_node(s, sym), at);
    return at;
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_dict *d;
        struct dfopt_slots s;
        assert_int_equal(dfopt_dict_create(&d, false), DFOPT_OK);
        assert_int_equal(dfopt_slots_init(&s, d), DFOPT_OK);
        for (size_t k = 0; cases[i].names[k]; k++) {
            const uint32_t at = node_of(&s, d, cases[i].names[k]);
            if (at != (uint32_t)cases[i].nodes[k])
                fail_msg("%s: %s is %u, not %d", cases[i].name, cases[i].names[k],
                         at, cases[i].nodes[k]);
        }
        dfopt_slots_free(&s);
        dfopt_dict_destroy(d);
    }
}

/* Without the rule each name is a node. */
static void test_as_given(void **state)
{
    (void)state;
    struct dfopt_dict *d;
    struct dfopt_slots s;
    assert_int_equal(dfopt_dict_create(&d, false), DFOPT_OK);
    assert_int_equal(dfopt_slots_init(&s, NULL), DFOPT_OK);
    assert_int_equal(node_of(&s, d, "n1"), 1);
    assert_int_equal(node_of(&s, d, "N1"), 2);
    assert_int_equal(node_of(&s, d, "n1.a.example"), 3);
    dfopt_slots_free(&s);
    dfopt_dict_destroy(d);
}

/* A label too long for a host's is compared as it stands. */
static void test_long_labels(void **state)
{
    (void)state;
    struct dfopt_dict *d;
    struct dfopt_slots s;
    char name[400];
    assert_int_equal(dfopt_dict_create(&d, false), DFOPT_OK);
    assert_int_equal(dfopt_slots_init(&s, d), DFOPT_OK);
    memset(name, 'x', 256);
    strcpy(name + 256, ".a");
    assert_int_equal(node_of(&s, d, name), 1);
    name[256] = '\0';
    assert_int_equal(node_of(&s, d, name), 2);
    name[255] = '\0';
    assert_int_equal(node_of(&s, d, name), 3);
    name[0] = 'X';
    assert_int_equal(node_of(&s, d, name), 3);
    dfopt_slots_free(&s);
    dfopt_dict_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_as_given),
                                       cmocka_unit_test(test_long_labels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
