/* Settings from the environment of rank 0. */
#ifndef DFOPT_MPIIO_SETTINGS_H
#define DFOPT_MPIIO_SETTINGS_H

#include "mpiio/knobs.h"

#include <stdio.h>

/* Zeroed: tuning was not requested. */
struct dfopt_mpiio_settings {
    struct dfopt_mpiio_knobs *knobs; /* owned; NULL: do nothing */
    struct dfopt_client_options client;
    FILE *report; /* owned, or NULL: a line for each window */
    bool verbose;
};

/* Reads them. An error is printed once on standard error, and then counts as not
 * requested. Texts point into the environment. */
void dfopt_mpiio_settings_read(struct dfopt_mpiio_settings *s);

void dfopt_mpiio_settings_free(struct dfopt_mpiio_settings *s);

/* Prints a line, prefixed with this library's name. */
void dfopt_mpiio_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
