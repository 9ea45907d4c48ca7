/* Claims the path of a decision log, and puts a new file in place even if
 * several programs compete for it. */
#ifndef DFOPT_DECLOG_PLACE_H
#define DFOPT_DECLOG_PLACE_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* The file that a path names. */
struct dfopt_place {
    bool there; /* false: none */
    dev_t dev;
    ino_t ino;
};

/* What a path names now. OK, or IO (see errno; a missing file is OK). */
enum dfopt_err dfopt_place_of(const char *path, struct dfopt_place *out);
bool dfopt_place_same(const struct dfopt_place *a, const struct dfopt_place *b);

/* Whether a log may replace what is at a path: a log without a writer, an empty
 * file, or nothing. *out identifies it. OK, FORMAT, STATE (it is being
 * written), IO; the text names the path. */
enum dfopt_err dfopt_place_check(const char *path, struct dfopt_place *out,
                                 struct dfopt_error *err);

/* An unused file name beside a path (returns owned; NULL: no memory). Removes
 * what killed writers left beside it. */
char *dfopt_place_beside(const char *path);

/* Renames a file beside the path to the path, if that still names what it did
 * before. Returns 0 or an errno; EEXIST: it names another file now. */
int dfopt_place_put(const char *beside, const char *path,
                    const struct dfopt_place *before);

#endif
