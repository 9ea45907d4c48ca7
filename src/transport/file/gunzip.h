/* Unpacks a gzip stream incrementally: bytes in, bytes out, no files. Members
 * that follow one another are one stream; zero bytes behind the last one (from
 * tapes and block devices) are left out. */
#ifndef DFOPT_TRANSPORT_FILE_GUNZIP_H
#define DFOPT_TRANSPORT_FILE_GUNZIP_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>

struct dfopt_gunzip;

/* Returns OK or NOMEM. Returns owned: destroy (NULL is fine). */
enum dfopt_err dfopt_gunzip_create(struct dfopt_gunzip **out);
void dfopt_gunzip_destroy(struct dfopt_gunzip *g);

/* Where to put packed bytes and how many fit. Only when run has no more to give
 * (it left *got 0): what was there before is used up. */
char *dfopt_gunzip_space(struct dfopt_gunzip *g, size_t *cap);

/* Adds the n bytes that were put there. */
void dfopt_gunzip_filled(struct dfopt_gunzip *g, size_t n);

/* Unpacks into out; *got bytes, 0 when more packed ones are needed. Returns NULL
 * or, when nothing was left to unpack before it, what is wrong with the stream
 * (borrowed from g). */
const char *dfopt_gunzip_run(struct dfopt_gunzip *g, char *out, size_t cap,
                             size_t *got);

/* Whether the stream may end where it is. */
bool dfopt_gunzip_complete(const struct dfopt_gunzip *g);

#endif
