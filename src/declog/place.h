/* Claims the path of a decision log, and puts a new file in place even if several
 * programs compete for it. */
#ifndef DFOPT_DECLOG_PLACE_H
#define DFOPT_DECLOG_PLACE_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Which file a path names. */
struct dfopt_place {
    bool there; /* false: none */
    dev_t dev;
    ino_t ino;
};

/* What a path names now. OK, or IO (errno says why; a missing file is OK). */
enum dfopt_err dfopt_place_of(const char *path, struct dfopt_place *out);
bool dfopt_place_same(const struct dfopt_place *a, const struct dfopt_place *b);

/* Whether what is at a path may be replaced by a log: it is one that nobody
 * writes, an empty file, or nothing. *out says what it is. OK, FORMAT, STATE (it is
 * being written), IO; the text names the path. */
enum dfopt_err dfopt_place_check(const char *path, struct dfopt_place *out,
                                 struct dfopt_error *err);

/* The name of a file beside a path that no other program uses (returns owned; NULL:
 * no memory). Removes what killed writers left beside it. */
char *dfopt_place_beside(const char *path);

/* Gives a file beside the path its name, if the path names what it did before.
 * Returns 0 or an errno; EEXIST: it names another file now. */
int dfopt_place_put(const char *beside, const char *path,
                    const struct dfopt_place *before);

#endif
