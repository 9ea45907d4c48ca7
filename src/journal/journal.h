/* The journal of a live service: the records ingested since the decision log was
 * last made durable, as lines of an event log with their numbers. A line is with
 * the operating system before what it led to leaves the program, so that a crash
 * of the process loses nothing that others have seen; the log's own flush, which
 * costs a hundred times as much, can then wait (docs/decision-log.md, Journal).
 * One thread. */
#ifndef DFOPT_JOURNAL_JOURNAL_H
#define DFOPT_JOURNAL_JOURNAL_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The journal of a decision log lies beside it, under its name and this. */
#define DFOPT_JOURNAL_SUFFIX ".journal"

struct dfopt_journal;

/* Makes or empties the file (mode 0600 of what the umask leaves); `keep`: goes on
 * behind its whole lines, for the log has not got them yet. Returns OK, NOMEM or
 * IO (names the file). Returns owned: close. */
enum dfopt_err dfopt_journal_create(struct dfopt_journal **out, const char *path,
                                    bool keep, struct dfopt_error *err);

/* Adds a line (without newline; copied) in memory. OK or NOMEM. */
enum dfopt_err dfopt_journal_add(struct dfopt_journal *j, const char *line,
                                 size_t len);

/* Hands what was added to the operating system. OK or IO; after an error the file
 * ends with a whole line, as far as that can be had, and what was added waits for
 * the next call. */
enum dfopt_err dfopt_journal_write(struct dfopt_journal *j,
                                   struct dfopt_error *err);

/* Bytes of the whole lines in the file. */
uint64_t dfopt_journal_bytes(const struct dfopt_journal *j);

/* Bytes that wait to be written; and forgets them. */
size_t dfopt_journal_waiting(const struct dfopt_journal *j);
void dfopt_journal_forget(struct dfopt_journal *j);

/* The log has all: empties the file, and forgets what was added. OK or IO. */
enum dfopt_err dfopt_journal_cut(struct dfopt_journal *j, struct dfopt_error *err);

/* Closes it; `remove`: and removes the file, for the log has all. NULL is fine. */
void dfopt_journal_close(struct dfopt_journal *j, bool remove_file);

#endif
