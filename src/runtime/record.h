/* Recording a session: what comes in, as lines of an event log that can be
 * replayed (docs/online.md). Every record is one line, in order, so that it takes
 * the same number again and the same is decided. */
#ifndef DFOPT_RUNTIME_RECORD_H
#define DFOPT_RUNTIME_RECORD_H

#include "base/buf.h"
#include "transport/transport.h"

/* The most that a line is longer than the record, if that can be used. */
#define DFOPT_RECORD_ENVELOPE_BYTES 40

/* Replaces *line by the line for a record, without newline. `stream` is an enum
 * dfopt_stream; a record that is not `usable` becomes an event with a text for
 * a body, which cannot be used either. OK or NOMEM. */
enum dfopt_err dfopt_record_line(uint32_t stream, const struct dfopt_record *rec,
                                 bool usable, struct dfopt_buf *line);

#endif
