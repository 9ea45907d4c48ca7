/* Settings from the environment of rank 0. */
#ifndef DFOPT_MPIIO_SETTINGS_H
#define DFOPT_MPIIO_SETTINGS_H

#include "mpiio/knobs.h"

#include <stdio.h>

/* Zeroed: nothing was asked for. */
struct dfopt_mpiio_settings {
    struct dfopt_mpiio_knobs *knobs; /* owned; NULL: stay out of the way */
    struct dfopt_client_options client;
    FILE *report; /* owned, or NULL: a line for each window */
    bool verbose;
};

/* Reads them. What is wrong is printed on standard error, once, and then nothing
 * was asked for. Texts are those of the environment. */
void dfopt_mpiio_settings_read(struct dfopt_mpiio_settings *s);

void dfopt_mpiio_settings_free(struct dfopt_mpiio_settings *s);

/* Prints a line, whose source is this library. */
void dfopt_mpiio_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
