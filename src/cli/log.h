/* What the commands of dfopt-log share: going through the tables of a log in
 * the order of events with bounded memory, and writing what they print. */
#ifndef DFOPT_CLI_LOG_H
#define DFOPT_CLI_LOG_H

#include "cli/log_commands.h"
#include "declog/reader.h"

/* Exit status; 64 is a usage error (argp's). */
enum { LOG_OK = 0, LOG_TROUBLE = 1 };
enum { CHECK_COMPLETE = 0, CHECK_INCOMPLETE = 1, CHECK_UNREADABLE = 2 };

/* Opens FILE, or says why not on stderr and returns NULL. */
struct dfopt_declog_reader *log_open(const char *path);

/* Says what went wrong on stderr. Returns LOG_TROUBLE. */
int log_trouble(const struct dfopt_error *err);

enum log_out {
    LOG_OUT_OK,
    LOG_OUT_LEFT,  /* a pipe whose reader has left: be done, quietly */
    LOG_OUT_FAILED /* said why on stderr */
};

/* Writes *b to stdout and empties it. */
enum log_out log_write(struct dfopt_buf *b);

/* ---- a table, row by row ---- */

struct log_cursor {
    struct dfopt_declog_reader *reader; /* borrowed */
    enum dfopt_declog_table table;
    size_t row_size;
    struct dfopt_buf rows; /* a block of them */
    uint64_t first, end;   /* of the block, in the table */
    uint64_t next;         /* row that comes next; end of table: none */
};

/* A cursor on the table's first row. Returns OK or NOMEM. */
enum dfopt_err log_cursor_init(struct log_cursor *c, struct dfopt_declog_reader *r,
                               enum dfopt_declog_table table, size_t row_size);
void log_cursor_free(struct log_cursor *c);

/* *row is the next row, or NULL at the end; borrowed until the cursor moves.
 * Does not move by itself: c->next++ does. */
enum dfopt_err log_cursor_row(struct log_cursor *c, const void **row,
                              struct dfopt_error *err);

/* Moves to the first row whose seq (a uint64_t at the offset) is not below. */
enum dfopt_err log_cursor_seek(struct log_cursor *c, size_t seq_offset,
                               uint64_t seq, struct dfopt_error *err);

/* ---- JSON ---- */

/* A string of the log's dictionary, or null. */
enum dfopt_err log_json_sym(const struct dfopt_dict *dict, dfopt_sym s,
                            struct dfopt_buf *out);

/* A number, or null if it is not finite. */
enum dfopt_err log_json_real(double d, struct dfopt_buf *out);

enum dfopt_err log_json_text(const char *text, struct dfopt_buf *out);

#endif
