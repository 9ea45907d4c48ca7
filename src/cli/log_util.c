/* Opening, writing, and cursors over tables. */
#include "cli/log.h"
#include "codec/codec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK 1024

int log_trouble(const struct dfopt_error *err)
{
    fprintf(stderr, "dfopt-log: %s\n", err->text);
    return LOG_TROUBLE;
}

struct dfopt_declog_reader *log_open(const char *path)
{
    struct dfopt_declog_reader *r = NULL;
    struct dfopt_error err = {.code = DFOPT_OK};
    if (dfopt_declog_reader_open(&r, path, &err) != DFOPT_OK)
        log_trouble(&err);
    return r;
}

enum log_out log_write(struct dfopt_buf *b)
{
    bool ok = fwrite(b->data, 1, b->len, stdout) == b->len && fflush(stdout) == 0;
    int reason = errno;
    dfopt_buf_clear(b);
    if (ok)
        return LOG_OUT_OK;
    if (reason == EPIPE)
        return LOG_OUT_LEFT;
    fprintf(stderr, "dfopt-log: standard output: %s\n", strerror(reason));
    return LOG_OUT_FAILED;
}

enum dfopt_err log_cursor_init(struct log_cursor *c, struct dfopt_declog_reader *r,
                               enum dfopt_declog_table table, size_t row_size)
{
    *c = (struct log_cursor){.reader = r, .table = table, .row_size = row_size};
    return dfopt_buf_reserve(&c->rows, BLOCK * row_size);
}

void log_cursor_free(struct log_cursor *c)
{
    dfopt_buf_free(&c->rows);
}

enum dfopt_err log_cursor_row(struct log_cursor *c, const void **row,
                              struct dfopt_error *err)
{
    uint64_t total = dfopt_declog_reader_rows(c->reader, c->table);
    if (c->next >= total) {
        *row = NULL;
        return DFOPT_OK;
    }
    if (c->next < c->first || c->next >= c->end) {
        size_t n = total - c->next < BLOCK ? (size_t)(total - c->next) : BLOCK;
        enum dfopt_err e = dfopt_declog_reader_read(c->reader, c->table, c->next, n,
                                                    c->rows.data, err);
        if (e)
            return e;
        c->first = c->next;
        c->end = c->next + n;
    }
    *row = c->rows.data + (size_t)(c->next - c->first) * c->row_size;
    return DFOPT_OK;
}

enum dfopt_err log_cursor_seek(struct log_cursor *c, size_t seq_offset,
                               uint64_t seq, struct dfopt_error *err)
{
    uint64_t low = 0, high = dfopt_declog_reader_rows(c->reader, c->table);
    while (low < high) {
        uint64_t at;
        const void *row = c->rows.data;
        c->next = low + (high - low) / 2;
        c->first = c->end = 0; /* the block becomes that row */
        enum dfopt_err e = dfopt_declog_reader_read(c->reader, c->table, c->next, 1,
                                                    c->rows.data, err);
        if (e)
            return e;
        memcpy(&at, (const char *)row + seq_offset, sizeof at);
        if (at < seq)
            low = c->next + 1;
        else
            high = c->next;
    }
    c->next = low;
    return DFOPT_OK;
}

enum dfopt_err log_json_sym(const struct dfopt_dict *dict, dfopt_sym s,
                            struct dfopt_buf *out)
{
    if (s == DFOPT_SYM_NONE)
        return dfopt_buf_add(out, "null", 4);
    size_t len;
    const char *text = dfopt_dict_text(dict, s, &len);
    return dfopt_codec_text_json(text, len, out);
}

enum dfopt_err log_json_real(double d, struct dfopt_buf *out)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    if (!isfinite(d))
        return dfopt_buf_add(out, "null", 4);
    return dfopt_buf_add(out, text, dfopt_real_text(d, text));
}

enum dfopt_err log_json_text(const char *text, struct dfopt_buf *out)
{
    return dfopt_codec_text_json(text, strlen(text), out);
}
