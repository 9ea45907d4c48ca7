/* Files as a transport: findings and event logs are read from JSON lines, JSON
 * arrays, gzip of either, standard input or a FIFO; plans are written as JSON
 * lines. Values are framed here, not validated: the codec does that. */
#ifndef DFOPT_TRANSPORT_FILE_FILE_H
#define DFOPT_TRANSPORT_FILE_FILE_H

#include "base/buf.h"
#include "transport/transport.h"

/* Used where the option is 0. */
#define DFOPT_FILE_MAX_RECORD_BYTES ((size_t)1 << 20)
#define DFOPT_FILE_BUFFER_BYTES     ((size_t)1 << 20)

/* Of a record that is too long this much is delivered (or the limit, if that is
 * less). */
#define DFOPT_FILE_PROBLEM_BYTES 256

struct dfopt_file_source_options {
    const char *const *patterns; /* paths or globs, read in this order; "-" is
                                  * standard input (once). Borrowed for create */
    size_t n;
    size_t max_record_bytes; /* longer ones are delivered with a problem */
    size_t buffer_bytes;     /* first size of the read buffer; for tests */
};

/* A source of the values in the files, in order. Globs are expanded (sorted,
 * each by itself) and every file is looked at (exists, may be read, is no
 * directory), so that a mistake shows before anything runs; files are opened
 * when their turn comes. Returns OK, NOMEM, ARG (no files, standard input twice)
 * or IO (the text names the path). Returns owned: (*out)->ops->destroy.
 *
 * Records: `origin` is the path or "standard input", `stream` is -1, `line` is
 * the line or the element of the array. A record with a problem is the too long
 * one, the empty element, the element without a comma before it, the place
 * where an array is cut off, and the bytes after its end (the rest of that file
 * is left out). The record may hold white space at its end.
 *
 * An error (the file went away, cannot be read, is damaged gzip) ends that file
 * after the whole records before it; what is half there is left out. The next
 * call continues with the next file. */
enum dfopt_err dfopt_file_source_create(struct dfopt_source **out,
                                        const struct dfopt_file_source_options *o,
                                        struct dfopt_error *err);

/* Shows the record that the following `next` of a file source will return, and
 * returns what it would. The record is borrowed until that record was fetched
 * and the source is called once more. An error is reported once: the call after
 * it continues. */
enum dfopt_source_status dfopt_file_source_peek(struct dfopt_source *s,
                                                int timeout_ms,
                                                struct dfopt_record *record,
                                                struct dfopt_error *err);

/* A sink that writes one line a plan to `path` (borrowed), made or emptied by
 * this call; "-" is standard output, which is never closed. A FIFO waits for its
 * reader. The caller must ignore SIGPIPE. A regular file is locked until destroy,
 * which returns IO if the path no longer names it. Returns OK, NOMEM, ARG (an empty
 * path), STATE (another program writes it) or IO. Returns owned:
 * (*out)->ops->destroy.
 *
 * Plans are buffered: an error of the file (IO; the text names it) may show in a
 * later publish, in flush or in destroy, and every later call returns it again.
 * After one, a file ends with the last line that was written whole (a pipe or
 * standard output may end within a line). */
enum dfopt_err dfopt_file_sink_create(struct dfopt_sink **out, const char *path,
                                      struct dfopt_error *err);

/* How much of a file that is there already is kept. */
struct dfopt_file_lines {
    uint64_t keep;          /* at most so many lines from the first on */
    uint64_t kept;          /* out: so many whole ones there were */
    bool regular;           /* out: false: it is no file with lines to keep */
    struct dfopt_buf *last; /* out: the last that was kept, without its newline */
};

/* As dfopt_file_sink_create, but keeps lines that a regular file has: the
 * rest of it is cut off. Further errors: IO (it cannot be read). */
enum dfopt_err dfopt_file_sink_reopen(struct dfopt_sink **out, const char *path,
                                      struct dfopt_file_lines *lines,
                                      struct dfopt_error *err);

#endif
