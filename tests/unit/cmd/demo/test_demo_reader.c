/* Reader threads and prefetch queue: whatever their numbers are, and however they
 * change meanwhile, each sample comes once, whole, and in the same order. The tsan
 * preset builds it, too. */
#include "support/transport_files.h"

#include "cmd/demo/audit.h"
#include "cmd/demo/reader.h"
#include "cmd/demo/timing.h"

#include <xxhash.h>

#define MAX_THREADS  12
#define MAX_PREFETCH 20
#define EPOCHS       6

static const struct demo_shape shape = {
    .files = 4, .records = 64, .record_bytes = 512, .seed = 3};

static const struct demo_reader_options plain = {
    .threads = 1,
    .prefetch = 1,
    .max_threads = MAX_THREADS,
    .max_prefetch = MAX_PREFETCH,
    .seed = 3,
};

static struct demo_dataset *must_open(void)
{
    struct demo_dataset *d = NULL;
    struct dfopt_error err = {0};
    if (demo_dataset_make(".", &shape, &err) ||
        demo_dataset_open(&d, ".", &shape, &err))
        fail_msg("%s", err.text);
    return d;
}

static struct demo_reader *must_create(const struct demo_dataset *d,
                                       const struct demo_reader_options *o)
{
    struct demo_reader *r = NULL;
    struct dfopt_error err = {0};
    if (demo_reader_create(&r, d, o, &err))
        fail_msg("%s", err.text);
    return r;
}

/* What may happen between two samples; `dice` is any number. */
typedef void (*between_fn)(struct demo_reader *r, uint64_t dice);

static void nothing(struct demo_reader *r, uint64_t dice)
{
    (void)r;
    (void)dice;
}

static void resize(struct demo_reader *r, uint64_t dice)
{
    const unsigned threads = 1 + (unsigned)(dice >> 8) % MAX_THREADS;
    const unsigned prefetch = 1 + (unsigned)(dice >> 16) % MAX_PREFETCH;
    if (dice % 7 == 0)
        assert_int_equal(demo_reader_threads_set(r, threads, NULL), DFOPT_OK);
    if (dice % 5 == 0)
        assert_int_equal(demo_reader_prefetch_set(r, prefetch, NULL), DFOPT_OK);
    if (dice % 7 == 0)
        assert_int_equal(demo_reader_threads(r), threads);
    if (dice % 11 == 0)
        demo_sleep_ns(200000); /* lets the queue fill up */
}

/* Reads some epochs, audited. Returns a hash of the order of the records. */
static uint64_t read_epochs(const struct demo_dataset *d,
                            const struct demo_reader_options *o, between_fn between)
{
    struct demo_reader *r = must_create(d, o);
    struct demo_sample s;
    struct demo_audit a;
    struct dfopt_error err = {0};
    uint64_t order = 0, first_epoch = 0;
    bool ends;
    assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
    assert_int_equal(demo_audit_init(&a, d), DFOPT_OK);
    while (a.epochs < EPOCHS) {
        between(r, XXH3_64bits_withSeed(&a.samples, sizeof a.samples, 1));
        if (demo_reader_next(r, &s, &err) || demo_audit_sample(&a, &s, &ends, &err))
            fail_msg("%s", err.text);
        order = XXH3_64bits_withSeed(&s.record, sizeof s.record, order);
        if (ends && a.epochs == 1)
            first_epoch = order;
    }
    assert_int_equal(a.samples, EPOCHS * demo_dataset_records(d));
    assert_int_not_equal(order, first_epoch);
    demo_audit_free(&a);
    demo_sample_free(&s);
    demo_reader_destroy(r);
    return order;
}

static void test_the_order_is_that_of_the_seed_alone(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    const uint64_t order = read_epochs(d, &plain, nothing);
    static const unsigned sizes[][2] = {{1, 20}, {12, 1}, {3, 2}, {12, 20}};
    for (size_t i = 0; i < N_OF(sizes); i++) {
        struct demo_reader_options o = plain;
        o.threads = sizes[i][0];
        o.prefetch = sizes[i][1];
        assert_int_equal(read_epochs(d, &o, nothing), order);
    }
    assert_int_equal(read_epochs(d, &plain, resize), order);
    struct demo_reader_options other = plain;
    other.seed++;
    assert_int_not_equal(read_epochs(d, &other, nothing), order);
    demo_dataset_close(d);
}

/* Slow storage: threads are retired and started while reads are under way. */
static void test_resizing_with_reads_under_way(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    struct demo_reader_options o = plain;
    o.storage.latency_ns = 50000;
    read_epochs(d, &o, resize);
    demo_dataset_close(d);
}

static void test_never_more_than_prefetch_are_read_ahead(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    struct demo_reader_options o = plain;
    struct demo_sample s;
    o.threads = MAX_THREADS;
    o.prefetch = 4;
    o.storage.latency_ns = 30000000;
    const int64_t begin = demo_now_ns();
    struct demo_reader *r = must_create(d, &o);
    assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
    for (int i = 0; i < 8; i++)
        assert_int_equal(demo_reader_next(r, &s, NULL), DFOPT_OK);
    /* Sample 5 could not be begun before sample 1 was taken: two latencies. */
    assert_true(demo_now_ns() - begin >= 2 * o.storage.latency_ns);
    demo_sample_free(&s);
    demo_reader_destroy(r);
    demo_dataset_close(d);
}

/* What is held in a window is what was read ahead in it, or before and not taken.
 */
static void test_what_is_held(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    struct demo_reader_options o = plain;
    struct demo_sample s;
    o.prefetch = 6;
    struct demo_reader *r = must_create(d, &o);
    assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(demo_reader_next(r, &s, NULL), DFOPT_OK);
    while (demo_reader_held(r) < 6 * shape.record_bytes)
        demo_sleep_ns(1000000);
    assert_int_equal(demo_reader_held(r), 6 * shape.record_bytes);
    assert_int_equal(demo_reader_prefetch_set(r, 2, NULL), DFOPT_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(demo_reader_next(r, &s, NULL), DFOPT_OK);
    demo_reader_window(r, 2);
    for (int i = 0; i < 10; i++)
        assert_int_equal(demo_reader_next(r, &s, NULL), DFOPT_OK);
    assert_in_range(demo_reader_held(r), shape.record_bytes,
                    2 * shape.record_bytes);
    demo_sample_free(&s);
    demo_reader_destroy(r);
    demo_dataset_close(d);
}

/* Every profile reads the same records, whatever it costs. */
static void test_every_profile_keeps_the_order(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    const uint64_t order = read_epochs(d, &plain, nothing);
    for (int p = DEMO_LATENCY; p <= DEMO_STEP; p++) {
        struct demo_reader_options o = plain;
        o.storage = (struct demo_storage_options){
            .profile = (enum demo_profile)p,
            .latency_ns = 1000,
            .bytes_per_second = 100000000,
            .best_readers = 4,
            .budget = 2 * shape.record_bytes,
            .step_at = 2,
            .step_to = DEMO_BANDWIDTH,
        };
        assert_int_equal(read_epochs(d, &o, resize), order);
    }
    demo_dataset_close(d);
}

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    struct demo_reader *r = must_create(d, &plain), *none = NULL;
    struct dfopt_error err = {0};
    assert_int_equal(demo_reader_threads_set(r, 0, &err), DFOPT_ERR_ARG);
    assert_string_equal(err.text, "read_threads must be from 1 to 12, not 0");
    assert_int_equal(demo_reader_threads_set(r, MAX_THREADS + 1, &err),
                     DFOPT_ERR_ARG);
    assert_int_equal(demo_reader_prefetch_set(r, 0, &err), DFOPT_ERR_ARG);
    assert_int_equal(demo_reader_prefetch_set(r, MAX_PREFETCH + 1, &err),
                     DFOPT_ERR_ARG);
    assert_int_equal(demo_reader_threads(r), 1);
    assert_int_equal(demo_reader_prefetch(r), 1);
    demo_reader_destroy(r);
    struct demo_reader_options o = plain;
    o.threads = MAX_THREADS + 1;
    assert_int_equal(demo_reader_create(&none, d, &o, &err), DFOPT_ERR_ARG);
    assert_null(none);
    demo_reader_destroy(NULL);
    demo_dataset_close(d);
}

static void test_a_bad_record_ends_with_its_name(void **state)
{
    (void)state;
    struct demo_dataset *d = must_open();
    struct demo_sample s;
    struct dfopt_error err = {0};
    assert_int_equal(truncate("part-0002.rec", 1000), 0);
    struct demo_reader_options o = plain;
    o.threads = o.prefetch = 4;
    struct demo_reader *r = must_create(d, &o);
    assert_int_equal(demo_sample_init(&s, d), DFOPT_OK);
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t i = 0; !e && i < demo_dataset_records(d); i++)
        e = demo_reader_next(r, &s, &err);
    assert_int_equal(e, DFOPT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "part-0002.rec: record "));
    demo_sample_free(&s);
    demo_reader_destroy(r);
    demo_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_order_is_that_of_the_seed_alone,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_resizing_with_reads_under_way,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(
            test_never_more_than_prefetch_are_read_ahead, files_setup,
            files_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_held, files_setup,
                                        files_teardown),
        cmocka_unit_test_setup_teardown(test_every_profile_keeps_the_order,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(test_numbers_out_of_range, files_setup,
                                        files_teardown),
        cmocka_unit_test_setup_teardown(test_a_bad_record_ends_with_its_name,
                                        files_setup, files_teardown),
    };
    return cmocka_run_group_tests_name("demo_reader", tests, NULL, NULL);
}
