/* Records from files: input.c provides bytes, framer.c cuts them, and this
 * holds the one buffer between them. Invariant: the window is the unconsumed
 * part of the buffer, so a record points into the buffer until the next refill,
 * which moves the window to the front and reads after it. */
#include "transport/file/file.h"

#include "base/clock.h"
#include "transport/file/list.h"
#include "transport/file/framer.h"
#include "transport/file/input.h"

#include <stdlib.h>
#include <string.h>

#define MIN_BUFFER_BYTES 16

struct file_source {
    struct dfopt_source base;
    struct dfopt_file_list files;
    size_t at;             /* the entry being read, or the next one */
    uint64_t bytes_done;   /* of the entries before it */
    size_t max;            /* longest record */
    struct dfopt_input in; /* closed: entry `at` is not opened yet */
    struct dfopt_framer framer;
    struct dfopt_framer_window window;
    char *buffer;
    size_t cap;
    struct dfopt_record peeked;
    bool has_peeked;
};

static const struct dfopt_source_ops file_ops;

static int64_t deadline_of(int timeout_ms)
{
    if (timeout_ms == 0)
        return DFOPT_INPUT_NO_WAIT;
    if (timeout_ms < 0)
        return DFOPT_INPUT_FOREVER;
    return dfopt_clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
}

/* Ends the current entry; the next turn opens the next one. */
static void end_entry(struct file_source *s)
{
    uint64_t size = s->files.entries[s->at].size;
    s->bytes_done += s->in.regular || size > 0 ? size : s->in.bytes_raw;
    dfopt_input_close(&s->in);
    s->at++;
}

static enum dfopt_err begin_entry(struct file_source *s, struct dfopt_error *err)
{
    dfopt_framer_init(&s->framer, s->max);
    s->window = (struct dfopt_framer_window){.data = s->buffer};
    return dfopt_input_open(&s->in, s->files.entries[s->at].path, err);
}

/* Makes room after the window. A window that fills the buffer is the start of
 * one record; the framer keeps at most max + 2 bytes of it. */
static enum dfopt_err make_room(struct file_source *s, struct dfopt_error *err)
{
    if (s->window.len > 0)
        memmove(s->buffer, s->window.data, s->window.len);
    s->window.data = s->buffer;
    if (s->cap - s->window.len >= MIN_BUFFER_BYTES / 2)
        return DFOPT_OK;
    char *grown = realloc(s->buffer, s->cap * 2);
    if (!grown)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                               s->in.name);
    s->buffer = grown;
    s->window.data = grown;
    s->cap *= 2;
    return DFOPT_OK;
}

/* Reads more bytes into the window; at the end of the input marks it `last`. */
static enum dfopt_input_status refill(struct file_source *s, int64_t deadline_ns,
                                      struct dfopt_error *err)
{
    size_t got = 0;
    if (make_room(s, err) != DFOPT_OK)
        return DFOPT_INPUT_ERROR;
    enum dfopt_input_status status =
        dfopt_input_read(&s->in, s->buffer + s->window.len, s->cap - s->window.len,
                         deadline_ns, &got, err);
    if (status == DFOPT_INPUT_DATA)
        s->window.len += got;
    if (status == DFOPT_INPUT_END)
        s->window.last = true;
    return status;
}

/* next, ignoring a peeked record. */
static enum dfopt_source_status fetch(struct file_source *s, int timeout_ms,
                                      struct dfopt_record *record,
                                      struct dfopt_error *err)
{
    int64_t deadline_ns = 0;
    bool clock_read = false; /* not for a record already buffered */
    while (s->at < s->files.n) {
        enum dfopt_framer_status framed = DFOPT_FRAMER_MORE;
        if (s->in.name)
            framed = dfopt_framer_next(&s->framer, &s->window, record);
        else if (begin_entry(s, err) != DFOPT_OK)
            goto failed;
        if (framed == DFOPT_FRAMER_RECORD) {
            record->origin = s->in.name;
            return DFOPT_SOURCE_RECORD;
        }
        if (framed == DFOPT_FRAMER_END) {
            end_entry(s);
            continue;
        }
        if (!clock_read)
            deadline_ns = deadline_of(timeout_ms);
        clock_read = true;
        enum dfopt_input_status status = refill(s, deadline_ns, err);
        if (status == DFOPT_INPUT_WAIT)
            return DFOPT_SOURCE_WAIT;
        if (status == DFOPT_INPUT_ERROR)
            goto failed;
    }
    return DFOPT_SOURCE_END;
failed:
    end_entry(s);
    return DFOPT_SOURCE_ERROR;
}

static enum dfopt_source_status file_next(struct dfopt_source *source,
                                          int timeout_ms,
                                          struct dfopt_record *record,
                                          struct dfopt_error *err)
{
    struct file_source *s = (struct file_source *)source;
    if (!s->has_peeked)
        return fetch(s, timeout_ms, record, err);
    s->has_peeked = false;
    *record = s->peeked;
    return DFOPT_SOURCE_RECORD;
}

enum dfopt_source_status dfopt_file_source_peek(struct dfopt_source *source,
                                                int timeout_ms,
                                                struct dfopt_record *record,
                                                struct dfopt_error *err)
{
    struct file_source *s = (struct file_source *)source;
    if (!s->has_peeked) {
        enum dfopt_source_status status = fetch(s, timeout_ms, &s->peeked, err);
        if (status != DFOPT_SOURCE_RECORD)
            return status;
        s->has_peeked = true;
    }
    *record = s->peeked;
    return DFOPT_SOURCE_RECORD;
}

static void file_progress(const struct dfopt_source *source,
                          struct dfopt_source_progress *p)
{
    const struct file_source *s = (const struct file_source *)source;
    uint64_t here = s->in.bytes_raw;
    if (s->in.regular && here > s->files.entries[s->at].size)
        here = s->files.entries[s->at].size; /* the file grew */
    *p = (struct dfopt_source_progress){.bytes_done = s->bytes_done + here,
                                        .bytes_total = s->files.bytes_total};
}

static void file_destroy(struct dfopt_source *source)
{
    struct file_source *s = (struct file_source *)source;
    if (!s)
        return;
    dfopt_input_close(&s->in);
    dfopt_file_list_free(&s->files);
    free(s->buffer);
    free(s);
}

static const struct dfopt_source_ops file_ops = {
    .next = file_next,
    .progress = file_progress,
    .destroy = file_destroy,
};

enum dfopt_err dfopt_file_source_create(struct dfopt_source **out,
                                        const struct dfopt_file_source_options *o,
                                        struct dfopt_error *err)
{
    struct dfopt_file_list files = {0};
    enum dfopt_err e = dfopt_file_list_make(&files, o->patterns, o->n, err);
    if (e != DFOPT_OK)
        return e;
    size_t cap = o->buffer_bytes ? o->buffer_bytes : DFOPT_FILE_BUFFER_BYTES;
    if (cap < MIN_BUFFER_BYTES)
        cap = MIN_BUFFER_BYTES;
    size_t max =
        o->max_record_bytes ? o->max_record_bytes : DFOPT_FILE_MAX_RECORD_BYTES;
    if (max > SIZE_MAX / 8) /* so that sizes near it do not overflow */
        max = SIZE_MAX / 8;
    struct file_source *s = calloc(1, sizeof *s);
    char *buffer = malloc(cap);
    if (!s || !buffer) {
        free(s);
        free(buffer);
        dfopt_file_list_free(&files);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    *s = (struct file_source){.base.ops = &file_ops,
                              .files = files,
                              .max = max,
                              .buffer = buffer,
                              .cap = cap};
    *out = &s->base;
    return DFOPT_OK;
}
