/* Records a session: the input, as lines of an event log that can be
 * replayed (docs/online.md). Every record is one line, in order, so that it takes
 * the same number again and the same is decided. */
#ifndef DFOPT_JOURNAL_LINE_H
#define DFOPT_JOURNAL_LINE_H

#include "base/buf.h"
#include "transport/transport.h"

/* The most that a line is longer than the record, if that can be used. */
#define DFOPT_RECORD_ENVELOPE_BYTES 40

/* The contents of a line. */
struct dfopt_recorded {
    const struct dfopt_record *record;
    uint32_t stream; /* enum dfopt_stream */
    bool usable;  /* else its bytes are kept: "raw", a text, or "raw_hex", and the
                   * record's problem, if it has one. The line is rejected for
                   * the same reason */
    uint64_t seq; /* its number */
    uint32_t run; /* of an ack: cut out of the ids of plans, since a replay has
                   * none; 0: nothing is cut out */
    const char *why; /* the reason an unusable record was rejected */
    size_t max_line; /* bytes, 0: no limit. If the line of an unusable record would
                      * be longer, it holds the record's beginning and `why` */
};

/* Replaces *line by the line for a record, without newline; `numbered`: with its
 * number as well, that which its origin keeps of it, and a checksum. OK or NOMEM.
 */
enum dfopt_err dfopt_record_line(const struct dfopt_recorded *r, bool numbered,
                                 struct dfopt_buf *line);

/* What a numbered line begins with: its checksum, as JSON. */
#define DFOPT_RECORD_CHECK_BYTES 28

/* Puts it where there is room for it at the line's beginning; `len` is with it. */
void dfopt_record_check(char *line, size_t len);

/* What stands behind the checksum of a numbered line, to its end; NULL: the line is
 * not as it was written. */
const char *dfopt_record_checked(const char *line, size_t len);

#endif
