/* Cuts bytes into JSON values: one a line (JSONL), or the elements of one array
 * when the first byte that is not white space is '['. A UTF-8 byte order mark at
 * the start is skipped. Knows strings, escapes and depth, and nothing else of
 * JSON; does no input or output and keeps no bytes. */
#ifndef DFOPT_TRANSPORT_FILE_FRAMER_H
#define DFOPT_TRANSPORT_FILE_FRAMER_H

#include "transport/file/scan.h"
#include "transport/transport.h"

enum dfopt_framer_mode {
    DFOPT_FRAMER_START, /* nothing but white space so far */
    DFOPT_FRAMER_LINES,
    DFOPT_FRAMER_ARRAY,
    DFOPT_FRAMER_AFTER, /* behind the ] of the array */
    DFOPT_FRAMER_DONE   /* whatever comes is left out */
};

/* What may come next in an array. */
enum dfopt_framer_expect {
    DFOPT_FRAMER_FIRST,    /* an element or the end */
    DFOPT_FRAMER_ELEMENT,  /* an element: there was a comma */
    DFOPT_FRAMER_SEPARATOR /* a comma or the end */
};

/* Private; here so that it needs no allocation. */
struct dfopt_framer {
    size_t max;      /* longest record */
    uint64_t offset; /* in the input, of the window's first byte */
    uint64_t number; /* of the current line or the last element */
    size_t scanned;  /* bytes of the window that need no second look */
    enum dfopt_framer_mode mode;
    enum dfopt_framer_expect expect; /* array, between elements */
    const char *problem;             /* of the current element */
    bool in_element;        /* array: the window starts within an element */
    struct dfopt_scan scan; /* of that element */
    bool skipping;          /* the rest of a record that was too long */
    bool bom_seen;          /* looked for the byte order mark */
};

/* Bytes of the input that are not used up, and whether no more will follow. */
struct dfopt_framer_window {
    const char *data;
    size_t len;
    bool last;
};

enum dfopt_framer_status {
    DFOPT_FRAMER_RECORD, /* *record is filled, but for stream and origin */
    DFOPT_FRAMER_MORE,   /* needs more bytes behind those left in the window */
    DFOPT_FRAMER_END     /* the input is used up, or the rest is left out */
};

/* Starts a new input. Records may have up to `max` bytes (at least 1). */
void dfopt_framer_init(struct dfopt_framer *f, size_t max);

/* Takes the next record off the front of the window, which must continue where
 * the last call left it; the record points to bytes that were in the window.
 * Never leaves more than max + 2 bytes in it when it asks for MORE, and never
 * asks when w->last. The records do not depend on how the input was cut into
 * windows. */
enum dfopt_framer_status dfopt_framer_next(struct dfopt_framer *f,
                                           struct dfopt_framer_window *w,
                                           struct dfopt_record *record);

#endif
