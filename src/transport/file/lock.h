/* Locks output files: the writer holds an advisory lock until it closes the file or
 * dies. On file systems without locks no writer is refused. Local. */
#ifndef DFOPT_TRANSPORT_FILE_LOCK_H
#define DFOPT_TRANSPORT_FILE_LOCK_H

#include "dfopt/error.h"

#include <stdbool.h>

/* Locks an open file for its writer; anything but a regular file is left alone.
 * OK, or STATE: another writer has it (names the path). */
enum dfopt_err dfopt_file_lock(int fd, const char *path, struct dfopt_error *err);

/* Whether nobody writes the file at a path now; OK if there is none. OK or STATE.
 */
enum dfopt_err dfopt_file_is_free(const char *path, struct dfopt_error *err);

/* Whether an open file is still what its path names. A file that is not regular
 * is. OK, or IO: it was moved, removed or replaced (names the path). */
enum dfopt_err dfopt_file_in_place(int fd, const char *path,
                                   struct dfopt_error *err);

#endif
