/* A growable run of bytes: text being built, a frame being packed, or an array
 * of plain rows. Capacity is kept by dfopt_buf_clear, so that a buffer reused
 * in a loop stops allocating. Zero-initialise: {0} is an empty buffer. */
#ifndef DFOPT_BASE_BUF_H
#define DFOPT_BASE_BUF_H

#include "dfopt/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct dfopt_buf {
    char *data; /* owned; NULL while cap is 0 */
    size_t len, cap;
};

/* Makes room for `extra` more bytes. Returns OK or NOMEM (nothing changed). */
enum dfopt_err dfopt_buf_reserve(struct dfopt_buf *b, size_t extra);

/* Appends n bytes. Returns OK or NOMEM (nothing changed). */
enum dfopt_err dfopt_buf_add(struct dfopt_buf *b, const void *bytes, size_t n);

/* Appends n zero bytes and returns where they start, or NULL on NOMEM. The
 * pointer holds until the next call that adds. */
void *dfopt_buf_grow(struct dfopt_buf *b, size_t n);

/* The same, but the bytes are left as they are: every one must be written. */
static inline void *dfopt_buf_extend(struct dfopt_buf *b, size_t n)
{
    if (n > b->cap - b->len && dfopt_buf_reserve(b, n) != DFOPT_OK)
        return NULL;
    b->len += n;
    return b->data + (b->len - n);
}

/* Appends printf-formatted text; keeps a NUL behind it that len leaves out. */
enum dfopt_err dfopt_buf_printf(struct dfopt_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `index` in an array of `size` bytes an item, which *cap counts and new
 * ones of which are zero. Returns where it is now, or NULL on NOMEM (nothing
 * changed). */
void *dfopt_array_reserve(void *array, uint32_t *cap, uint32_t index, size_t size);

/* Forgets the contents, keeps the memory. */
void dfopt_buf_clear(struct dfopt_buf *b);

/* Frees the memory and leaves an empty buffer. */
void dfopt_buf_free(struct dfopt_buf *b);

/* Number of rows of `type` in the buffer, and the rows. */
#define DFOPT_ROWS(b, type) ((b)->len / sizeof(type))
#define DFOPT_ROW(b, type)  ((type *)(void *)(b)->data)

#endif
