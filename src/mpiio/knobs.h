/* The file that declares the knobs: hints, their values, and what they respond to.
 * It has the fields of a registration and a few of its own; docs/mpi-io.md. */
#ifndef DFOPT_MPIIO_KNOBS_H
#define DFOPT_MPIIO_KNOBS_H

#include "mpiio/hints.h"

#include "base/dict.h"

#define DFOPT_RESPONSES_MAX 8
#define DFOPT_PATTERNS_MAX  16

struct dfopt_mpiio_knob {
    struct dfopt_client_knob knob; /* its parameter is the name of the hint */
    struct dfopt_client_response responses[DFOPT_RESPONSES_MAX];
    struct dfopt_client_value *values; /* owned */
};

struct dfopt_mpiio_knobs {
    char name_space[64];
    struct dfopt_mpiio_knob of[DFOPT_HINTS_MAX];
    size_t n;
    struct dfopt_hints fixed; /* given to every open */
    char patterns[DFOPT_PATTERNS_MAX][DFOPT_HINT_VALUE_SIZE]; /* none: all files */
    size_t n_patterns;
    double min_bytes; /* smaller windows do not count */
    int wait_ms;      /* for a plan, at an open */
    int connect_ms;   /* for the optimizer, once, before the first such wait */
    int lease_ms;     /* of the optimizer; 0: the client's default */
    struct dfopt_dict *texts;
};

/* Reads the file. Returns OK; IO, PARSE, SCHEMA, LIMIT: *err names the file and the
 * knob; NOMEM. Returns owned: dfopt_mpiio_knobs_free. */
enum dfopt_err dfopt_mpiio_knobs_read(struct dfopt_mpiio_knobs **out,
                                      const char *path, struct dfopt_error *err);

void dfopt_mpiio_knobs_free(struct dfopt_mpiio_knobs *k); /* NULL is fine */

/* Whether a view can change it: a response is for "file_view". NULL is fine. */
bool dfopt_mpiio_at_view(const struct dfopt_mpiio_knob *k);

/* Whether to tune a file of this name: a pattern matches the whole name or the part
 * after the last slash. */
bool dfopt_mpiio_knobs_match(const struct dfopt_mpiio_knobs *k, const char *name);

#endif
