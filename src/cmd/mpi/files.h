/* Reads and writes small files as a whole. */
#ifndef DFOPT_CMD_MPI_FILES_H
#define DFOPT_CMD_MPI_FILES_H

#include "base/buf.h"

/* Reads a file of at most 64 MiB into *out, decompressed if it is gzip and without
 * a byte order mark. OK, NOMEM, LIMIT or IO; the text names the path. */
enum dfopt_err dfopt_file_read(const char *path, struct dfopt_buf *out,
                               struct dfopt_error *err);

/* Whether a path can be written ("-": standard output); the file is neither created
 * nor changed. OK, IO, or STATE: a running program writes it; the text names the
 * path. NULL is fine. */
enum dfopt_err dfopt_file_may_write(const char *path, struct dfopt_error *err);

/* Writes a whole file ("-": standard output). OK or IO; the text names the path. */
enum dfopt_err dfopt_file_write(const char *path, const struct dfopt_buf *bytes,
                                struct dfopt_error *err);

#endif
