/* What follows from a finding's texts: its node, whether it is global, its
 * trend. */
#include "model/finding.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

struct scope_case {
    const char *scope, *node;
    bool global;
};

static void scopes(void **state)
{
    (void)state;
    const struct scope_case cases[] = {
        {"", "", false},
        {"window", "", false},
        {"epoch", "", false},
        {"app:epoch", "", false},
        {"reader_posix:window", "", false},
        {"node:h", "h", false},
        {"node:h:window", "h", false},
        {"node:h:reader_posix:epoch", "h", false},
        {"node:h:host_hash:host_hash", "h", false},
        {"node:h:", "h", false},
        {"node:", "", false},
        {"node::window", "", false},
        {"node", "", false},
        {"nodes:h", "", false},
        {"Node:h", "", false},
        {" node:h", "", false},
        {"node: h :x", " h ", false},
        {"node:global", "global", false},
        {"node:a/b.c-d", "a/b.c-d", false},
        {"layer:view:/p/lustre/x:y", "", false},
        {"layer:node:h", "", false},
        {"global", "", true},
        {"global:global", "", true},
        {"global:", "", false},
        {"global:global:", "", false},
        {"global:other", "", false},
        {"globalx", "", false},
        {"Global", "", false},
        {":global", "", false},
    };
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct scope_case *c = &cases[i];
        const char *node = NULL;
        size_t len = 99;
        dfopt_scope_node(c->scope, strlen(c->scope), &node, &len);
        if (len != strlen(c->node) || memcmp(node, c->node, len) != 0)
            fail_msg("scope `%s`: node `%.*s`", c->scope, (int)len, node);
        if (dfopt_scope_is_global(c->scope, strlen(c->scope)) != c->global)
            fail_msg("scope `%s`: global", c->scope);
        struct dfopt_finding f = {.scope = dfopt_dict_intern_z(dict, c->scope),
                                  .node = 77,
                                  .global = 77,
                                  .trend = 77};
        assert_int_equal(dfopt_finding_derive(dict, &f), DFOPT_OK);
        if (f.node != dfopt_dict_intern_z(dict, c->node) || f.global != c->global ||
            f.trend != DFOPT_TREND_OTHER)
            fail_msg("scope `%s`: derived", c->scope);
    }
    dfopt_dict_destroy(dict);
}

/* A scope is bytes of a length: what lies behind it does not count. */
static void scopes_end_where_they_end(void **state)
{
    (void)state;
    const char *node;
    size_t len;
    dfopt_scope_node("node:h:x", 6, &node, &len);
    assert_int_equal(len, 1);
    dfopt_scope_node("node:h", 5, &node, &len);
    assert_int_equal(len, 0);
    dfopt_scope_node("node:h", 4, &node, &len);
    assert_int_equal(len, 0);
    dfopt_scope_node("node:a\0b:x", 10, &node, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(node, "a\0b", 3);
    assert_true(dfopt_scope_is_global("globally", 6));
    assert_false(dfopt_scope_is_global("global\0", 7));
    assert_false(dfopt_scope_is_global("", 0));
}

static void trends(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum dfopt_trend want;
    } cases[] = {
        {"improving", DFOPT_TREND_IMPROVING},
        {"stable", DFOPT_TREND_STABLE},
        {"worsening", DFOPT_TREND_WORSENING},
        {"insufficient_data", DFOPT_TREND_OTHER},
        {"", DFOPT_TREND_OTHER},
        {"Stable", DFOPT_TREND_OTHER},
        {"improving ", DFOPT_TREND_OTHER},
    };
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_finding f = {.trend_text =
                                      dfopt_dict_intern_z(dict, cases[i].text)};
        assert_int_equal(dfopt_finding_derive(dict, &f), DFOPT_OK);
        if (f.trend != cases[i].want)
            fail_msg("trend `%s`: %d", cases[i].text, f.trend);
    }
    dfopt_dict_destroy(dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(scopes_end_where_they_end),
        cmocka_unit_test(trends),
    };
    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
