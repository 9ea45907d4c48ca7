/* Reads small files as a whole: policies, registrations. */
#ifndef DFOPT_TRANSPORT_FILE_WHOLE_H
#define DFOPT_TRANSPORT_FILE_WHOLE_H

#include "base/buf.h"

#include <signal.h>

/* Reads a file of at most 64 MiB into *out, decompressed if it is gzip and without
 * a byte order mark. Waits for the writer of a FIFO until *stop is set (NULL: for
 * ever). OK, NOMEM, LIMIT, INTERRUPTED or IO; the text names the path. */
enum dfopt_err dfopt_file_read(const char *path, const volatile sig_atomic_t *stop,
                               struct dfopt_buf *out, struct dfopt_error *err);

#endif
