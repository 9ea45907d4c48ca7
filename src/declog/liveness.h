/* Distinguishes a log that is being written from one whose writer was killed. */
#ifndef DFOPT_DECLOG_LIVENESS_H
#define DFOPT_DECLOG_LIVENESS_H

#include "declog/reader.h"

enum dfopt_writer {
    DFOPT_WRITER_UNKNOWN, /* on another host, and the file system cannot tell */
    DFOPT_WRITER_NONE,    /* nobody writes it */
    DFOPT_WRITER_ALIVE
};

/* Who writes the log now. ALIVE: the process that its last run names runs on this
 * host, or some process has the file open for writing. */
enum dfopt_writer dfopt_declog_writer(struct dfopt_declog_reader *r);

/* The same for a file of any kind, by the file alone. */
enum dfopt_writer dfopt_declog_file_writer(const char *path);

/* Whether nobody writes the log now, as far as can be told. OK, or STATE: the text
 * names the path and who does. A path without a log is free. */
enum dfopt_err dfopt_declog_reader_is_free(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err);
enum dfopt_err dfopt_declog_is_free(const char *path, struct dfopt_error *err);

#endif
