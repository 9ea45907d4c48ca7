/* Distinguishes a log that is being written from one whose writer was killed. */
#ifndef DFOPT_DECLOG_LIVENESS_H
#define DFOPT_DECLOG_LIVENESS_H

#include "declog/reader.h"

enum dfopt_writer {
    DFOPT_WRITER_UNKNOWN, /* on another host, and the file system cannot tell */
    DFOPT_WRITER_NONE,    /* no writer */
    DFOPT_WRITER_ALIVE
};

/* The state of the log's writer. ALIVE: the process of its last run is running
 * on this host, or some process has the file open for writing. */
enum dfopt_writer dfopt_declog_writer(struct dfopt_declog_reader *r);

/* The same for any kind of file, judging by the file alone. */
enum dfopt_writer dfopt_declog_file_writer(const char *path);

/* Whether the log has no writer now, as far as can be determined. OK, or STATE:
 * the text names the path and the writer. A path without a log is free. */
enum dfopt_err dfopt_declog_reader_is_free(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err);
enum dfopt_err dfopt_declog_is_free(const char *path, struct dfopt_error *err);

#endif
