/* Resuming a log: what is copied, what is left out, what follows. */
#include "test_declog.h"

#include <sys/stat.h>

#define ROWS 20000 /* of verdicts: two whole chunks, and some */

static void commit(struct dfopt_declog *w, uint64_t next_seq)
{
    const struct dfopt_declog_position at = {.next_seq = next_seq,
                                             .origin = DFOPT_SYM_NONE};
    struct dfopt_error err = {.text = ""};
    if (dfopt_declog_commit(w, &at, true, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

static void register_one(struct dfopt_declog *w, uint64_t seq,
                         enum dfopt_registration_source source)
{
    const struct dfopt_registration none = {.n_knobs = 0};
    const struct dfopt_declog_registration in = {.seq = seq,
                                                 .source = source,
                                                 .body = "{}",
                                                 .body_len = 2,
                                                 .accepted = &none};
    assert_int_equal(dfopt_declog_registration(w, &in), DFOPT_OK);
}

/* Resumes the log at f->path. */
static struct dfopt_declog *must_resume(const struct fixture *f)
{
    struct dfopt_declog_options o = log_options(f->path, 1);
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog *w = NULL;
    struct dfopt_declog_reader *r = must_open(f->path);
    o.ranks = 3;
    if (dfopt_declog_resume(&w, f->dict, r, &o, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    dfopt_declog_reader_close(r);
    return w;
}

static uint64_t rows_of(const struct dfopt_declog_reader *r,
                        enum dfopt_declog_table table)
{
    return dfopt_declog_reader_rows(r, table);
}

static void copied(void **state)
{
    struct fixture *f = *state;
    for (int level = 0; level <= 9; level += 3) {
        struct dfopt_declog *w = must_create(f, level);
        register_one(w, 0, DFOPT_SOURCE_EVENT);
        assert_int_equal(add_verdicts(w, f, 0, ROWS), DFOPT_OK);
        commit(w, ROWS / 3 + 1);
        must_close(w, false);
        w = must_resume(f);
        assert_int_equal(dfopt_declog_compression(w), level);
        assert_int_equal(dfopt_declog_rows(w, DFOPT_TABLE_VERDICTS), ROWS);
        assert_int_equal(add_verdicts(w, f, ROWS, ROWS), DFOPT_OK);
        commit(w, 2 * ROWS / 3 + 1);
        must_close(w, true);

        struct dfopt_declog_reader *r = must_open(f->path);
        const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
        assert_int_equal(check_verdicts(r, f), 2 * ROWS);
        assert_int_equal(rows_of(r, DFOPT_TABLE_RUNS), 2);
        assert_int_equal(rows_of(r, DFOPT_TABLE_REGISTRATIONS), 1);
        assert_int_equal(run->ranks, 7); /* of the first run */
        assert_true(run->complete);
        struct dfopt_declog_run_row runs[2];
        assert_int_equal(
            dfopt_declog_reader_read(r, DFOPT_TABLE_RUNS, 0, 2, runs, NULL),
            DFOPT_OK);
        assert_int_equal(runs[1].ranks, 3);
        assert_int_equal(runs[1].seq, ROWS / 3 + 1);
        dfopt_declog_reader_close(r);
    }
}

/* Rows of events that were not complete when the log was left. */
static void left_out(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    register_one(w, 0, DFOPT_SOURCE_REGISTRY_FILE);
    register_one(w, 2, DFOPT_SOURCE_EVENT);
    assert_int_equal(add_verdicts(w, f, 0, 9000), DFOPT_OK); /* events 0..2999 */
    commit(w, 2000);
    register_one(w, 2000, DFOPT_SOURCE_EVENT);
    commit(w, 2000);
    must_close(w, false);
    w = must_resume(f);
    assert_int_equal(dfopt_declog_rows(w, DFOPT_TABLE_VERDICTS), 6000);
    assert_int_equal(dfopt_declog_rows(w, DFOPT_TABLE_REGISTRATIONS), 2);
    register_one(w, 2000, DFOPT_SOURCE_EVENT);
    assert_int_equal(add_verdicts(w, f, 6000, 3000), DFOPT_OK);
    commit(w, 3000);
    must_close(w, true);
    struct dfopt_declog_reader *r = must_open(f->path);
    assert_int_equal(check_verdicts(r, f), 9000);
    assert_int_equal(rows_of(r, DFOPT_TABLE_REGISTRATIONS), 3);
    dfopt_declog_reader_close(r);
}

/* The old log is as it was where the new one cannot be made. */
static void not_replaced(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    assert_int_equal(add_verdicts(w, f, 0, 10), DFOPT_OK);
    commit(w, 4);
    must_close(w, false);
    char path[400]; /* too long for the name of a file beside it */
    const char *name = strrchr(f->path, '/') + 1;
    snprintf(
        path, sizeof path, "%.*s%.*s", (int)(name - f->path), f->path, 250,
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    assert_int_equal(rename(f->path, path), 0);
    struct dfopt_declog_options o = log_options(path, 1);
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_reader *r = must_open(path);
    w = NULL;
    assert_int_equal(dfopt_declog_resume(&w, f->dict, r, &o, &err), DFOPT_ERR_IO);
    assert_null(w);
    assert_non_null(strstr(err.text, "name too long"));
    dfopt_declog_reader_close(r);
    assert_int_equal(rename(path, f->path), 0);
    r = must_open(f->path);
    assert_int_equal(check_verdicts(r, f), 10);
    dfopt_declog_reader_close(r);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(copied), CASE(left_out),
                                       CASE(not_replaced)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
