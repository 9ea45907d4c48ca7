/* Small files, read and written whole. */
#ifndef DFOPT_CLI_FILES_H
#define DFOPT_CLI_FILES_H

#include "base/buf.h"

/* Reads a file of at most 64 MiB into *out. OK, NOMEM, LIMIT or IO; the text
 * names the path. */
enum dfopt_err dfopt_file_read(const char *path, struct dfopt_buf *out,
                               struct dfopt_error *err);

/* Writes a file whole ("-": standard output). OK or IO; the text names the path. */
enum dfopt_err dfopt_file_write(const char *path, const struct dfopt_buf *bytes,
                                struct dfopt_error *err);

#endif
