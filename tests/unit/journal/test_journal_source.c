/* What a journal that was left behind gives back: the records that the log has not
 * got, in order; of one that is damaged nothing but what is wrong with it. */
#include "journal/source.h"
#include "support/unit.h"

#include "model/message.h"
#include "journal/line.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_SEQ 100 /* of the journal's lines */
#define LINES     12

static char path[] = "/tmp/dfopt-journal-source-XXXXXX";
static int fd;

/* ---- what it holds ---- */

static uint32_t stream_of(uint64_t seq)
{
    return (uint32_t)(seq % DFOPT_STREAM_COUNT);
}

static int body_of(uint64_t seq, char text[64])
{
    return snprintf(text, 64, "{\"window_index\":%d,\"scope\":\"node:n%d\"}",
                    (int)seq * 7, (int)seq % 5);
}

static void add_line(struct dfopt_buf *to, uint64_t seq)
{
    char body[64];
    struct dfopt_buf line = {0};
    struct dfopt_record rec = {.data = body, .len = (size_t)body_of(seq, body)};
    if (seq % 3 == 0) {
        rec.unit = DFOPT_OFFSET_EVENT_ID;
        rec.origin = "mofka:findings/0@12";
        rec.offset = seq * 2;
    }
    const struct dfopt_recorded r = {
        .record = &rec, .stream = stream_of(seq), .usable = true, .seq = seq};
    assert_int_equal(dfopt_record_line(&r, true, &line), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(to, line.data, line.len), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(to, "\n", 1), DFOPT_OK);
    dfopt_buf_free(&line);
}

static struct dfopt_buf whole_journal(void)
{
    struct dfopt_buf b = {0};
    for (uint64_t i = 0; i < LINES; i++)
        add_line(&b, FIRST_SEQ + i);
    return b;
}

/* How many of its lines end at or before `len`. */
static uint64_t lines_before(const struct dfopt_buf *b, size_t len)
{
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += b->data[i] == '\n';
    return n;
}

static void put_file(const char *bytes, size_t n)
{
    assert_int_equal(pwrite(fd, bytes, n, 0), (ssize_t)n);
    assert_int_equal(ftruncate(fd, (off_t)n), 0);
}

/* ---- reading ---- */

static enum dfopt_source_status end_of_all(struct dfopt_source *s, int timeout_ms,
                                           struct dfopt_record *rec,
                                           struct dfopt_error *err)
{
    (void)s;
    (void)timeout_ms;
    (void)rec;
    (void)err;
    return DFOPT_SOURCE_END;
}

static const struct dfopt_source_ops end_ops = {.next = end_of_all};
static struct dfopt_source nothing_more = {.ops = &end_ops};

static void assert_record(const struct dfopt_record *rec, uint64_t seq)
{
    char body[64];
    assert_int_equal(rec->stream, stream_of(seq));
    assert_int_equal(rec->len, body_of(seq, body));
    assert_memory_equal(rec->data, body, rec->len);
    if (seq % 3 == 0) {
        assert_int_equal(rec->unit, DFOPT_OFFSET_EVENT_ID);
        assert_string_equal(rec->origin, "mofka:findings/0@12");
        assert_int_equal(rec->offset, seq * 2);
    } else {
        assert_string_equal(rec->origin, path);
    }
}

/* Reads the file from record next_seq on. Returns the number of records, each as
 * it was written and behind the one before; -1: refused, and err says why. */
static int64_t read_from(uint64_t next_seq, struct dfopt_error *err)
{
    struct dfopt_source *s = NULL;
    struct dfopt_record rec;
    int64_t n = 0;
    *err = (struct dfopt_error){.text = ""};
    const enum dfopt_err e =
        dfopt_journal_source_create(&s, path, next_seq, &nothing_more, err);
    if (e) {
        assert_int_equal(e, DFOPT_ERR_FORMAT);
        assert_non_null(strstr(err->text, path));
        assert_null(s);
        return -1;
    }
    while (s->ops->next(s, 0, &rec, err) == DFOPT_SOURCE_RECORD)
        assert_record(&rec, next_seq + (uint64_t)n++);
    s->ops->destroy(s);
    return n;
}

/* ---- tests ---- */

static void test_goes_on(void **state)
{
    (void)state;
    struct dfopt_buf b = whole_journal();
    struct dfopt_error err;
    put_file(b.data, b.len);
    for (uint64_t has = 0; has <= LINES; has++)
        assert_int_equal(read_from(FIRST_SEQ + has, &err), LINES - has);
    assert_int_equal(read_from(FIRST_SEQ + LINES + 9, &err), 0);
    assert_int_equal(read_from(FIRST_SEQ - 1, &err), -1);
    assert_non_null(strstr(err.text, "begins with record 100"));
    dfopt_buf_free(&b);
}

/* A run that went on and was killed, too, has written lines once more. */
static void test_lines_twice(void **state)
{
    (void)state;
    struct dfopt_buf b = whole_journal();
    struct dfopt_error err;
    for (uint64_t i = 4; i < LINES; i++)
        add_line(&b, FIRST_SEQ + i);
    put_file(b.data, b.len);
    assert_int_equal(read_from(FIRST_SEQ + 4, &err), LINES - 4);
    dfopt_buf_free(&b);
}

static void test_missing_line(void **state)
{
    (void)state;
    struct dfopt_buf b = {0};
    struct dfopt_error err;
    add_line(&b, FIRST_SEQ);
    add_line(&b, FIRST_SEQ + 2);
    put_file(b.data, b.len);
    assert_int_equal(read_from(FIRST_SEQ, &err), -1);
    assert_non_null(strstr(err.text, ":2: records are missing"));
    assert_int_equal(read_from(FIRST_SEQ + 2, &err), 1); /* the log has them */
    dfopt_buf_free(&b);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct dfopt_buf b = whole_journal();
    struct dfopt_error err;
    for (size_t len = 0; len <= b.len; len++) {
        put_file(b.data, len);
        assert_int_equal(read_from(FIRST_SEQ, &err), lines_before(&b, len));
    }
    dfopt_buf_free(&b);
}

/* All that cannot be told from a cut is a last line without its newline. */
static void test_every_bit_flipped(void **state)
{
    (void)state;
    struct dfopt_buf b = whole_journal();
    struct dfopt_error err;
    put_file(b.data, b.len);
    for (size_t i = 0; i < b.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            const char byte = (char)(b.data[i] ^ 1 << bit);
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
            const int64_t n = read_from(FIRST_SEQ, &err);
            if (n != (i + 1 == b.len ? LINES - 1 : -1))
                fail_msg("byte %zu, bit %d: %d records", i, bit, (int)n);
            assert_int_equal(pwrite(fd, b.data + i, 1, (off_t)i), 1);
        }
    dfopt_buf_free(&b);
}

static void test_no_journal(void **state)
{
    (void)state;
    struct dfopt_error err;
    put_file("", 0);
    assert_int_equal(read_from(7, &err), 0);
    put_file("\n", 1);
    assert_int_equal(read_from(7, &err), -1);
    put_file("{\"stream\":\"ack\"}\n", 17);
    assert_int_equal(read_from(7, &err), -1);
}

static int make_file(void **state)
{
    (void)state;
    fd = mkstemp(path);
    return fd < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
    (void)state;
    close(fd);
    return unlink(path);
}

/* What could not be used comes back byte for byte, and is written so again. */
static void test_unusable(void **state)
{
    (void)state;
    static const struct {
        const char *data, *problem;
    } bad[] = {{"{\"severity_score\":NaN}", NULL},
               {"\"\\\b\f\n\r\t\x01/\xc3\xa9", NULL},
               {"\xff\n\"", NULL},
               {"", "the body is empty"},
               {"cut", "a \"problem\"\n"}};
    struct dfopt_buf all = {0}, line = {0}, again = {0};
    for (size_t i = 0; i < N_OF(bad); i++) {
        const struct dfopt_record rec = {.data = bad[i].data,
                                         .len = strlen(bad[i].data),
                                         .problem = bad[i].problem};
        const struct dfopt_recorded r = {
            .record = &rec, .stream = stream_of(i), .seq = FIRST_SEQ + i};
        assert_int_equal(dfopt_record_line(&r, true, &line), DFOPT_OK);
        assert_int_equal(dfopt_buf_add(&all, line.data, line.len), DFOPT_OK);
        assert_int_equal(dfopt_buf_add(&all, "\n", 1), DFOPT_OK);
    }
    put_file(all.data, all.len);
    struct dfopt_source *s;
    struct dfopt_record rec;
    assert_int_equal(
        dfopt_journal_source_create(&s, path, FIRST_SEQ, &nothing_more, NULL),
        DFOPT_OK);
    for (size_t i = 0; i < N_OF(bad); i++) {
        assert_int_equal(s->ops->next(s, 0, &rec, NULL), DFOPT_SOURCE_RECORD);
        assert_int_equal(rec.len, strlen(bad[i].data));
        assert_memory_equal(rec.data, bad[i].data, rec.len);
        assert_int_equal(rec.stream, stream_of(i));
        assert_int_equal(rec.problem != NULL, bad[i].problem != NULL);
        if (rec.problem)
            assert_string_equal(rec.problem, bad[i].problem);
        const struct dfopt_recorded r = {
            .record = &rec, .stream = stream_of(i), .seq = FIRST_SEQ + i};
        assert_int_equal(dfopt_record_line(&r, true, &line), DFOPT_OK);
        assert_int_equal(dfopt_buf_add(&again, line.data, line.len), DFOPT_OK);
        assert_int_equal(dfopt_buf_add(&again, "\n", 1), DFOPT_OK);
    }
    assert_int_equal(s->ops->next(s, 0, &rec, NULL), DFOPT_SOURCE_END);
    assert_int_equal(again.len, all.len);
    assert_memory_equal(again.data, all.data, all.len);
    s->ops->destroy(s);
    dfopt_buf_free(&all);
    dfopt_buf_free(&line);
    dfopt_buf_free(&again);
}

/* Escapes that this program does not write, behind a right checksum. */
static void test_bad_escapes(void **state)
{
    (void)state;
    static const char *const tails[] = {
        "\"raw\":\"\\u1234\"}", "\"raw\":\"\\u00\"}", "\"raw\":\"\\x\"}",
        "\"raw\":\"\\\"}",      "\"raw\":\"a",        "\"raw_hex\":\"abc\"}",
        "\"raw_hex\":\"xx\"}",  "\"problem\":\"p\"}", "\"raw\":\"\"}}"};
    for (size_t i = 0; i < N_OF(tails); i++) {
        char text[200];
        struct dfopt_source *s;
        struct dfopt_error err = {0};
        memset(text, ' ', DFOPT_RECORD_CHECK_BYTES);
        const int n =
            snprintf(text + DFOPT_RECORD_CHECK_BYTES, 150,
                     "\"seq\":%d,\"stream\":\"ack\",%s", FIRST_SEQ, tails[i]);
        const size_t len = DFOPT_RECORD_CHECK_BYTES + (size_t)n;
        dfopt_record_check(text, len);
        text[len] = '\n';
        put_file(text, len + 1);
        if (dfopt_journal_source_create(&s, path, FIRST_SEQ, &nothing_more, &err) !=
            DFOPT_ERR_FORMAT)
            fail_msg("%s was taken", tails[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_bad_escapes),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_lines_twice),
        cmocka_unit_test(test_missing_line),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_no_journal),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
