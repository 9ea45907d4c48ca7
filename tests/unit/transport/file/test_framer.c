/* The framer: the same records whatever parts the input comes in. */

#include "base/buf.h"
#include "transport/file/framer.h"
#include "support/random.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t steps[] = {SIZE_MAX, 1, 2, 3, 5, 16, 61};
#define N_STEPS (N_OF(steps))

/* Appends "line@offset data" and, if there is one, " !problem". */
static void render(const struct dfopt_record *r, struct dfopt_buf *out)
{
    assert_int_equal(r->stream, -1);
    assert_non_null(r->data);
    dfopt_buf_printf(out, "%llu@%llu ", (unsigned long long)r->line,
                     (unsigned long long)r->offset);
    dfopt_buf_add(out, r->data, r->len);
    dfopt_buf_printf(out, "%s%s\n", r->problem ? " !" : "",
                     r->problem ? r->problem : "");
}

/* Frames a document that comes in parts of `step` bytes. Every window is a
 * block of its own and of exact size, so that the sanitizer sees each byte read
 * too far. late_end: the end shows only after the last bytes were looked at. */
static struct dfopt_buf frame(const char *text, size_t n, size_t max, size_t step,
                              bool late_end)
{
    struct dfopt_framer f;
    struct dfopt_buf out = {0};
    struct dfopt_record r;
    size_t given = step < n ? step : n, most = 0;
    char *block = malloc(given ? given : 1);
    assert_non_null(block);
    memcpy(block, text, given);
    struct dfopt_framer_window w = {block, given, given == n && !late_end};
    dfopt_framer_init(&f, max);
    for (;;) {
        enum dfopt_framer_status status = dfopt_framer_next(&f, &w, &r);
        if (status == DFOPT_FRAMER_RECORD) {
            render(&r, &out);
            continue;
        }
        if (status == DFOPT_FRAMER_END)
            break;
        assert_false(w.last);
        most = w.len > most ? w.len : most;
        size_t more = step < n - given ? step : n - given;
        char *next = malloc(w.len + more + 1);
        assert_non_null(next);
        memcpy(next, w.data, w.len);
        memcpy(next + w.len, text + given, more);
        free(block);
        block = next;
        given += more;
        w = (struct dfopt_framer_window){block, w.len + more,
                                         given == n && (!late_end || more == 0)};
    }
    assert_true(most <= max + 2);
    free(block);
    dfopt_buf_printf(&out, "%s", "");
    return out;
}

static void check(const char *name, const char *text, size_t n, size_t max,
                  const char *want)
{
    for (size_t i = 0; i < 2 * N_STEPS; i++) {
        struct dfopt_buf got = frame(text, n, max, steps[i / 2], i % 2 == 1);
        if (strcmp(got.data, want) != 0)
            fail_msg("%s, parts of %zd%s:\ngot:\n%swant:\n%s", name,
                     (ssize_t)steps[i / 2], i % 2 ? ", late end" : "", got.data,
                     want);
        dfopt_buf_free(&got);
    }
}

struct frame_case {
    const char *name, *text;
    size_t max; /* 0: 1000 */
    const char *want;
};

static const struct frame_case line_cases[] = {
    {"nothing", "", 0, ""},
    {"white space", " \t\r\n\n  ", 0, ""},
    {"one line", "{\"a\":1}\n", 0, "1@0 {\"a\":1}\n"},
    {"no newline at the end", "{}\n{\"b\":2}", 0, "1@0 {}\n2@3 {\"b\":2}\n"},
    {"CRLF", "{}\r\n{}\r\n", 0, "1@0 {}\n2@4 {}\n"},
    {"CR at the end", "{}\r", 0, "1@0 {}\n"},
    {"blank lines are counted", "\n \n{}\n\r\n\t\n{}\n", 0, "3@3 {}\n6@10 {}\n"},
    {"white space around", "  {} \n", 0, "1@2 {} \n"},
    {"byte order mark", "\xEF\xBB\xBF{}\n", 0, "1@3 {}\n"},
    {"byte order mark alone", "\xEF\xBB\xBF", 0, ""},
    {"half a byte order mark", "\xEF\xBB", 0, "1@0 \xEF\xBB\n"},
    {"byte order mark later", "{}\n\xEF\xBB\xBF{}", 0,
     "1@0 {}\n2@3 \xEF\xBB\xBF{}\n"},
    {"not JSON", "x,y\n]\n", 0, "1@0 x,y\n2@4 ]\n"},
    {"an array in a later line", "{}\n[1]\n", 0, "1@0 {}\n2@3 [1]\n"},
    {"limit: equal", "12345678\n1\n", 8, "1@0 12345678\n2@9 1\n"},
    {"limit: equal, CRLF", "12345678\r\n1\r\n", 8, "1@0 12345678\n2@10 1\n"},
    {"limit: equal, at the end", "12345678", 8, "1@0 12345678\n"},
    {"limit: equal, CR at the end", "12345678\r", 8, "1@0 12345678\n"},
    {"limit: one more", "123456789\n1\n", 8,
     "1@0 12345678 !longer than the record limit\n2@10 1\n"},
    {"limit: one more, CRLF", "123456789\r\n1\r\n", 8,
     "1@0 12345678 !longer than the record limit\n2@11 1\n"},
    {"limit: far more, at the end", "1234567890123456789012345", 8,
     "1@0 12345678 !longer than the record limit\n"},
    {"limit: two in a row", "1234567890\n1234567890\n\n1", 2,
     "1@0 12 !longer than the record limit\n"
     "2@11 12 !longer than the record limit\n4@23 1\n"},
    {"limit: CR within", "12\r4\n1", 2,
     "1@0 12 !longer than the record limit\n2@5 1\n"},
    {"limit: a long blank line", "                    \n1", 2, "2@21 1\n"},
};

static const struct frame_case array_cases[] = {
    {"empty", "[]", 0, ""},
    {"empty with white space", " \n[ \n ] \n", 0, ""},
    {"compact", "[1,{},[],\"\",null]", 0,
     "1@1 1\n2@3 {}\n3@6 []\n4@9 \"\"\n5@12 null\n"},
    {"pretty", "[\n  {\n    \"a\": 1\n  },\n  2\n]\n", 0,
     "1@4 {\n    \"a\": 1\n  }\n2@24 2\n"},
    {"byte order mark", "\xEF\xBB\xBF [1]", 0, "1@5 1\n"},
    {"nested", "[[1,[2,3]],{\"a\":[{}]}]", 0, "1@1 [1,[2,3]]\n2@11 {\"a\":[{}]}\n"},
    {"brackets in strings", "[{\"]\":\"},[{\"},\"],[\"]", 0,
     "1@1 {\"]\":\"},[{\"}\n2@14 \"],[\"\n"},
    {"escapes in strings", "[\"\\\"],\",\"\\\\\",{\"a\\\\\\\"}\":1},2]", 0,
     "1@1 \"\\\"],\"\n2@8 \"\\\\\"\n3@13 {\"a\\\\\\\"}\":1}\n4@26 2\n"},
    {"long strings", "[\"0123456789abcdef\\\"0123456789abcdef\",{\"01234567\":1}]",
     0, "1@1 \"0123456789abcdef\\\"0123456789abcdef\"\n2@38 {\"01234567\":1}\n"},
    {"an array file that was meant as lines", "[1,2]\n[3]\n", 0,
     "1@1 1\n2@3 2\n3@6 [3] !bytes after the end of the array\n"},
    {"empty element", "[1,,2]", 0,
     "1@1 1\n2@3  !an empty element in the array\n3@4 2\n"},
    {"empty elements", "[ , ]", 0,
     "1@2  !an empty element in the array\n2@4  !an empty element in the array\n"},
    {"comma at the end", "[1,]", 0, "1@1 1\n2@3  !an empty element in the array\n"},
    {"no comma", "[{} {} 1\"2\"]", 0,
     "1@1 {}\n2@4 {} !no comma before the element of the array\n"
     "3@7 1 !no comma before the element of the array\n"
     "4@8 \"2\" !no comma before the element of the array\n"},
    {"stray brace", "[},1}]", 0, "1@1 }\n2@3 1}\n"},
    {"mixed brackets", "[{\"a\":1],2]", 0, "1@1 {\"a\":1]\n2@9 2\n"},
    {"cut off: at once", "[", 0, "1@1  !the array is truncated\n"},
    {"cut off: after an object", "[{} ", 0,
     "1@1 {}\n2@4  !the array is truncated\n"},
    {"cut off: after a comma", "[{},", 0, "1@1 {}\n2@4  !the array is truncated\n"},
    {"cut off: in a number", "[1,23", 0, "1@1 1\n2@3 23 !the array is truncated\n"},
    {"cut off: in an escape", "[\"\\", 0, "1@1 \"\\ !the array is truncated\n"},
    {"after the end", "[1] x\n[2]", 0,
     "1@1 1\n2@4 x !bytes after the end of the array\n"},
    {"after the end, no line", "[1]]", 0,
     "1@1 1\n2@3 ] !bytes after the end of the array\n"},
    {"after the end, long", "[1]\n1234567890", 4,
     "1@1 1\n2@4 1234 !bytes after the end of the array\n"},
    {"limit: equal", "[\"12\",1234 ,{\"\"}]", 4,
     "1@1 \"12\"\n2@6 1234\n3@12 {\"\"}\n"},
    {"limit: more", "[\"123\",12345,{\"a\":[1,\"]\"]},5]", 4,
     "1@1 \"123 !longer than the record limit\n"
     "2@7 1234 !longer than the record limit\n"
     "3@13 {\"a\" !longer than the record limit\n4@27 5\n"},
    {"limit: more, then cut off", "[1,\"1234567", 4,
     "1@1 1\n2@3 \"123 !longer than the record limit\n3@11  !the array is "
     "truncated\n"},
    {"limit: white space does not count", "[1                    ,2]", 1,
     "1@1 1\n2@23 2\n"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(line_cases); i++) {
        const struct frame_case *c = &line_cases[i];
        check(c->name, c->text, strlen(c->text), c->max ? c->max : 1000, c->want);
    }
}

static void test_arrays(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(array_cases); i++) {
        const struct frame_case *c = &array_cases[i];
        check(c->name, c->text, strlen(c->text), c->max ? c->max : 1000, c->want);
    }
}

/* NUL and other odd bytes are bytes like any other. */
static void test_any_byte(void **state)
{
    (void)state;
    static const char text[] = "a\0b\n\xff\n";
    struct dfopt_buf got = frame(text, sizeof text - 1, 100, 1, false);
    assert_memory_equal(got.data, "1@0 a\0b\n2@4 \xff\n", got.len);
    dfopt_buf_free(&got);
}

/* However an array is cut, the elements before the cut are whole, and one record
 * tells of the cut. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF[ {\"a\":[1,{\"b\":\"]},\\\"[\"}]}, "
                               "\"x\\\\\",\n-1.5e3 ,[[]]\n]\n";
    size_t n = sizeof text - 1;
    const char *close = strrchr(text, ']');
    struct dfopt_buf whole = frame(text, n, 1000, SIZE_MAX, false);
    for (size_t cut = 4; cut <= (size_t)(close - text); cut++) {
        struct dfopt_buf got = frame(text, cut, 1000, SIZE_MAX, false);
        char *last = got.data; /* the start of the last record */
        for (char *p = got.data; p < got.data + got.len - 1; p++)
            if (*p == '\n')
                last = p + 1;
        if (!strstr(last, " !the array is truncated\n") ||
            strncmp(got.data, whole.data, (size_t)(last - got.data)) != 0)
            fail_msg("cut at %zu:\n%s", cut, got.data);
        check("cut", text, cut, 1000, got.data);
        dfopt_buf_free(&got);
    }
    dfopt_buf_free(&whole);
}

static void add_value(struct dfopt_buf *b, uint64_t *seed, unsigned depth)
{
    static const char *const leaves[] = {
        "1",
        "-2.5e-3",
        "true",
        "null",
        "\"\"",
        "\"a]b\"",
        "\"\\\\\"",
        "\"\\\"[{\"",
        "\"\\u00e9,\\\\\\\"\"",
        "[]",
        "{}",
        "NaN",
        "\"a longer text, which has more than a word of bytes \\n in it\""};
    uint32_t kind = random_below(seed, depth > 3 ? 1 : 3);
    if (kind == 0) {
        dfopt_buf_printf(b, "%s", leaves[random_below(seed, N_OF(leaves))]);
        return;
    }
    uint32_t n = random_below(seed, 4);
    dfopt_buf_printf(b, "%c", kind == 1 ? '[' : '{');
    for (uint32_t i = 0; i < n; i++) {
        dfopt_buf_printf(b, "%s%s", i ? ", " : "", kind == 1 ? "" : "\"k}\\\"\": ");
        add_value(b, seed, depth + 1);
    }
    dfopt_buf_printf(b, "%c", kind == 1 ? ']' : '}');
}

static void add_white(struct dfopt_buf *b, uint64_t *seed, bool newlines)
{
    for (uint32_t n = random_below(seed, 4); n > 0; n--)
        dfopt_buf_printf(b, "%c", " \t\n\r"[random_below(seed, newlines ? 4 : 2)]);
}

/* Random documents: the values that were put in come out, with their places. */
static void test_random_documents(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 400; round++) {
        uint64_t seed = round;
        struct dfopt_buf doc = {0}, want = {0}, value = {0};
        bool array = random_below(&seed, 2) == 0;
        uint32_t n = 1 + random_below(&seed, 12);
        dfopt_buf_printf(&want, "%s", array ? "" : "1@0 {}\n");
        dfopt_buf_printf(&doc, "%s", array ? "[" : "{}\n");
        for (uint32_t i = 0; i < n; i++) {
            size_t max = 100;
            dfopt_buf_clear(&value);
            add_value(&value, &seed, 0);
            add_white(&doc, &seed, array);
            size_t len = value.len < max ? value.len : max;
            dfopt_buf_printf(&want, "%u@%zu %.*s%s\n", array ? i + 1 : i + 2,
                             doc.len, (int)len, value.data,
                             value.len > max ? " !longer than the record limit"
                                             : "");
            dfopt_buf_printf(&doc, "%s", value.data);
            if (array)
                add_white(&doc, &seed, true);
            dfopt_buf_printf(&doc, "%s", array ? (i + 1 < n ? "," : "]") : "\r\n");
        }
        char name[32];
        snprintf(name, sizeof name, "document %d", (int)round);
        check(name, doc.data, doc.len, 100, want.data);
        dfopt_buf_free(&doc);
        dfopt_buf_free(&want);
        dfopt_buf_free(&value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_random_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
