/* Cuts bytes into JSON values.
 *
 * Invariants: between calls the window starts at the current record (or at
 * white space before one), and its first `scanned` bytes have been examined.
 * The other fields hold the result, so no byte is examined twice. A record that
 * is too long is delivered at the first byte over the limit, and its rest is
 * `skipping`: consumed without being kept. */
#include "transport/file/framer.h"

#include "transport/file/file.h"

#include <string.h>

static const char too_long[] = "longer than the record limit";
static const char cut_off[] = "the array is truncated";
static const char empty_element[] = "an empty element in the array";
static const char no_comma[] = "no comma before the element of the array";
static const char after_end[] = "bytes after the end of the array";

typedef struct dfopt_framer_window window;

void dfopt_framer_init(struct dfopt_framer *f, size_t max)
{
    *f = (struct dfopt_framer){.max = max, .number = 1};
}

/* Consumes n bytes of the window. */
static void consume(struct dfopt_framer *f, window *w, size_t n)
{
    w->data += n;
    w->len -= n;
    f->offset += n;
    f->scanned = 0;
}

/* Consumes leading white space; returns the number of newlines in it. */
static uint64_t consume_white(struct dfopt_framer *f, window *w)
{
    uint64_t lines = 0;
    size_t i = 0;
    while (i < w->len && dfopt_scan_is_white(w->data[i]))
        lines += w->data[i++] == '\n';
    if (i > 0)
        consume(f, w, i);
    return lines;
}

/* Delivers and consumes the first n bytes. */
static enum dfopt_framer_status emit(struct dfopt_framer *f, window *w, size_t n,
                                     const char *problem,
                                     struct dfopt_record *record)
{
    *record = (struct dfopt_record){.data = w->data,
                                    .len = n,
                                    .stream = -1,
                                    .line = f->number,
                                    .offset = f->offset,
                                    .problem = problem};
    consume(f, w, n);
    return DFOPT_FRAMER_RECORD;
}

/* Delivers the start of a record with a problem, and consumes n bytes. The length
 * delivered must not depend on how much of the record the window holds. */
static enum dfopt_framer_status emit_start(struct dfopt_framer *f, window *w,
                                           size_t n, const char *problem,
                                           struct dfopt_record *record)
{
    size_t most = DFOPT_FILE_PROBLEM_BYTES;
    if (most > f->max)
        most = f->max;
    emit(f, w, n, problem, record);
    if (record->len > most)
        record->len = most;
    return DFOPT_FRAMER_RECORD;
}

static enum dfopt_framer_status starved(const window *w)
{
    return w->last ? DFOPT_FRAMER_END : DFOPT_FRAMER_MORE;
}

/* Consumes the rest of a line that was too long. */
static bool skip_line(struct dfopt_framer *f, window *w)
{
    const char *newline = w->len ? memchr(w->data, '\n', w->len) : NULL;
    consume(f, w, newline ? (size_t)(newline - w->data) : w->len);
    f->skipping = newline == NULL;
    return newline != NULL;
}

static enum dfopt_framer_status next_line(struct dfopt_framer *f, window *w,
                                          struct dfopt_record *record)
{
    if (f->skipping && !skip_line(f, w))
        return starved(w);
    if (f->scanned == 0)
        f->number += consume_white(f, w);
    if (w->len == 0)
        return starved(w);
    const char *newline = memchr(w->data + f->scanned, '\n', w->len - f->scanned);
    size_t n = newline ? (size_t)(newline - w->data) : w->len;
    /* One byte over the limit may still be the \r of a \r\n. */
    if (!newline && n > f->max + 1) {
        f->skipping = true;
        return emit_start(f, w, n, too_long, record);
    }
    if (!newline && !w->last) {
        f->scanned = n;
        return DFOPT_FRAMER_MORE;
    }
    if (w->data[n - 1] == '\r') /* n > 0: it does not start with white space */
        n--;
    /* The line end remains: it is white space before the next record. */
    return n > f->max ? emit_start(f, w, n, too_long, record)
                      : emit(f, w, n, NULL, record);
}

/* Starts the element at the front of the window. */
static void begin_element(struct dfopt_framer *f, char first)
{
    dfopt_scan_begin(&f->scan, first);
    f->in_element = true;
    f->scanned = 1;
    f->problem = f->expect == DFOPT_FRAMER_SEPARATOR ? no_comma : NULL;
    f->number++;
}

/* The input ends within the array: delivers the unfinished element, if any. */
static enum dfopt_framer_status emit_cut_off(struct dfopt_framer *f, window *w,
                                             struct dfopt_record *record)
{
    if (f->skipping || !f->in_element)
        f->number++;
    if (f->skipping)
        consume(f, w, w->len);
    f->mode = DFOPT_FRAMER_DONE;
    return emit_start(f, w, w->len, cut_off, record);
}

/* Continues the current element. Returns false at the end of one that is being
 * skipped. */
static bool continue_element(struct dfopt_framer *f, window *w,
                             struct dfopt_record *record,
                             enum dfopt_framer_status *status)
{
    const char *end =
        dfopt_scan_end(&f->scan, w->data + f->scanned, w->data + w->len);
    size_t n = end ? (size_t)(end - w->data) : w->len;
    bool was_skipping = f->skipping, over = n > f->max;
    if (!end && w->last && (was_skipping || !over)) {
        *status = emit_cut_off(f, w, record);
        return true;
    }
    f->in_element = end == NULL;
    f->skipping = !end && (was_skipping || over);
    if (end)
        f->expect = DFOPT_FRAMER_SEPARATOR;
    if (was_skipping) {
        consume(f, w, n);
        *status = DFOPT_FRAMER_MORE;
        return !end;
    }
    if (over) {
        *status = emit_start(f, w, n, too_long, record);
    } else if (end) {
        *status = emit(f, w, n, f->problem, record);
    } else {
        f->scanned = n;
        *status = DFOPT_FRAMER_MORE;
    }
    return true;
}

static enum dfopt_framer_status emit_empty(struct dfopt_framer *f, window *w,
                                           struct dfopt_record *record)
{
    f->number++;
    emit(f, w, 1, empty_element, record);
    record->len = 0;
    return DFOPT_FRAMER_RECORD;
}

/* The array; returns END after its closing bracket. */
static enum dfopt_framer_status next_element(struct dfopt_framer *f, window *w,
                                             struct dfopt_record *record)
{
    for (;;) {
        enum dfopt_framer_status status;
        if (f->in_element && continue_element(f, w, record, &status))
            return status;
        consume_white(f, w);
        if (w->len == 0)
            return w->last ? emit_cut_off(f, w, record) : DFOPT_FRAMER_MORE;
        bool empty = f->expect == DFOPT_FRAMER_ELEMENT;
        switch (w->data[0]) {
        case ',':
            empty = f->expect != DFOPT_FRAMER_SEPARATOR;
            f->expect = DFOPT_FRAMER_ELEMENT;
            break;
        case ']':
            f->mode = DFOPT_FRAMER_AFTER;
            break;
        default:
            begin_element(f, w->data[0]);
            continue;
        }
        if (empty)
            return emit_empty(f, w, record);
        consume(f, w, 1);
        if (f->mode == DFOPT_FRAMER_AFTER)
            return DFOPT_FRAMER_END;
    }
}

/* One record for everything after the array, with the number of its line. */
static enum dfopt_framer_status next_after(struct dfopt_framer *f, window *w,
                                           struct dfopt_record *record)
{
    uint64_t number = f->number + 1;
    enum dfopt_framer_status status = next_line(f, w, record);
    f->number = number - 1;
    if (status == DFOPT_FRAMER_RECORD) {
        record->line = number;
        record->problem = after_end;
        if (record->len > DFOPT_FILE_PROBLEM_BYTES)
            record->len = DFOPT_FILE_PROBLEM_BYTES;
        f->mode = DFOPT_FRAMER_DONE;
    }
    return status;
}

/* Determines whether the input is lines or an array. Returns false if the
 * window is not enough. */
static bool find_mode(struct dfopt_framer *f, window *w)
{
    static const char bom[] = "\xEF\xBB\xBF";
    size_t n = w->len < 3 ? w->len : 3;
    if (!f->bom_seen && n > 0 && memcmp(w->data, bom, n) == 0) {
        if (n < 3 && !w->last)
            return false;
        if (n == 3)
            consume(f, w, 3);
    }
    f->bom_seen = f->bom_seen || n > 0;
    f->number += consume_white(f, w);
    if (w->len == 0)
        return false;
    f->mode = DFOPT_FRAMER_LINES;
    if (w->data[0] == '[') {
        f->mode = DFOPT_FRAMER_ARRAY;
        f->number = 0;
        consume(f, w, 1);
    }
    return true;
}

enum dfopt_framer_status dfopt_framer_next(struct dfopt_framer *f, window *w,
                                           struct dfopt_record *record)
{
    if (f->mode == DFOPT_FRAMER_START && !find_mode(f, w))
        return starved(w);
    if (f->mode == DFOPT_FRAMER_LINES)
        return next_line(f, w, record);
    if (f->mode == DFOPT_FRAMER_ARRAY) {
        enum dfopt_framer_status status = next_element(f, w, record);
        if (status != DFOPT_FRAMER_END)
            return status;
    }
    return f->mode == DFOPT_FRAMER_AFTER ? next_after(f, w, record)
                                         : DFOPT_FRAMER_END;
}
