/* Unpacks a gzip stream incrementally: bytes in, bytes out, no files.
 * Concatenated members are one stream; zero bytes after the last one (from
 * tapes and block devices) are skipped. */
#ifndef DFOPT_TRANSPORT_FILE_GUNZIP_H
#define DFOPT_TRANSPORT_FILE_GUNZIP_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>

struct dfopt_gunzip;

/* Returns OK or NOMEM. Returns owned: destroy (NULL is fine). */
enum dfopt_err dfopt_gunzip_create(struct dfopt_gunzip **out);
void dfopt_gunzip_destroy(struct dfopt_gunzip *g);

/* Where to put packed bytes, and how many fit. Call only when run has no more
 * output (*got was 0): earlier input has then been consumed. */
char *dfopt_gunzip_space(struct dfopt_gunzip *g, size_t *cap);

/* Adds the n bytes that were put there. */
void dfopt_gunzip_filled(struct dfopt_gunzip *g, size_t n);

/* Unpacks into out; *got bytes, 0 when it needs more packed ones. Returns NULL
 * or, once all output before the damage was returned, what is wrong with the
 * stream (borrowed from g). */
const char *dfopt_gunzip_run(struct dfopt_gunzip *g, char *out, size_t cap,
                             size_t *got);

/* Whether the stream may end where it is. */
bool dfopt_gunzip_complete(const struct dfopt_gunzip *g);

#endif
