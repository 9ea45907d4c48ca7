/* The files of a run, so that no output of it destroys another file of it. */
#ifndef DFOPT_CMD_MPI_PATHS_H
#define DFOPT_CMD_MPI_PATHS_H

#include "cmd/mpi/options.h"

/* Follows the symbolic links at the end of a path, also to a file that does not
 * exist yet: a log is created beside its path and renamed, which would replace the
 * link, and its journal has its name. Returns owned (NULL: no memory); a copy, if
 * it is no link or cannot be followed. */
char *dfopt_path_follow(const char *path);

/* Whether two paths name one regular file, or would if they do not exist yet. */
bool dfopt_path_same(const char *a, const char *b);

/* Checks that no output is the same file as an input or as another output, by
 * whatever names. The files of --findings-file are not looked at: see inputs.h. OK,
 * NOMEM, or ARG: names both options. */
enum dfopt_err dfopt_paths_check(const struct dfopt_options *o,
                                 struct dfopt_error *err);

#endif
