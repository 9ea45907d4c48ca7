/* The fast decoder against json-c's, which defines what is right: the same
 * verdict, the same error text, the same bits, and dictionaries that grow by the
 * same strings in the same order. DFOPT_FAST_SEED and DFOPT_FAST_ROUNDS (a
 * factor) in the environment make the random tests others, or longer. */

#include "fast_sides.h"
#include "fast_cases.h"
#include "fast_objectives.h"
#include "fast_records.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_oddities(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) /* again, with full caches */
        for (size_t i = 0; i < N_OF(oddities); i++)
            compare_both(oddities[i].at, oddities[i].len);
}

static void test_ordinary(void **state)
{
    (void)state;
    struct record r;
    char text[4096];
    seed_with(1);
    for (int i = 0; i < rounds(5000); i++) {
        make(&r);
        size_t len = render(&r, text, sizeof text);
        assert_int_equal(compare(-1, text, len), DFOPT_OK);
        compare(DFOPT_STREAM_FINDING, text, len);
#ifdef DFOPT_HAVE_SIMDJSON
        if (!taken(text, len))
            fail_msg("declined: %.*s", (int)len, text);
#else
        assert_false(taken(text, len));
#endif
    }
}

static void test_odd_values(void **state)
{
    (void)state;
    struct record r;
    char text[4096];
    seed_with(2);
    for (size_t v = 0; v < N_OF(odd_values); v++)
        for (size_t m = 0; m < MEMBERS; m++) {
            make(&r);
            snprintf(r.value[m], sizeof r.value[m], "%s", odd_values[v]);
            compare_both(text, render(&r, text, sizeof text));
        }
}

static void mutate_members(struct record *r)
{
    static const char *const keys[] = {"stream",      "body",       "scope",
                                       "scop",        "scopes",     "",
                                       "key_metrics", "persistence"};
    size_t at = below((uint32_t)r->n), to = below((uint32_t)r->n);
    switch (below(5)) {
    case 0: /* a value that is odd, or another member's */
        snprintf(r->value[at], sizeof r->value[at], "%s",
                 odd_values[below(N_OF(odd_values))]);
        break;
    case 1:
        memmove(r->value[at], r->value[to], sizeof r->value[at]);
        break;
    case 2: /* another order */
        memmove(r->key[r->n], r->key[at], sizeof r->key[0]);
        memmove(r->value[r->n], r->value[at], sizeof r->value[0]);
        memmove(r->key[at], r->key[to], sizeof r->key[0]);
        memmove(r->value[at], r->value[to], sizeof r->value[0]);
        memmove(r->key[to], r->key[r->n], sizeof r->key[0]);
        memmove(r->value[to], r->value[r->n], sizeof r->value[0]);
        break;
    case 3: /* a key that repeats */
        if (r->n < N_OF(r->key) - 1)
            put(r, r->key[at], "%s",
                below(2) ? r->value[to] : odd_values[below(N_OF(odd_values))]);
        break;
    default:
        if (below(2))
            snprintf(r->key[at], sizeof r->key[at], "%s", keys[below(N_OF(keys))]);
        else if (at != --r->n) {
            memcpy(r->key[at], r->key[r->n], sizeof r->key[at]);
            memcpy(r->value[at], r->value[r->n], sizeof r->value[at]);
        }
        break;
    }
}

static void test_members(void **state)
{
    (void)state;
    struct record r;
    char text[16384];
    seed_with(3);
    for (int i = 0; i < rounds(30000); i++) {
        make(&r);
        for (uint32_t n = below(6); n > 0; n--)
            mutate_members(&r);
        compare_both(text, render(&r, text, sizeof text));
    }
}

static void test_bytes(void **state)
{
    (void)state;
    static const char meant[] =
        "{}[]\",:0123456789e.-+\\unftN \t\n\r\f\0\x1a\x80\xc3\xff";
    struct record r;
    char text[4096];
    size_t len = 0;
    seed_with(4);
    for (int i = 0; i < rounds(200000); i++) {
        if (i % 4 == 0 || len < 2) {
            make(&r);
            r.n = below(3) ? 1 + below(MEMBERS) : r.n;
            len = render(&r, text, sizeof text - 8);
        } /* else one more on top of the last */
        size_t at = below((uint32_t)len);
        char c = below(4) ? meant[below(sizeof meant - 1)] : (char)below(256);
        switch (below(4)) {
        case 0: /* put in */
            memmove(text + at + 1, text + at, len - at);
            len++;
            text[at] = c;
            break;
        case 1: /* take out */
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
            break;
        default:
            text[at] = c;
            break;
        }
        compare(below(4) ? -1 : DFOPT_STREAM_FINDING, text, len);
    }
}

static void test_truncation(void **state)
{
    (void)state;
    struct record r;
    char text[4096];
    seed_with(5);
    for (int i = 0; i < 6; i++) {
        make(&r);
        size_t len = render(&r, text, sizeof text);
        for (size_t n = 0; n <= len; n++)
            compare_both(text, n);
    }
}

/* Around the limit, at each place where a value may be. */
static void test_depth(void **state)
{
    (void)state;
    static const char *const frames[][2] = {
        {"{\"x\":", "}"},
        {"{\"key_metrics\":{\"x\":", "}}"},
        {"{\"stream\":\"finding\",\"body\":{\"x\":", "}}"},
        {"{\"body\":{\"x\":", "},\"stream\":\"finding\"}"},
        {"{\"stream\":\"finding\",\"body\":{},\"note\":", "}"},
        {"{\"opportunity_tags\":[\"a\"],\"x\":", "}"},
    };
    static const char *const cores[] = {"", "1", "\"s\"", "{}", "{\"y\":[]}"};
    char text[512];
    for (size_t f = 0; f < N_OF(frames); f++)
        for (size_t c = 0; c < N_OF(cores); c++)
            for (int n = 26; n <= 35; n++) {
                int len = snprintf(
                    text, sizeof text, "%s%.*s%s%.*s%s", frames[f][0], n,
                    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", cores[c], n,
                    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", frames[f][1]);
                compare_both(text, (size_t)len);
            }
}

static void test_own_limits(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",
                                        "{\"a\":1}",
                                        "{\"a\": 1}",
                                        "{\"a\":  1}",
                                        "{\"a\":[]}",
                                        "{\"a\":{}}",
                                        "{\"opportunity_tags\":[]}",
                                        "{\"stream\":\"finding\",\"body\":{}}"};
    for (int depth = 1; depth <= 3; depth++)
        for (size_t bytes = 7; bytes <= 40; bytes++) {
            const struct dfopt_codec_limits limits = {.max_record_bytes = bytes,
                                                      .max_depth = depth};
            assert_int_equal(start(false, &limits), 0);
            for (size_t i = 0; i < N_OF(texts); i++)
                compare_both(texts[i], strlen(texts[i]));
            teardown(NULL);
        }
}

/* Longer than what the fast decoder keeps memory for, and lists, integers and
 * texts that are. */
static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,     1,     50,    51,    52,   53,
                                   54,    63,    64,    65,    4300, 4301,
                                   65500, 65520, 65530, 65540, 70000};
    char *text = malloc(1u << 20);
    assert_non_null(text);
    for (size_t i = 0; i < N_OF(sizes); i++) {
        size_t n = sizes[i];
        size_t len = (size_t)sprintf(text, "{\"scope\":\"node:%0*d\"}", (int)n, 7);
        compare_both(text, len);
        len = (size_t)sprintf(text, "{\"x\":1%0*d}", (int)n, 7);
        compare_both(text, len);
        len = (size_t)sprintf(text, "{\"confidence\":0.1%0*d}", (int)n, 7);
        compare_both(text, len);
        len = (size_t)sprintf(text, "{\"opportunity_tags\":[\"a\"");
        for (size_t t = 0; t < n && t < 5000; t++)
            len += (size_t)sprintf(text + len, ",\"t%zu\"", t % 7);
        len += (size_t)sprintf(text + len, "]}%*s", (int)(n % 3), "");
        compare_both(text, len);
    }
    free(text);
}

/* More scopes than the cache has places. */
static void test_many_scopes(void **state)
{
    (void)state;
    char text[128];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 50000; i++) {
            int len = snprintf(text, sizeof text,
                               "{\"scope\":\"node:n%d:window\",\"trend_direction\":"
                               "\"t%d\",\"opportunity_tags\":[\"tag%d\",\"x\"]}",
                               i, i % 9000, i % 700);
            compare(-1, text, (size_t)len);
        }
}

/* A motif that takes the scope's place in the cache, a tag that takes the
 * trend's: among so many some do. Neither may pass for what it replaced. */
static void test_texts_in_the_way(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"{\"scope\":\"node:a\",\"motif\":\"x%d\"}", "{\"scope\":\"x%d\"}"},
        {"{\"scope\":\"s\",\"trend_direction\":\"stable\","
         "\"opportunity_tags\":[\"y%d\"]}",
         "{\"scope\":\"s\",\"trend_direction\":\"y%d\"}"},
    };
    char text[128];
    for (size_t p = 0; p < N_OF(pairs); p++)
        for (int i = 0; i < 120000; i++)
            for (int k = 0; k < 2; k++) {
                int len = snprintf(text, sizeof text, pairs[p][k], i);
                compare(-1, text, (size_t)len);
            }
}

/* A replica's own number for a text gives way to the authority's. */
static void test_replica(void **state)
{
    (void)state;
    static const char text[] = "{\"scope\":\"node:a:w\",\"motif\":\"m\","
                               "\"opportunity_tags\":[\"s\",\"t\"]}";
    static const char *const defined[] = {
        "node:a:w", "insufficient_data", "m", "a", "s", "t"};
    struct side *sides[] = {&fast, &slow};
    assert_int_equal(start(true, NULL), 0);
    compare(-1, text, sizeof text - 1);
    for (uint32_t i = 0; i < N_OF(defined); i++) {
        for (int s = 0; s < 2; s++)
            assert_int_equal(dfopt_dict_define(sides[s]->dict, i + 1, defined[i],
                                               strlen(defined[i])),
                             DFOPT_OK);
        compare(-1, text, sizeof text - 1);
        compare(-1, text, sizeof text - 1);
    }
    for (int s = 0; s < 2; s++) {
        const dfopt_sym items[] = {5, 6};
        assert_int_equal(dfopt_dict_define_list(sides[s]->dict, 1, items, 2),
                         DFOPT_OK);
    }
    compare(-1, text, sizeof text - 1);
    struct dfopt_event event;
    assert_int_equal(
        dfopt_codec_decode(fast.codec, -1, text, sizeof text - 1, &event, NULL),
        DFOPT_OK);
    assert_int_equal(event.finding.scope, 1);
    assert_int_equal(event.finding.node, 4);
    assert_int_equal(event.finding.tags, 1);
    teardown(NULL);
}

/* An objective, as a body and as an event. `ordinary`: the fast decoder has to take
 * it. */
static void compare_objective(const struct record *r, bool ordinary)
{
    char text[16384];
    struct dfopt_objective o;
    size_t len = render_body(r, text, sizeof text);
    compare(DFOPT_STREAM_OBJECTIVE, text, len);
#ifdef DFOPT_HAVE_SIMDJSON
    if (ordinary &&
        !dfopt_objective_fast_decode(fast.codec->fast, text, len, false, &o))
        fail_msg("declined: %s", text);
#endif
    for (int how = 0; how < 3; how++) {
        len = render_event(r, how == 1, how == 2, text, sizeof text);
        compare(-1, text, len);
#ifdef DFOPT_HAVE_SIMDJSON
        if (ordinary && how < 2 &&
            !dfopt_objective_fast_decode(fast.codec->fast, text, len, true, &o))
            fail_msg("declined: %s", text);
#endif
    }
    (void)o;
    (void)ordinary;
}

static void test_objectives(void **state)
{
    (void)state;
    static const char *const keys[] = {"node",    "window_index", "value", "goal",
                                       "metrics", "stream",       "body",  "nodes"};
    struct record r;
    seed_with(6);
    for (int i = 0; i < rounds(3000); i++) {
        make_objective(&r);
        compare_objective(&r, true);
        for (uint32_t n = 1 + below(3); n > 0; n--)
            mutate_members(&r);
        compare_objective(&r, false);
    }
    for (size_t v = 0; v < N_OF(odd_values); v++)
        for (size_t k = 0; k < N_OF(keys); k++) {
            make_objective(&r);
            put(&r, keys[k], "%s", odd_values[v]);
            compare_objective(&r, false);
        }
}

/* Bytes put in, taken out and changed; and all that is cut off. */
static void test_objective_bytes(void **state)
{
    (void)state;
    static const char meant[] = "{}[]\",:0123456789e.-+\\unft \n\0\x80\xff";
    struct record r;
    char text[4096];
    seed_with(7);
    for (int i = 0; i < rounds(30000); i++) {
        make_objective(&r);
        const bool event = below(2);
        size_t len = event ? render_event(&r, below(2), below(8) == 0, text, 4000)
                           : render_body(&r, text, 4000);
        for (uint32_t n = 1 + below(3); n > 0; n--)
            text[below((uint32_t)len)] = meant[below(sizeof meant - 1)];
        len = below(8) ? len : below((uint32_t)len);
        compare(event ? -1 : DFOPT_STREAM_OBJECTIVE, text, len);
    }
}

static void test_null(void **state)
{
    (void)state;
    struct dfopt_finding f;
    bool enveloped;
    dfopt_finding_fast_destroy(NULL);
    assert_false(dfopt_finding_fast_decode(NULL, "{}", 2, true, &f, &enveloped));
    assert_false(taken("", 0));
    assert_false(taken("{", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_oddities, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ordinary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test(test_own_limits),
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_scopes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_objectives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_objective_bytes, setup, teardown),
        cmocka_unit_test(test_replica),
        cmocka_unit_test_setup_teardown(test_null, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
