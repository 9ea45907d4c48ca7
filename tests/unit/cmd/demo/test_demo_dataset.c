/* The files of the demonstration's loader: made whole, read back, and every kind of
 * damage told with file and record. */
#include "support/transport_files.h"

#include "cmd/demo/audit.h"
#include "cmd/demo/dataset.h"

#define RECORDS      5
#define RECORD_BYTES 100
#define HEAD_BYTES   48 /* before the first record of a file */

static const struct demo_shape small = {
    .files = 3, .records = RECORDS, .record_bytes = RECORD_BYTES, .seed = 7};

static struct demo_dataset *must_open(const char *folder)
{
    struct demo_dataset *d = NULL;
    struct dfopt_error err = {0};
    if (demo_dataset_make(folder, &small, &err) ||
        demo_dataset_open(&d, folder, &small, &err))
        fail_msg("%s", err.text);
    return d;
}

static void test_every_record_is_read_back(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open(".");
    struct demo_sample s;
    struct demo_audit audit;
    bool ends = false;
    assert_int_equal(demo_dataset_records(d), 3 * RECORDS);
    assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
    assert_int_equal(demo_audit_init(&audit, d), DFOPT_OK);
    for (uint64_t i = 0; i < 3 * RECORDS; i++) {
        assert_false(ends);
        assert_int_equal(demo_dataset_read(d, i, &s, NULL), DFOPT_OK);
        assert_int_equal(s.record, i);
        assert_int_equal(s.len, RECORD_BYTES);
        assert_int_equal(demo_audit_sample(&audit, &s, &ends, NULL), DFOPT_OK);
    }
    assert_true(ends);
    assert_int_equal(audit.epochs, 1);
    demo_audit_free(&audit);
    demo_sample_free(&s);
    demo_dataset_close(d);
}

static void test_a_missing_file_is_made_again_the_same(void **state)
{
    (void)state;
    char before[4096], after[4096];
    demo_dataset_close(must_open("."));
    size_t n = files_read("part-0001.rec", before, sizeof before);
    assert_int_equal(unlink("part-0001.rec"), 0);
    struct demo_dataset *d = NULL;
    struct dfopt_error err = {0};
    assert_int_equal(demo_dataset_open(&d, ".", NULL, &err), DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, "part-0001.rec"));
    demo_dataset_close(must_open("."));
    assert_int_equal(files_read("part-0001.rec", after, sizeof after), n);
    assert_memory_equal(before, after, n);
}

static void test_other_data_are_not_taken_for_it(void **state)
{
    (void)state;
    demo_dataset_close(must_open("."));
    struct demo_dataset *d = NULL;
    struct dfopt_error err = {0};
    struct demo_shape other = small;
    other.seed++;
    assert_int_equal(demo_dataset_open(&d, ".", &other, &err), DFOPT_ERR_STATE);
    assert_non_null(strstr(err.text, "--seed=7"));
    files_write("part-0002.rec", "wb", "nothing of ours", 15);
    assert_int_equal(demo_dataset_open(&d, ".", NULL, &err), DFOPT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "part-0002.rec"));
    other.records++;
    assert_int_equal(unlink("part-0002.rec"), 0);
    assert_int_equal(demo_dataset_make(".", &other, &err), DFOPT_OK);
    assert_int_equal(demo_dataset_open(&d, ".", NULL, &err), DFOPT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "another data set"));
    assert_null(d);
}

/* Each changes part-0001.rec, which begins with record 5; record 7 is read. */
static void test_damage_is_told(void **state)
{
    (void)state;
    const long record = HEAD_BYTES + 2 * (16 + RECORD_BYTES);
    const struct {
        const char *name;
        long at;  /* of the byte that is turned over; -1: none */
        long cut; /* length of the file; 0: as it was */
        const char *text;
    } cases[] = {
        {"number", record, 0, "wrong record number"},
        {"checksum", record + 8, 0, "wrong checksum"},
        {"payload", record + 16 + RECORD_BYTES - 1, 0, "wrong checksum"},
        {"cut", -1, record + 50, "truncated"},
        {"gone", -1, record, "truncated"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char bytes[4096];
        struct dfopt_error err = {0};
        struct demo_sample s;
        unlink("part-0001.rec");
        struct demo_dataset *d = must_open(".");
        size_t n = files_read("part-0001.rec", bytes, sizeof bytes);
        if (cases[i].at >= 0)
            bytes[cases[i].at] = (char)~bytes[cases[i].at];
        files_write("part-0001.rec", "wb", bytes,
                    cases[i].cut ? (size_t)cases[i].cut : n);
        assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
        assert_int_equal(demo_dataset_read(d, 6, &s, &err), DFOPT_OK);
        assert_int_equal(demo_dataset_read(d, 7, &s, &err), DFOPT_ERR_FORMAT);
        if (!strstr(err.text, "part-0001.rec: record 7: ") ||
            !strstr(err.text, cases[i].text))
            fail_msg("%s: %s", cases[i].name, err.text);
        demo_sample_free(&s);
        demo_dataset_close(d);
    }
}

static void test_the_audit_sees_doubles_and_foreign_data(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open(".");
    struct demo_audit a;
    struct dfopt_error err = {0};
    bool ends;
    assert_int_equal(demo_audit_init(&a, d), DFOPT_OK);
    struct demo_sample s = {.record = 3, .checksum = 1};
    assert_int_equal(demo_audit_sample(&a, &s, &ends, &err), DFOPT_OK);
    assert_int_equal(demo_audit_sample(&a, &s, &ends, &err), DFOPT_ERR_FORMAT);
    assert_string_equal(err.text, "epoch 1: record 3 came twice");
    s.record = 3 * RECORDS;
    assert_int_equal(demo_audit_sample(&a, &s, &ends, &err), DFOPT_ERR_FORMAT);
    for (s.record = 0; s.record < 3 * RECORDS; s.record++)
        if (s.record != 3)
            ends = demo_audit_sample(&a, &s, &ends, &err) != DFOPT_OK;
    assert_true(ends); /* the checksums of the last one did not add up */
    assert_non_null(strstr(err.text, "do not match the files"));
    demo_audit_free(&a);
    demo_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_record_is_read_back, files_setup,
                                        files_teardown),
        cmocka_unit_test_setup_teardown(test_a_missing_file_is_made_again_the_same,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_other_data_are_not_taken_for_it,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_told, files_setup,
                                        files_teardown),
        cmocka_unit_test_setup_teardown(
            test_the_audit_sees_doubles_and_foreign_data, files_setup,
            files_teardown),
    };
    return cmocka_run_group_tests_name("demo_dataset", tests, NULL, NULL);
}
