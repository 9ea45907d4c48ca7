/* The rows of one chunk, column by column, as they are to lie in the file. Rows
 * are taken apart as they come, while they are in the processor's cache. */
#ifndef DFOPT_DECLOG_CHUNK_H
#define DFOPT_DECLOG_CHUNK_H

#include "declog/layout.h"

struct dfopt_chunk { /* zero-initialise, but for the layout */
    const struct dfopt_layout *layout;
    unsigned char *columns; /* owned; one behind the other */
    size_t rows;            /* so far */
};

void dfopt_chunk_free(struct dfopt_chunk *c); /* keeps the layout */

/* Adds rows of the layout until the chunk is full. Returns how many of the n were
 * taken; fewer than fit: no memory (nothing changed). */
size_t dfopt_chunk_add(struct dfopt_chunk *c, const void *rows, size_t n);

/* The column's elements, and zeros up to a whole chunk. There must be a row. */
const void *dfopt_chunk_column(const struct dfopt_chunk *c, size_t column);

#endif
