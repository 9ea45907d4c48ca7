/* A growable byte buffer: text being built, a frame being packed, or an array
 * of plain rows. dfopt_buf_clear keeps the capacity, so a buffer reused in a
 * loop stops allocating. Zero-initialise: {0} is an empty buffer. */
#ifndef DFOPT_BASE_BUF_H
#define DFOPT_BASE_BUF_H

#include "dfopt/error.h"

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

/* Appends n zero bytes and returns their start, or NULL on NOMEM. The pointer
 * is valid until the next append. */
void *dfopt_buf_grow(struct dfopt_buf *b, size_t n);

/* The same, but leaves the bytes uninitialised: the caller must write them all. */
static inline void *dfopt_buf_extend(struct dfopt_buf *b, size_t n)
{
    if (n > b->cap - b->len && dfopt_buf_reserve(b, n) != DFOPT_OK)
        return NULL;
    b->len += n;
    return b->data + (b->len - n);
}

/* Appends printf-formatted text and a NUL that len does not count. */
enum dfopt_err dfopt_buf_printf(struct dfopt_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes room for `index` in an array of `size`-byte items with capacity *cap;
 * new items are zero. Returns the array, which may have moved, or NULL on NOMEM
 * (nothing changed). */
void *dfopt_array_reserve(void *array, uint32_t *cap, uint32_t index, size_t size);

/* Discards the contents, keeps the memory. */
void dfopt_buf_clear(struct dfopt_buf *b);

/* Frees the memory and leaves an empty buffer. */
void dfopt_buf_free(struct dfopt_buf *b);

/* The number of rows of `type` in the buffer, and the rows. */
#define DFOPT_ROWS(b, type) ((b)->len / sizeof(type))
#define DFOPT_ROW(b, type)  ((type *)(void *)(b)->data)

#endif
