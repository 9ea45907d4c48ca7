/* MPI-IO hints: names and values as in an MPI_Info. Plain data of fixed size, so
 * that one broadcast carries them. */
#ifndef DFOPT_MPIIO_HINTS_H
#define DFOPT_MPIIO_HINTS_H

#include "dfopt/client.h"

#include <mpi.h>

#define DFOPT_HINTS_MAX       16
#define DFOPT_HINT_NAME_SIZE  36
#define DFOPT_HINT_VALUE_SIZE 64

struct dfopt_hint {
    char name[DFOPT_HINT_NAME_SIZE];
    char value[DFOPT_HINT_VALUE_SIZE];
};

struct dfopt_hints {
    uint32_t n;
    struct dfopt_hint of[DFOPT_HINTS_MAX];
};

/* Returns the value of a hint, or NULL. Borrowed. */
const char *dfopt_hints_get(const struct dfopt_hints *h, const char *name);

/* Sets a hint; NULL removes it. Returns OK, or ARG: a text is too long or empty, or
 * there is no room for another hint. */
enum dfopt_err dfopt_hints_set(struct dfopt_hints *h, const char *name,
                               const char *value);

/* A knob's value as the text of a hint. Returns OK, or ARG: it cannot be one. */
enum dfopt_err dfopt_hint_text(const struct dfopt_client_value *v,
                               char text[DFOPT_HINT_VALUE_SIZE]);

/* Parses the text of a hint as a value of this kind. Returns whether it is one. */
bool dfopt_hint_value(const char *text, enum dfopt_client_kind kind,
                      struct dfopt_client_value *out);

/* Merges these hints over what the application gave (MPI_INFO_NULL is fine);
 * striping hints only if a file may be created. Returns owned: MPI_Info_free. OK,
 * or MPI: an MPI function failed. Local. */
enum dfopt_err dfopt_hints_merge(const struct dfopt_hints *h, MPI_Info given,
                                 bool creates, MPI_Info *out);

#endif
