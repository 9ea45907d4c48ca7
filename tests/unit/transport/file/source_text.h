/* A file source, and what it gives as text. */
#ifndef DFOPT_TESTS_SOURCE_TEXT_H
#define DFOPT_TESTS_SOURCE_TEXT_H

#include "base/buf.h"
#include "support/transport_files.h"
#include "transport/file/file.h"

#include <zlib.h>

static inline enum dfopt_err create(struct dfopt_source **s,
                                    const char *const *patterns, size_t n,
                                    size_t max, size_t buffer,
                                    struct dfopt_error *err)
{
    struct dfopt_file_source_options o = {.patterns = patterns,
                                          .n = n,
                                          .max_record_bytes = max,
                                          .buffer_bytes = buffer};
    return dfopt_file_source_create(s, &o, err);
}

static inline struct dfopt_source *open_one(const char *pattern, size_t max,
                                            size_t buffer)
{
    struct dfopt_source *s = NULL;
    struct dfopt_error err = {0};
    if (create(&s, &pattern, 1, max, buffer, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return s;
}

static inline void render(const struct dfopt_record *r, struct dfopt_buf *out)
{
    dfopt_buf_printf(out, "%s:%llu@%llu %.*s%s%s\n", r->origin,
                     (unsigned long long)r->line, (unsigned long long)r->offset,
                     (int)r->len, r->data, r->problem ? " !" : "",
                     r->problem ? r->problem : "");
}

/* Everything a source gives, rendered; errors as "error: text". Destroys it. */
static inline struct dfopt_buf drain(struct dfopt_source *s)
{
    struct dfopt_buf out = {0};
    dfopt_buf_printf(&out, "%s", "");
    for (;;) {
        struct dfopt_record r = {0};
        struct dfopt_error err = {0};
        enum dfopt_source_status status = s->ops->next(s, 0, &r, &err);
        if (status == DFOPT_SOURCE_RECORD)
            render(&r, &out);
        else if (status == DFOPT_SOURCE_ERROR)
            dfopt_buf_printf(&out, "error: %s\n", err.text);
        else if (status == DFOPT_SOURCE_END)
            break;
        else
            fail_msg("a file made the source wait");
    }
    s->ops->destroy(s);
    return out;
}

static inline void expect(const char *name, struct dfopt_source *s,
                          const char *want)
{
    struct dfopt_buf got = drain(s);
    if (strcmp(got.data, want) != 0)
        fail_msg("%s:\ngot:\n%swant:\n%s", name, got.data, want);
    dfopt_buf_free(&got);
}

/* Appends data as one gzip member. */
static inline void gzip_add(const char *path, const char *mode, const void *data,
                            size_t n)
{
    gzFile gz = gzopen(path, mode);
    assert_non_null(gz);
    assert_int_equal(n ? gzwrite(gz, data, (unsigned)n) : 0, (int)n);
    assert_int_equal(gzclose(gz), Z_OK);
}

#endif
