/* Reads a decision log: finished, being written, or left by a killed writer.
 * Only looks at what the last row of /commits counts.
 *
 * Nothing in the file is trusted: every number in a row read (a string, a list,
 * an enumerator, a text's place) has been checked, so that rows can be used
 * without further checks. Memory is bounded: the strings and lists, and one
 * block of rows or texts at a time.
 *
 * One reader, one thread. */
#ifndef DFOPT_DECLOG_READER_H
#define DFOPT_DECLOG_READER_H

#include "declog/format.h"

#include <stdbool.h>

struct dfopt_declog_reader;

/* The attributes of the run. Texts are borrowed from the reader. */
struct dfopt_declog_run {
    int64_t format_version, ranks, created_ns;
    const char *hdf5_version, *created, *detail;
    /* program_version, mpi_library, transport, command_line, policy (JSON),
     * preset, acks_mode, relay_hostname, host, run_id; of the first run */
#define DFOPT_RUN_TEXT_MEMBER(name, text) const char *name;
    DFOPT_RUN_TEXT_LIST(DFOPT_RUN_TEXT_MEMBER)
#undef DFOPT_RUN_TEXT_MEMBER
    bool complete;                       /* the log was closed normally */
    bool live;                           /* a writer has it open, or was killed */
    bool cut;                            /* the file is truncated */
    uint64_t commits;                    /* rows of /commits */
    uint64_t lost_commits;               /* cut: rows that count lost data */
    struct dfopt_declog_commit_row last; /* zeros if there is none */
};

/* Opens a log. A truncated one (run.cut) is read up to the last commit whose
 * data is all present. Returns owned: close. Errors: IO (cannot be opened;
 * names path and reason), FORMAT (not HDF5, HDF5 but not a decision log, a
 * newer format version, damaged), NOMEM. */
enum dfopt_err dfopt_declog_reader_open(struct dfopt_declog_reader **out,
                                        const char *path, struct dfopt_error *err);
void dfopt_declog_reader_close(struct dfopt_declog_reader *r); /* NULL is fine */

/* Checks for new commits of the writer. Updates the run's complete, commits and
 * last. Errors as for open; the reader stays usable. */
enum dfopt_err dfopt_declog_reader_refresh(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err);

/* Whether its path names another file now, as after the log was resumed. */
bool dfopt_declog_reader_is_replaced(const struct dfopt_declog_reader *r);

/* Borrowed. The dictionary grows with a refresh; it is a replica. */
const struct dfopt_declog_run *
dfopt_declog_reader_run(const struct dfopt_declog_reader *r);
const struct dfopt_dict *
dfopt_declog_reader_dict(const struct dfopt_declog_reader *r);

/* Committed rows of a table. */
uint64_t dfopt_declog_reader_rows(const struct dfopt_declog_reader *r,
                                  enum dfopt_declog_table table);

/* Reads rows first .. first + n - 1 into an array of the table's row struct.
 * Errors: ARG (beyond the committed rows), IO, FORMAT (an invalid number: names
 * table, column and row), NOMEM. */
enum dfopt_err dfopt_declog_reader_read(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_table table,
                                        uint64_t first, size_t n, void *rows,
                                        struct dfopt_error *err);

/* Part of a table: some columns of rows first .. first + n - 1. */
struct dfopt_declog_part {
    enum dfopt_declog_table table;
    uint64_t columns; /* bits */
    uint64_t first;
    size_t n;
};

#define DFOPT_DECLOG_ALL_COLUMNS UINT64_MAX

/* The columns that store the n row members at these offsets. */
uint64_t dfopt_declog_columns(enum dfopt_declog_table table, size_t n,
                              const size_t *offsets);

/* dfopt_declog_reader_read for some columns: saves the time to unpack the
 * others. Members that are not read are zero. */
enum dfopt_err dfopt_declog_reader_read_part(struct dfopt_declog_reader *r,
                                             const struct dfopt_declog_part *part,
                                             void *rows, struct dfopt_error *err);

/* The bytes of a text of a row that was read (not of DFOPT_POOL_LISTS): sets
 * *bytes to end - start bytes without a NUL. Borrowed until the next call for
 * the same pool. Fast if texts are requested in row order. */
enum dfopt_err dfopt_declog_reader_text(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_pool pool,
                                        struct dfopt_declog_text text,
                                        const char **bytes,
                                        struct dfopt_error *err);

#endif
