/* The rows of one chunk, column by column, as stored in the file. Rows are
 * split as they arrive, while they are in the processor's cache. */
#ifndef DFOPT_DECLOG_CHUNK_H
#define DFOPT_DECLOG_CHUNK_H

#include "declog/layout.h"

struct dfopt_chunk { /* zero-initialise, except the layout */
    const struct dfopt_layout *layout;
    unsigned char *columns; /* owned; one after another */
    size_t rows;            /* so far */
};

void dfopt_chunk_free(struct dfopt_chunk *c); /* keeps the layout */

/* Adds rows of the layout until the chunk is full. Returns how many of the n
 * were taken; if fewer than fit: no memory (nothing changed). */
size_t dfopt_chunk_add(struct dfopt_chunk *c, const void *rows, size_t n);

/* The column's elements, zero-padded to a whole chunk. There must be a row. */
const void *dfopt_chunk_column(const struct dfopt_chunk *c, size_t column);

#endif
