/* The journal of a sweep: what a kill at any byte leaves is resumed. */
#include "engine/sweep/checkpoint.h"
#include "support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULTS 4

static const struct dfopt_sweep_key key = {
    .input = 1, .config = 2, .variants = 3, .knobs = 4};
static char path[] = "/tmp/dfopt-journal-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    strcpy(path + sizeof path - 7, "XXXXXX");
    const int fd = mkstemp(path);
    close(fd);
    unlink(path);
    return fd < 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

/* Result i: i + 1 times 5 bytes of its number. */
static size_t result(size_t i, char *bytes)
{
    memset(bytes, (int)('a' + i), 5 * (i + 1));
    return 5 * (i + 1);
}

static enum dfopt_err found(void *arg, const void *bytes, size_t len)
{
    size_t *n = arg;
    char want[64];
    assert_int_equal(len, result(*n, want));
    assert_memory_equal(bytes, want, len);
    assert_int_equal((uintptr_t)bytes % 8, 0);
    ++*n;
    return DFOPT_OK;
}

static void add(struct dfopt_sweep_journal *j, size_t from, size_t to)
{
    char bytes[64];
    for (size_t i = from; i < to; i++)
        assert_int_equal(dfopt_sweep_journal_add(j, bytes, result(i, bytes), NULL),
                         DFOPT_OK);
}

static size_t resume(struct dfopt_sweep_journal **j)
{
    size_t n = 0;
    struct dfopt_error err = {0};
    const enum dfopt_err e =
        dfopt_sweep_journal_resume(j, path, &key, found, &n, &err);
    if (e)
        fail_msg("%s", err.text);
    return n;
}

static long size_of(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (long)st.st_size;
}

static void write_whole(void)
{
    struct dfopt_sweep_journal *j;
    assert_int_equal(dfopt_sweep_journal_create(&j, path, &key, NULL), DFOPT_OK);
    add(j, 0, RESULTS);
    dfopt_sweep_journal_close(j);
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    struct dfopt_sweep_journal *j;
    size_t most = 0;
    write_whole();
    const long whole = size_of();
    for (long cut = whole; cut >= 64; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        struct dfopt_error err;
        size_t n = 0;
        const enum dfopt_err e =
            dfopt_sweep_journal_resume(&j, path, &key, found, &n, &err);
        if (e) { /* within the header */
            assert_int_equal(e, DFOPT_ERR_FORMAT);
            assert_non_null(strstr(err.text, path));
            break;
        }
        most = n > most ? n : most;
        add(j, n, RESULTS); /* it goes on behind what was whole */
        dfopt_sweep_journal_close(j);
        assert_int_equal(size_of(), whole);
        assert_int_equal(resume(&j), RESULTS);
        dfopt_sweep_journal_close(j);
    }
    assert_int_equal(most, RESULTS);
}

static void damage_ends_it(void **state)
{
    (void)state;
    struct dfopt_sweep_journal *j;
    write_whole();
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "?", 1, size_of() - 24), 1); /* of the last */
    close(fd);
    assert_int_equal(resume(&j), RESULTS - 1);
    dfopt_sweep_journal_close(j);
}

static void empty_file_is_a_beginning(void **state)
{
    (void)state;
    struct dfopt_sweep_journal *j;
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(resume(&j), 0);
    add(j, 0, 2);
    dfopt_sweep_journal_close(j);
    assert_int_equal(resume(&j), 2);
    dfopt_sweep_journal_close(j);
}

static void others_are_refused(void **state)
{
    (void)state;
    struct dfopt_sweep_journal *j;
    struct dfopt_error err;
    size_t n = 0;
    static const struct {
        struct dfopt_sweep_key key;
        const char *names;
    } cases[] = {
        {{9, 2, 3, 4}, "input"},
        {{1, 9, 3, 4}, "sweep"},
        {{1, 2, 9, 4}, "sweep"},
        {{1, 2, 3, 9}, "sweep"},
    };
    write_whole();
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(
            dfopt_sweep_journal_resume(&j, path, &cases[i].key, found, &n, &err),
            DFOPT_ERR_STATE);
        assert_non_null(strstr(err.text, cases[i].names));
    }
    assert_int_equal(n, 0);
    assert_int_equal(dfopt_sweep_journal_create(&j, path, &key, &err),
                     DFOPT_ERR_STATE);
    dfopt_sweep_journal_close(NULL);
}

static void one_at_a_time(void **state)
{
    (void)state;
    struct dfopt_sweep_journal *j, *other;
    struct dfopt_error err;
    size_t n = 0;
    assert_int_equal(dfopt_sweep_journal_create(&j, path, &key, NULL), DFOPT_OK);
    assert_int_equal(
        dfopt_sweep_journal_resume(&other, path, &key, found, &n, &err),
        DFOPT_ERR_STATE);
    assert_non_null(strstr(err.text, "another sweep"));
    dfopt_sweep_journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_path, remove_path)
        TEST(cut_at_every_byte),
        TEST(damage_ends_it),
        TEST(empty_file_is_a_beginning),
        TEST(others_are_refused),
        TEST(one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
