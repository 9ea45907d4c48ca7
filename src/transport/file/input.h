/* The bytes of one file, FIFO or standard input, unpacked if gzip. */
#ifndef DFOPT_TRANSPORT_FILE_INPUT_H
#define DFOPT_TRANSPORT_FILE_INPUT_H

#include "dfopt/error.h"
#include "transport/file/magic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DFOPT_INPUT_STDIN "standard input" /* name in messages and records */

struct dfopt_gunzip;

enum dfopt_input_format {
    DFOPT_INPUT_UNKNOWN,
    DFOPT_INPUT_PLAIN,
    DFOPT_INPUT_GZIP
};

/* Plain data; zero-initialised it is closed. */
struct dfopt_input {
    const char *name; /* borrowed; NULL: closed */
    int fd;
    bool regular;       /* a regular file: reads never wait */
    uint64_t bytes_raw; /* read from the descriptor so far */
    enum dfopt_input_format format;
    struct dfopt_gunzip *gunzip;
    char head[DFOPT_MAGIC_BYTES]; /* the bytes that identify the format */
    size_t head_len;
    bool unpacked; /* gunzip has produced output */
    bool raw_end;  /* end of file on the descriptor */
};

enum dfopt_input_status {
    DFOPT_INPUT_DATA,
    DFOPT_INPUT_WAIT, /* nothing before the deadline, or a signal arrived */
    DFOPT_INPUT_END,
    DFOPT_INPUT_ERROR
};

/* Deadlines, on the clock of dfopt_clock_monotonic_ns. */
#define DFOPT_INPUT_NO_WAIT 0
#define DFOPT_INPUT_FOREVER INT64_MAX

/* Opens a path ("-": standard input) without waiting for a FIFO's writer. path
 * is borrowed until close. Returns OK or IO. */
enum dfopt_err dfopt_input_open(struct dfopt_input *in, const char *path,
                                struct dfopt_error *err);

/* Closes it, except standard input. Fine on a closed one. */
void dfopt_input_close(struct dfopt_input *in);

/* Reads up to cap (> 0) bytes; *got > 0 of them on DATA. A file recognised as
 * something other than JSON (another compression, an archive, UTF-16) is an
 * ERROR that says what it is and what to do. */
enum dfopt_input_status dfopt_input_read(struct dfopt_input *in, char *out,
                                         size_t cap, int64_t deadline_ns,
                                         size_t *got, struct dfopt_error *err);

#endif
