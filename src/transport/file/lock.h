/* Locks output files: the writer holds an advisory lock until it closes the
 * file or dies. File systems without locks refuse no writer. Local. */
#ifndef DFOPT_TRANSPORT_FILE_LOCK_H
#define DFOPT_TRANSPORT_FILE_LOCK_H

#include "dfopt/error.h"

#include <stdbool.h>

/* Locks an open file for its writer; no effect on other than regular files. OK,
 * or STATE: another writer holds it (names the path). */
enum dfopt_err dfopt_file_lock(int fd, const char *path, struct dfopt_error *err);

/* Whether the file at a path has no writer now; OK if there is no file. OK or
 * STATE. */
enum dfopt_err dfopt_file_is_free(const char *path, struct dfopt_error *err);

/* Whether a path still names this open file; always true for other than regular
 * files. OK, or IO: it was moved, removed or replaced (names the path). */
enum dfopt_err dfopt_file_in_place(int fd, const char *path,
                                   struct dfopt_error *err);

#endif
