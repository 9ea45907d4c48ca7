/* Tells a log that is being written from one whose writer was killed. */
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

#endif
