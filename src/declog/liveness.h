/* Whether a program has a file open for writing: how a log whose writer was
 * killed is told from one that is being written. */
#ifndef DFOPT_DECLOG_LIVENESS_H
#define DFOPT_DECLOG_LIVENESS_H

enum dfopt_presence {
    DFOPT_WRITER_THERE,
    DFOPT_WRITER_GONE,
    DFOPT_WRITER_UNKNOWN /* the file is another's, or its file system cannot say */
};

/* Asks the kernel. Sees writers of this machine, and on NFS those of others. */
enum dfopt_presence dfopt_writer_presence(const char *path);

#endif
