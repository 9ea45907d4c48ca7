/* The records of a journal that a run left (journal/journal.h), then those of
 * another source: records that were ingested, and perhaps led to published plans,
 * but are not in the decision log that is resumed come first, once more. */
#ifndef DFOPT_JOURNAL_SOURCE_H
#define DFOPT_JOURNAL_SOURCE_H

#include "transport/transport.h"

/* Reads the journal at `path` (none is fine), from record `next_seq` on. `then` is
 * borrowed, and has all calls passed on to it but destroy. Returns OK, NOMEM, IO,
 * or FORMAT (a line is damaged or none of a journal, or they do not go on from
 * next_seq; names file and line). Returns owned: (*out)->ops->destroy. */
enum dfopt_err dfopt_journal_source_create(struct dfopt_source **out,
                                           const char *path, uint64_t next_seq,
                                           struct dfopt_source *then,
                                           struct dfopt_error *err);

/* Whether the journal at `path` (none is fine) holds records that its log has not
 * got, which ends before record `next_seq`. Errors as above. */
enum dfopt_err dfopt_journal_has_more(const char *path, uint64_t next_seq,
                                      bool *has_more, struct dfopt_error *err);

#endif
