/* The transports when memory runs out. */
#include "support/nomem.h"

#include "transport/file/file.h"
#include "journal/journal.h"
#include "transport/zmq/zmq.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/dfopt-nomem-XXXXXX";

static void put_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Reads all there is. Out of memory is told once; what is left can be read. */
static enum dfopt_err read_file(const char *text)
{
    const char *const paths[] = {path};
    const struct dfopt_file_source_options o = {
        .patterns = paths, .n = 1, .buffer_bytes = 8};
    struct dfopt_source *s = NULL;
    struct dfopt_record record;
    struct dfopt_error err = {.text = ""};
    put_file(text);
    enum dfopt_err e = dfopt_file_source_create(&s, &o, &err);
    for (int calls = 0; s && calls < 100; calls++) {
        const enum dfopt_source_status got = s->ops->next(s, 0, &record, &err);
        if (got == DFOPT_SOURCE_END)
            break;
        if (got == DFOPT_SOURCE_ERROR)
            e = err.code;
    }
    if (s)
        s->ops->destroy(s);
    return e;
}

static enum dfopt_err file_lines(void)
{
    return read_file("{\"a\":1}\n{\"a\":[1,2,3,4,5,6,7,8,9,10]}\n");
}

static enum dfopt_err file_array(void)
{
    return read_file("[{\"a\":1},\n {\"a\":[1,2,3,4,5,6,7,8,9,10]}]\n");
}

static const struct dfopt_plan_message message = {
    .body = "{}", .body_len = 2, .metadata = "{}", .metadata_len = 2, .knob = "k"};

/* Takes the sink over. */
static enum dfopt_err publish(struct dfopt_sink *s)
{
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; i < 3 && !e; i++)
        e = s->ops->publish(s, &message, NULL);
    if (!e)
        e = s->ops->flush(s, NULL);
    const enum dfopt_err last = s->ops->destroy(s, NULL);
    return e ? e : last;
}

static enum dfopt_err file_sink(void)
{
    struct dfopt_sink *s = NULL;
    const enum dfopt_err e = dfopt_file_sink_create(&s, path, NULL);
    return e ? e : publish(s);
}

static enum dfopt_err journal(void)
{
    struct dfopt_journal *j = NULL;
    enum dfopt_err e = dfopt_journal_create(&j, path, 0, NULL);
    for (int i = 0; i < 100 && !e; i++)
        e = dfopt_journal_add(j, "a line of the journal", 21);
    if (!e)
        e = dfopt_journal_write(j, NULL);
    dfopt_journal_close(j, false);
    return e;
}

static enum dfopt_err zmq_source(void)
{
    const struct dfopt_zmq_source_options o = {.findings = "tcp://127.0.0.1:*",
                                               .findings_bind = true,
                                               .registrations = "tcp://127.0.0.1:*",
                                               .acks = "tcp://127.0.0.1:*",
                                               .high_water = 10,
                                               .max_message_bytes = 1000};
    struct dfopt_source *s = NULL;
    struct dfopt_record record;
    const enum dfopt_err e = dfopt_zmq_source_create(&s, &o, NULL);
    if (e)
        return e;
    assert_int_equal(s->ops->next(s, 0, &record, NULL), DFOPT_SOURCE_WAIT);
    s->ops->destroy(s);
    return DFOPT_OK;
}

static enum dfopt_err zmq_sink(void)
{
    const struct dfopt_zmq_sink_options o = {.endpoint = "tcp://127.0.0.1:*",
                                             .max_queued = 10,
                                             .high_water = 1,
                                             .linger_ms = -1};
    struct dfopt_sink *s = NULL;
    const enum dfopt_err e = dfopt_zmq_sink_create(&s, &o, NULL);
    if (e)
        return e;
    enum dfopt_err published = DFOPT_OK;
    for (int i = 0; i < 3 && !published; i++) /* to nobody: they are kept back */
        published = s->ops->publish(s, &message, NULL);
    (void)s->ops->destroy(s, NULL);
    return published;
}

static const struct nomem_case cases[] = {
    {"lines", file_lines, false},      {"array", file_array, false},
    {"file sink", file_sink, false},   {"journal", journal, false},
    {"zmq source", zmq_source, false}, {"zmq sink", zmq_sink, false},
};

static void each_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        nomem_each(&cases[i]);
}

static int setup(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
