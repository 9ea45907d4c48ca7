/* Buffers, error texts, log lines. */
#include "base/buf.h"
#include "base/log.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

/* ---- buffers ---- */

static void buf_adds(void **state)
{
    (void)state;
    struct dfopt_buf b = {0};
    assert_int_equal(dfopt_buf_add(&b, NULL, 0), DFOPT_OK);
    assert_null(b.data);
    assert_int_equal(dfopt_buf_add(&b, "a\0b", 3), DFOPT_OK);
    assert_int_equal(dfopt_buf_printf(&b, "%d-%s", 7, "x"), DFOPT_OK);
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.data, "a\0b7-x", 7); /* printf leaves a NUL behind */
    size_t cap = b.cap;
    char *data = b.data;
    dfopt_buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    assert_ptr_equal(b.data, data);
    dfopt_buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.cap, 0);
    dfopt_buf_free(&b);
}

static void buf_grows(void **state)
{
    (void)state;
    struct dfopt_buf b = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t *row = dfopt_buf_grow(&b, sizeof *row);
        assert_non_null(row);
        assert_true(*row == 0);
        *row = i;
    }
    assert_int_equal(DFOPT_ROWS(&b, uint64_t), 5000);
    for (uint32_t i = 0; i < 5000; i++)
        assert_true(DFOPT_ROW(&b, uint64_t)[i] == i);
    dfopt_buf_clear(&b);
    uint64_t *again = dfopt_buf_grow(&b, sizeof *again);
    assert_true(*again == 0); /* zeroed though the memory was used before */
    dfopt_buf_free(&b);
    assert_non_null(dfopt_buf_grow(&b, 0));
    assert_int_equal(b.len, 0);
    dfopt_buf_free(&b);
}

static void buf_refuses_what_cannot_be(void **state)
{
    (void)state;
    struct dfopt_buf b = {0};
    assert_int_equal(dfopt_buf_add(&b, "abc", 3), DFOPT_OK);
    assert_int_equal(dfopt_buf_reserve(&b, SIZE_MAX), DFOPT_ERR_NOMEM);
    assert_int_equal(dfopt_buf_reserve(&b, SIZE_MAX / 2), DFOPT_ERR_NOMEM);
    assert_null(dfopt_buf_grow(&b, SIZE_MAX / 2));
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "abc", 3);
    dfopt_buf_free(&b);
}

/* ---- errors ---- */

static void error_texts(void **state)
{
    (void)state;
    struct dfopt_error e = {0};
    assert_int_equal(dfopt_error_set(&e, DFOPT_ERR_SCHEMA, "knob %s", "k"),
                     DFOPT_ERR_SCHEMA);
    assert_int_equal(e.code, DFOPT_ERR_SCHEMA);
    assert_string_equal(e.text, "knob k");
    dfopt_error_prefix(&e, "line %d", 7);
    assert_string_equal(e.text, "line 7: knob k");
    dfopt_error_prefix(&e, "%s", "f");
    assert_string_equal(e.text, "f: line 7: knob k");
    assert_int_equal(e.code, DFOPT_ERR_SCHEMA);
    assert_int_equal(dfopt_error_set(NULL, DFOPT_ERR_IO, "x"), DFOPT_ERR_IO);
    dfopt_error_prefix(NULL, "x");
    assert_string_equal(dfopt_err_text(DFOPT_OK), "no error");
    assert_string_equal(dfopt_err_text(DFOPT_ERR_INTERRUPTED), "interrupted");
    assert_string_equal(dfopt_err_text((enum dfopt_err)99), "unknown error");
    assert_string_equal(dfopt_err_text((enum dfopt_err) - 1), "unknown error");
}

static void error_texts_are_cut(void **state)
{
    (void)state;
    char many[2 * DFOPT_ERROR_TEXT_SIZE];
    struct dfopt_error e = {0};
    memset(many, 'm', sizeof many);
    many[sizeof many - 1] = '\0';
    dfopt_error_set(&e, DFOPT_ERR_IO, "%s", many);
    assert_int_equal(strlen(e.text), DFOPT_ERROR_TEXT_SIZE - 1);
    dfopt_error_prefix(&e, "p");
    assert_int_equal(strlen(e.text), DFOPT_ERROR_TEXT_SIZE - 1);
    assert_memory_equal(e.text, "p: mmm", 6);
}

/* A prefix of any length: what there is room for, and always an end. */
static void error_prefix_of_any_length(void **state)
{
    (void)state;
    char prefix[2 * DFOPT_ERROR_TEXT_SIZE];
    for (size_t n = 0; n < sizeof prefix; n++) {
        struct dfopt_error e = {.code = DFOPT_ERR_IO, .text = "the text"};
        memset(prefix, 'p', n);
        prefix[n] = '\0';
        dfopt_error_prefix(&e, "%s", prefix);
        size_t len = strnlen(e.text, sizeof e.text);
        if (len >= sizeof e.text)
            fail_msg("prefix of %zu: no end", n);
        size_t whole = n + strlen(": the text");
        if (whole < sizeof e.text &&
            (len != whole || strcmp(e.text + n, ": the text")))
            fail_msg("prefix of %zu: %s", n, e.text);
        if (whole >= sizeof e.text && len + 3 < sizeof e.text)
            fail_msg("prefix of %zu: cut to %zu", n, len);
        if (strspn(e.text, "p") != (n < len ? n : len))
            fail_msg("prefix of %zu: %s", n, e.text);
    }
}

/* ---- log lines ---- */

static int64_t noon(void)
{
    return 1769860800123456789; /* 2026-01-31T12:00:00.123456789Z */
}

struct line_case {
    const char *name;
    enum dfopt_log_level level;
    struct dfopt_field fields[4];
    const char *want;
};

static void log_lines_as_text(void **state)
{
    (void)state;
    const struct line_case cases[] = {
        {"no field", DFOPT_LOG_ERROR, {{.kind = DFOPT_FIELD_END}}, "error   e\n"},
        {"a text",
         DFOPT_LOG_INFO,
         {DFOPT_F_TEXT("a", "x"), {.kind = DFOPT_FIELD_END}},
         "info    e a=x\n"},
        {"a text with blanks",
         DFOPT_LOG_INFO,
         {DFOPT_F_TEXT("a", "x y"), {.kind = DFOPT_FIELD_END}},
         "info    e a=\"x y\"\n"},
        {"an empty text",
         DFOPT_LOG_INFO,
         {DFOPT_F_TEXT("a", ""), {.kind = DFOPT_FIELD_END}},
         "info    e a=\n"},
        {"control characters",
         DFOPT_LOG_WARNING,
         {DFOPT_F_TEXT("a", "x\ny\r\033[1m\t\x7f"), {.kind = DFOPT_FIELD_END}},
         "warning e a=x?y??[1m??\n"},
        {"UTF-8 stays",
         DFOPT_LOG_INFO,
         {DFOPT_F_TEXT("a", "d\xc3\xa9"), {.kind = DFOPT_FIELD_END}},
         "info    e a=d\xc3\xa9\n"},
        {"JSON stays as it is",
         DFOPT_LOG_INFO,
         {DFOPT_F_JSON("a", "{\"x\": [1, 2]}"), {.kind = DFOPT_FIELD_END}},
         "info    e a={\"x\": [1, 2]}\n"},
        {"numbers",
         DFOPT_LOG_DEBUG,
         {DFOPT_F_INT("i", -3),
          DFOPT_F_REAL("r", 0.5),
          DFOPT_F_BOOL("b", true),
          {.kind = DFOPT_FIELD_END}},
         "debug   e i=-3 r=0.5 b=true\n"},
        {"great and small numbers",
         DFOPT_LOG_DEBUG,
         {DFOPT_F_INT("i", INT64_MIN),
          DFOPT_F_REAL("r", 1e-300),
          DFOPT_F_BOOL("b", false),
          {.kind = DFOPT_FIELD_END}},
         "debug   e i=-9223372036854775808 r=1e-300 b=false\n"},
    };
    static const char when[] = "2026-01-31T12:00:00.123Z ";
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_buf out = {0};
        struct dfopt_log_line line = {.wall_ns = noon(),
                                      .level = cases[i].level,
                                      .event = "e",
                                      .fields = cases[i].fields};
        assert_int_equal(dfopt_log_format_text(&line, &out), DFOPT_OK);
        if (out.len != strlen(when) + strlen(cases[i].want) ||
            memcmp(out.data, when, strlen(when)) != 0 ||
            memcmp(out.data + strlen(when), cases[i].want, strlen(cases[i].want)) !=
                0)
            fail_msg("%s: %.*s", cases[i].name, (int)out.len, out.data);
        dfopt_buf_free(&out);
    }
}

/* A formatter appends: what stands in the buffer already stays as it is. */
static void log_lines_are_appended(void **state)
{
    (void)state;
    struct dfopt_buf out = {0};
    const struct dfopt_field none = {.kind = DFOPT_FIELD_END};
    struct dfopt_log_line line = {.event = "e", .fields = &none};
    assert_int_equal(dfopt_log_format_text(&line, &out), DFOPT_OK);
    assert_int_equal(dfopt_log_format_text(&line, &out), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&out, "", 1), DFOPT_OK);
    assert_string_equal(out.data, "1970-01-01T00:00:00.000Z debug   e\n"
                                  "1970-01-01T00:00:00.000Z debug   e\n");
    dfopt_buf_free(&out);
}

static void log_times(void **state)
{
    (void)state;
    const struct {
        int64_t ns;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {999, "1970-01-01T00:00:00.000000Z"},
        {1000, "1970-01-01T00:00:00.000001Z"},
        {1769860800123456789, "2026-01-31T12:00:00.123456Z"},
        {951782399999999999, "2000-02-28T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char text[32];
        dfopt_log_time(cases[i].ns, text);
        assert_string_equal(text, cases[i].want);
    }
}

static void log_levels(void **state)
{
    (void)state;
    static const char *const names[] = {"debug", "info", "warning", "error", "off"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(dfopt_log_level_name((enum dfopt_log_level)i),
                            names[i]);
    assert_string_equal(dfopt_log_level_name((enum dfopt_log_level)9), "unknown");
}

static void log_writes_what_is_enabled(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    struct dfopt_log log = {.out = out, .level = DFOPT_LOG_WARNING, .clock = noon};
    dfopt_log_event(&log, DFOPT_LOG_INFO, "no", DFOPT_F_INT("i", 1));
    dfopt_log_event(&log, DFOPT_LOG_WARNING, "one", DFOPT_F_INT("i", 1));
    dfopt_log_event(&log, DFOPT_LOG_ERROR, "two", DFOPT_F_INT("i", 2));
    dfopt_log_event(&log, DFOPT_LOG_OFF, "no", DFOPT_F_INT("i", 1));
    log.level = DFOPT_LOG_OFF;
    dfopt_log_event(&log, DFOPT_LOG_ERROR, "no", DFOPT_F_INT("i", 1));
    assert_false(dfopt_log_enabled(&log, DFOPT_LOG_OFF));
    fclose(out);
    assert_string_equal(text, "2026-01-31T12:00:00.123Z warning one i=1\n"
                              "2026-01-31T12:00:00.123Z error   two i=2\n");
    free(text);
    dfopt_buf_free(&log.line);

    log = (struct dfopt_log){.out = NULL, .level = DFOPT_LOG_DEBUG};
    assert_false(dfopt_log_enabled(&log, DFOPT_LOG_ERROR));
    dfopt_log_event(&log, DFOPT_LOG_ERROR, "no", DFOPT_F_INT("i", 1));
    assert_false(dfopt_log_enabled(NULL, DFOPT_LOG_ERROR));
    dfopt_log_event(NULL, DFOPT_LOG_ERROR, "no", DFOPT_F_INT("i", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_adds),
        cmocka_unit_test(buf_grows),
        cmocka_unit_test(buf_refuses_what_cannot_be),
        cmocka_unit_test(error_texts),
        cmocka_unit_test(error_texts_are_cut),
        cmocka_unit_test(error_prefix_of_any_length),
        cmocka_unit_test(log_lines_as_text),
        cmocka_unit_test(log_lines_are_appended),
        cmocka_unit_test(log_times),
        cmocka_unit_test(log_levels),
        cmocka_unit_test(log_writes_what_is_enabled),
    };
    return cmocka_run_group_tests_name("buf_log", tests, NULL, NULL);
}
