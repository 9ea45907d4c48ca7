/* Files as their splits give them, and as the file source does. */
#ifndef DFOPT_TESTS_SPLIT_TEXT_H
#define DFOPT_TESTS_SPLIT_TEXT_H

#include "base/buf.h"
#include "support/transport_files.h"
#include "transport/file/file.h"
#include "transport/file/split.h"

#include <inttypes.h>

#define WHOLE ((uint64_t)1 << 40)

static inline void render(const char *origin, const struct dfopt_record *r,
                          uint64_t line, struct dfopt_buf *out)
{
    if (dfopt_buf_printf(out, "%s:%" PRIu64 "@%" PRIu64 " %d ", origin, line,
                         r->offset, r->stream) ||
        dfopt_buf_add(out, r->data, r->len) ||
        dfopt_buf_printf(out, "%s%s\n", r->problem ? " !" : "",
                         r->problem ? r->problem : ""))
        fail_msg("out of memory");
}

/* What the file source gives; it is right by definition. */
static inline void read_whole(const char *const *paths, size_t n, size_t max,
                              struct dfopt_buf *out)
{
    const struct dfopt_file_source_options o = {
        .patterns = paths, .n = n, .max_record_bytes = max};
    struct dfopt_source *s = NULL;
    struct dfopt_error err = {0};
    struct dfopt_record r;
    enum dfopt_source_status status;
    dfopt_buf_clear(out);
    if (dfopt_file_source_create(&s, &o, &err))
        fail_msg("%s", err.text);
    while ((status = s->ops->next(s, 0, &r, &err)) == DFOPT_SOURCE_RECORD)
        render(r.origin, &r, r.line, out);
    assert_int_equal(status, DFOPT_SOURCE_END);
    s->ops->destroy(s);
}

static inline struct dfopt_splits *must_open(const char *const *paths, size_t n,
                                             size_t max)
{
    struct dfopt_splits *p = NULL;
    struct dfopt_error err = {0};
    if (dfopt_splits_open(&p, paths, n, max, &err))
        fail_msg("%s", err.text);
    assert_non_null(p);
    return p;
}

/* All records of all splits of at most `most` bytes. The splits must follow one
 * another without a gap. */
static inline void read_splits(struct dfopt_splits *p, uint64_t most,
                               struct dfopt_buf *out)
{
    struct dfopt_split_reader r = {0};
    struct dfopt_split at = {0}, last = {0};
    struct dfopt_error err = {0};
    struct dfopt_record rec;
    uint64_t lines = 0;
    dfopt_buf_clear(out);
    for (;;) {
        const struct dfopt_split split = dfopt_splits_next(p, &at, most);
        if (split.len == 0)
            break;
        if (split.len > most ||
            (split.file == last.file ? split.start != last.start + last.len
                                     : split.start != 0))
            fail_msg("splits of %" PRIu64 " bytes do not follow one another", most);
        if (split.file != last.file)
            lines = 0;
        if (dfopt_split_load(p, &split, &r, &err))
            fail_msg("%s", err.text);
        while (dfopt_split_next(&r, &rec)) {
            assert_string_equal(rec.origin, dfopt_splits_name(p, split.file));
            if (rec.offset < split.start && split.start > 0)
                fail_msg("a record before its split");
            render(rec.origin, &rec, lines + rec.line, out);
        }
        assert_false(dfopt_split_next(&r, &rec));
        lines += dfopt_split_lines(&r);
        last = split;
    }
    assert_int_equal(dfopt_splits_next(p, &at, most).len, 0);
    dfopt_buf_free(&r.bytes);
}

/* Cut in every way that is asked for; `sizes` ends with 0. */
static inline void expect_same(const char *name, const char *const *paths, size_t n,
                               size_t max, const uint64_t *sizes)
{
    struct dfopt_buf want = {0}, got = {0};
    struct dfopt_splits *p = must_open(paths, n, max);
    assert_int_equal(dfopt_splits_files(p), n);
    read_whole(paths, n, max, &want);
    for (; *sizes; sizes++) {
        read_splits(p, *sizes, &got);
        if (got.len != want.len ||
            (got.len && memcmp(got.data, want.data, got.len)))
            fail_msg("%s, %" PRIu64 " bytes at a time:\ngot:\n%.*swant:\n%.*s",
                     name, *sizes, (int)got.len, got.data ? got.data : "",
                     (int)want.len, want.data ? want.data : "");
    }
    dfopt_splits_close(p);
    dfopt_buf_free(&want);
    dfopt_buf_free(&got);
}

#endif
