/* Recognises files that are not JSON by their first bytes, and advises what to do.
 */
#ifndef DFOPT_TRANSPORT_FILE_MAGIC_H
#define DFOPT_TRANSPORT_FILE_MAGIC_H

#include <stdbool.h>
#include <stddef.h>

#define DFOPT_MAGIC_BYTES 6   /* that tell all of them but tar */
#define DFOPT_TAR_BYTES   262 /* that tell tar */

/* What a file is that begins with these bytes, and what to do: "is compressed by
 * zstd; unpack it with zstd -dc". NULL: nothing that is known; gzip is fine.
 * Static. */
const char *dfopt_magic_of(const char *data, size_t len);

bool dfopt_magic_is_gzip(const char *data, size_t len);

/* Whether more bytes may make one of the above out of them. */
bool dfopt_magic_may_come(const char *data, size_t len);

#endif
