/* Cuts bytes into JSON values: one per line (JSONL), or the elements of one
 * array when the first byte other than white space is '['. Skips a UTF-8 byte
 * order mark at the start. Understands strings, escapes and depth, and nothing
 * else of JSON; does no I/O and keeps no bytes. */
#ifndef DFOPT_TRANSPORT_FILE_FRAMER_H
#define DFOPT_TRANSPORT_FILE_FRAMER_H

#include "transport/file/scan.h"
#include "transport/transport.h"

enum dfopt_framer_mode {
    DFOPT_FRAMER_START, /* only white space so far */
    DFOPT_FRAMER_LINES,
    DFOPT_FRAMER_ARRAY,
    DFOPT_FRAMER_AFTER, /* after the ] of the array */
    DFOPT_FRAMER_DONE   /* the remaining input is skipped */
};

/* What may follow in an array. */
enum dfopt_framer_expect {
    DFOPT_FRAMER_FIRST,    /* an element or the end */
    DFOPT_FRAMER_ELEMENT,  /* an element: after a comma */
    DFOPT_FRAMER_SEPARATOR /* a comma or the end */
};

/* Private; here so that no allocation is needed. */
struct dfopt_framer {
    size_t max;      /* longest record */
    uint64_t offset; /* of the window's first byte in the input */
    uint64_t number; /* of the current line or the last element */
    size_t scanned;  /* bytes of the window already examined */
    enum dfopt_framer_mode mode;
    enum dfopt_framer_expect expect; /* array, between elements */
    const char *problem;             /* of the current element */
    bool in_element;        /* array: the window starts within an element */
    struct dfopt_scan scan; /* of that element */
    bool skipping;          /* the rest of an oversized record */
    bool bom_seen;          /* the byte order mark was checked for */
};

/* Unconsumed bytes of the input, and whether they are the last. */
struct dfopt_framer_window {
    const char *data;
    size_t len;
    bool last;
};

enum dfopt_framer_status {
    DFOPT_FRAMER_RECORD, /* *record is filled except stream and origin */
    DFOPT_FRAMER_MORE,   /* needs more bytes after those left in the window */
    DFOPT_FRAMER_END     /* the input is consumed, or the rest skipped */
};

/* Starts a new input. Records may have up to `max` bytes (at least 1). */
void dfopt_framer_init(struct dfopt_framer *f, size_t max);

/* Takes the next record off the front of the window, which must continue where
 * the last call left it; the record points to bytes that were in the window.
 * Leaves at most max + 2 bytes in it when returning MORE, and never returns
 * MORE when w->last. The records do not depend on how the input was cut into
 * windows. */
enum dfopt_framer_status dfopt_framer_next(struct dfopt_framer *f,
                                           struct dfopt_framer_window *w,
                                           struct dfopt_record *record);

#endif
