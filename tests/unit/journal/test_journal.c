/* The journal: whole lines, emptied and removed, and what a full disk leaves. */
#include "journal/journal.h"
#include "support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char path[] = "/tmp/dfopt-journal-XXXXXX";

static void assert_file(const char *expected)
{
    char text[4096] = "";
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_int_equal(n, strlen(expected));
    assert_string_equal(text, expected);
}

static struct dfopt_journal *create(void)
{
    struct dfopt_journal *j = NULL;
    assert_int_equal(dfopt_journal_create(&j, path, false, NULL), DFOPT_OK);
    return j;
}

static void test_lines(void **state)
{
    (void)state;
    struct dfopt_journal *j = create();
    assert_int_equal(dfopt_journal_add(j, "one", 3), DFOPT_OK);
    assert_file("");
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_int_equal(dfopt_journal_add(j, "two", 3), DFOPT_OK);
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_file("one\ntwo\n");
    assert_int_equal(dfopt_journal_add(j, "forgotten", 9), DFOPT_OK);
    assert_int_equal(dfopt_journal_cut(j, NULL), DFOPT_OK);
    assert_int_equal(dfopt_journal_add(j, "", 0), DFOPT_OK);
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_file("\n");
    dfopt_journal_close(j, false);
    assert_file("\n");
    j = create();
    assert_file("");
    dfopt_journal_close(j, true);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_errors(void **state)
{
    (void)state;
    struct dfopt_journal *j = NULL;
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_journal_create(&j, "/nonexistent/x", false, &err),
                     DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/x"));
    assert_null(j);
    dfopt_journal_close(NULL, true);
}

/* What does not fit is not half there, and fits once there is room. */
static void test_no_room(void **state)
{
    (void)state;
    struct dfopt_journal *j = create();
    struct dfopt_error err = {0};
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    const struct rlimit tight = {10, old.rlim_max};
    assert_int_equal(dfopt_journal_add(j, "first", 5), DFOPT_OK);
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_int_equal(dfopt_journal_add(j, "second", 6), DFOPT_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(dfopt_journal_write(j, &err), DFOPT_ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_file("first\n");
    assert_int_equal(dfopt_journal_write(j, NULL), DFOPT_OK);
    assert_file("first\nsecond\n");
    dfopt_journal_close(j, true);
}

static int make_path(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    signal(SIGXFSZ, SIG_IGN);
    return fd < 0 ? -1 : close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, make_path, NULL);
}
