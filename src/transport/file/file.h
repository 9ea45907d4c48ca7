/* Files as a transport: reads findings and event logs from JSON lines, JSON
 * arrays, gzip of either, standard input or a FIFO; writes plans as JSON lines.
 * Values are framed here, not validated: the codec does that. */
#ifndef DFOPT_TRANSPORT_FILE_FILE_H
#define DFOPT_TRANSPORT_FILE_FILE_H

#include "base/buf.h"
#include "transport/transport.h"

/* Used where the option is 0. */
#define DFOPT_FILE_MAX_RECORD_BYTES ((size_t)1 << 20)
#define DFOPT_FILE_BUFFER_BYTES     ((size_t)1 << 20)

/* A record that is too long is truncated to this size (or to the limit, if
 * smaller). */
#define DFOPT_FILE_PROBLEM_BYTES 256

struct dfopt_file_source_options {
    const char *const *patterns; /* paths or globs, read in this order; "-" is
                                  * standard input (once). Borrowed for create */
    size_t n;
    size_t max_record_bytes; /* longer ones are delivered with a problem */
    size_t buffer_bytes;     /* initial size of the read buffer; for tests */
};

/* A source of the values in the files, in order. Expands the globs (each sorted
 * separately) and checks every file (exists, is readable, is not a directory),
 * so that mistakes show before anything runs; opens each file in its turn.
 * Returns OK, NOMEM, ARG (no files, standard input twice) or IO (the text names
 * the path). Returns owned: (*out)->ops->destroy.
 *
 * Records: `origin` is the path or "standard input", `stream` is -1, `line` is
 * the line or the array element. Records with a problem are one that is too
 * long, an empty element, an element without a comma before it, the end of a
 * truncated array, and the bytes after an array's end (the rest of that file is
 * skipped). A record may end in white space.
 *
 * An error (the file disappeared, is unreadable, is damaged gzip) ends that
 * file after the complete records before it; a partial one is dropped. The next
 * call continues with the next file. */
enum dfopt_err dfopt_file_source_create(struct dfopt_source **out,
                                        const struct dfopt_file_source_options *o,
                                        struct dfopt_error *err);

/* Shows the record that the next `next` of a file source will return, and
 * returns the same status. The record is borrowed until it has been fetched and
 * the source is called again. An error is reported once: the next call
 * continues. */
enum dfopt_source_status dfopt_file_source_peek(struct dfopt_source *s,
                                                int timeout_ms,
                                                struct dfopt_record *record,
                                                struct dfopt_error *err);

/* A sink that writes one line per plan to `path` (borrowed), created or
 * truncated by this call; "-" is standard output, which is never closed.
 * Opening a FIFO waits for its reader. The caller must ignore SIGPIPE. A
 * regular file is locked until destroy, which returns IO if the path no longer
 * names it. Returns OK, NOMEM, ARG (an empty path), STATE (another program
 * writes it) or IO. Returns owned: (*out)->ops->destroy.
 *
 * Plans are buffered: an error of the file (IO; the text names it) may surface
 * in a later publish, flush or destroy, and every later call returns it again.
 * The file then ends with the last complete line (a pipe or standard output may
 * end within a line). */
enum dfopt_err dfopt_file_sink_create(struct dfopt_sink **out, const char *path,
                                      struct dfopt_error *err);

/* How much of an existing file is kept. */
struct dfopt_file_lines {
    uint64_t keep;          /* number of leading lines to keep at most */
    uint64_t kept;          /* out: number of complete lines kept */
    bool regular;           /* out: false: not a file whose lines can be kept */
    struct dfopt_buf *last; /* out: the last line kept, without its newline */
};

/* As dfopt_file_sink_create, but keeps the first lines of a regular file and
 * truncates the rest. Additional error: IO (unreadable). */
enum dfopt_err dfopt_file_sink_reopen(struct dfopt_sink **out, const char *path,
                                      struct dfopt_file_lines *lines,
                                      struct dfopt_error *err);

#endif
