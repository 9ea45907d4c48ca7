/* Rows of a reader go into the stores of a writer as they are. The numbers of
 * strings and lists stay: their tables are copied like all others. */
#include "declog/copy.h"
#include "declog/reader_impl.h"
#include "declog/writer_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum dfopt_err copy_table(struct dfopt_declog_reader *r,
                                 struct dfopt_declog *w,
                                 enum dfopt_declog_table table,
                                 struct dfopt_buf *rows, struct dfopt_error *err)
{
    uint64_t n = dfopt_declog_reader_rows(r, table);
    size_t row_size = dfopt_layout_of(table)->row_size;
    for (uint64_t at = 0; at < n; at += DFOPT_READER_BLOCK) {
        size_t take =
            n - at < DFOPT_READER_BLOCK ? (size_t)(n - at) : DFOPT_READER_BLOCK;
        dfopt_buf_clear(rows);
        if (!dfopt_buf_grow(rows, take * row_size))
            return dfopt_reader_no_memory(r, err);
        enum dfopt_err e =
            dfopt_declog_reader_read(r, table, at, take, rows->data, err);
        if (e)
            return e;
        e = dfopt_store_add(&w->store[table], &w->packer, rows->data, take);
        if (dfopt_declog_check(w, e, "cannot write") != DFOPT_OK)
            return DFOPT_OK; /* the writer has it */
    }
    return DFOPT_OK;
}

static enum dfopt_err copy_pool(struct dfopt_declog_reader *r,
                                struct dfopt_declog *w, enum dfopt_declog_pool pool,
                                struct dfopt_error *err)
{
    size_t store = DFOPT_STORE_OF_POOL(pool);
    uint64_t n = dfopt_reader_committed(r, store);
    for (uint64_t at = 0; at < n; at += DFOPT_READER_BLOCK) {
        uint64_t end = n - at < DFOPT_READER_BLOCK ? n : at + DFOPT_READER_BLOCK;
        const void *items;
        enum dfopt_err e = dfopt_reader_look_at(
            r, pool, (struct dfopt_declog_text){at, end}, &items, err);
        if (e)
            return e;
        e = dfopt_store_add(&w->store[store], &w->packer, items,
                            (size_t)(end - at));
        if (dfopt_declog_check(w, e, "cannot write") != DFOPT_OK)
            return DFOPT_OK;
    }
    return DFOPT_OK;
}

static enum dfopt_err copy_all(struct dfopt_declog_reader *r,
                               struct dfopt_declog *w, struct dfopt_error *err)
{
    struct dfopt_buf rows = {0};
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t t = 0; !e && t < DFOPT_TABLE_COUNT; t++)
        e = copy_table(r, w, t, &rows, err);
    for (uint32_t p = 0; !e && p < DFOPT_POOL_COUNT; p++)
        e = copy_pool(r, w, p, err);
    dfopt_buf_free(&rows);
    return e;
}

static enum dfopt_declog_detail detail_of(const struct dfopt_declog_run *run)
{
    uint32_t d = DFOPT_DETAIL_PLANS;
    while (d < DFOPT_DETAIL_FINDINGS &&
           strcmp(dfopt_declog_detail_name(d), run->detail) != 0)
        d++;
    return d;
}

enum dfopt_err dfopt_declog_copy(struct dfopt_declog_reader *r, const char *path,
                                 struct dfopt_error *err)
{
    const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
    struct dfopt_declog_options o = {.path = path,
                                     .compression = 1,
                                     .detail = detail_of(run),
                                     .created_ns = run->created_ns,
                                     .ranks = (int)run->ranks,
#define COPY_TEXT(name, text) .name = run->name,
                                     DFOPT_RUN_TEXT_LIST(COPY_TEXT)
#undef COPY_TEXT
    };
    struct dfopt_declog *w = NULL;
    if (access(path, F_OK) == 0) /* the writer would replace a log */
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: exists already; not replaced", path);
    enum dfopt_err e =
        dfopt_declog_create(&w, dfopt_declog_reader_dict(r), &o, err);
    if (e)
        return e;
    w->strings = dfopt_dict_strings(w->dict); /* they come as rows */
    w->lists = dfopt_dict_lists(w->dict);
    w->at = run->last.at;
    e = copy_all(r, w, err);
    enum dfopt_err closed =
        dfopt_declog_close(&w, run->complete && !e, e ? NULL : err);
    if (e || closed)
        unlink(path);
    return e ? e : closed;
}
