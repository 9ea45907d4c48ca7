/* Writes small files as a whole. */
#ifndef DFOPT_CMD_MPI_FILES_H
#define DFOPT_CMD_MPI_FILES_H

#include "base/buf.h"

/* Whether a path can be written ("-": standard output); the file is neither created
 * nor changed. OK, IO, or STATE: a running program writes it; the text names the
 * path. NULL is fine. */
enum dfopt_err dfopt_file_may_write(const char *path, struct dfopt_error *err);

/* Writes a whole file ("-": standard output). OK or IO; the text names the path. */
enum dfopt_err dfopt_file_write(const char *path, const struct dfopt_buf *bytes,
                                struct dfopt_error *err);

#endif
