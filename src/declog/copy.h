/* A clean copy of a decision log: of one whose writer was killed, or that has
 * lost its end, what can be relied on, in a file that anything opens. */
#ifndef DFOPT_DECLOG_COPY_H
#define DFOPT_DECLOG_COPY_H

#include "declog/reader.h"

/* Copies what the reader's last commit counts to a new file. The copy is marked
 * as complete if its source is. Errors: IO (names the path; it exists already,
 * or cannot be written), those of reading, NOMEM. A copy that fails is removed. */
enum dfopt_err dfopt_declog_copy(struct dfopt_declog_reader *r, const char *path,
                                 struct dfopt_error *err);

#endif
