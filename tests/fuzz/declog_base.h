/* A decision log to be damaged: small, with a row or more in every table. Its file
 * is in /tmp until the program exits. */
#ifndef DFOPT_TESTS_FUZZ_DECLOG_BASE_H
#define DFOPT_TESTS_FUZZ_DECLOG_BASE_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

struct declog_base {
    int fd;
    const char *path;
    uint8_t *bytes; /* what it holds */
    size_t n;
};

/* Makes it, of rows deflated at that level. `complete`: closed in order; else as a
 * writer that was killed leaves it. Ends the program when it cannot. */
void declog_base_make(struct declog_base *b, int compression, int complete);

/* Opens the log and reads every row of every table and every text, as far as it can
 * be read. Checks what reader.h promises: an error has a text, and a row that was
 * handed out names nothing that is not there. Returns whether all could be read;
 * *err is why it could not be opened. */
int declog_base_read(const char *path, struct dfopt_error *err);

#endif
