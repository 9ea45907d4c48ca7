/* Recognises files that are not JSON by their first bytes, and gives advice. */
#ifndef DFOPT_TRANSPORT_FILE_MAGIC_H
#define DFOPT_TRANSPORT_FILE_MAGIC_H

#include <stdbool.h>
#include <stddef.h>

#define DFOPT_MAGIC_BYTES 6   /* enough for all but tar */
#define DFOPT_TAR_BYTES   262 /* enough for tar */

/* What a file with these first bytes is, and what to do: "is compressed by
 * zstd; unpack it with zstd -dc". NULL: nothing known, or gzip, which is fine.
 * Static. */
const char *dfopt_magic_of(const char *data, size_t len);

bool dfopt_magic_is_gzip(const char *data, size_t len);

/* Whether more bytes might match one of these formats. */
bool dfopt_magic_may_come(const char *data, size_t len);

#endif
