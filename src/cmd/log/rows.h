/* The tables of a log as they are shown: which fields a row has, and a row as
 * JSON or CSV. dump, export, diff and follow go by it. */
#ifndef DFOPT_CMD_LOG_ROWS_H
#define DFOPT_CMD_LOG_ROWS_H

#include "cmd/log/print.h"
#include "declog/cursor.h"

enum log_field_type {
    LOG_FIELD_U64,
    LOG_FIELD_U32,
    LOG_FIELD_I64,
    LOG_FIELD_WINDOW, /* int64_t; negative is null */
    LOG_FIELD_REAL,   /* not finite is null */
    LOG_FIELD_FLAG,
    LOG_FIELD_NAME, /* of an enumerator */
    LOG_FIELD_SYM,
    LOG_FIELD_LIST,
    LOG_FIELD_VALUE,
    LOG_FIELD_PLAN_ID, /* uint64_t; 0 is null */
    LOG_FIELD_METRICS, /* bit mask */
    LOG_FIELD_TEXT,    /* of a pool */
    LOG_FIELD_JSON     /* of a pool, as it is */
};

struct log_field {
    const char *name;
    enum log_field_type type;
    size_t offset;
    const char *(*name_of)(uint32_t);
    enum dfopt_declog_pool pool;
};

/* The fields of a type as they lie in a row. */
union log_field_value {
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    double real;
    struct dfopt_value value;
    struct dfopt_declog_text text;
};

#define LOG_NO_SEQ      SIZE_MAX /* rows are of no event */
#define LOG_NO_POSITION SIZE_MAX

struct log_table {
    const char *kind; /* what one row is */
    const char *name; /* of the table */
    enum dfopt_declog_table table;
    size_t seq, position;           /* offsets */
    const struct log_field *fields; /* without seq; the last has no name */
};

/* In the order of their rows within an event. */
enum log_kind {
    LOG_REGISTRATION,
    LOG_KNOB,
    LOG_RESPONSE,
    LOG_FINDING,
    LOG_ACK,
    LOG_GLOBAL_PLAN,
    LOG_REJECT,
    LOG_SUPPRESSION,
    LOG_TIMEOUT,
    LOG_VERDICT,
    LOG_PLAN,
    LOG_SEEN, /* what a resumed run needs */
    LOG_ORIGIN,
    LOG_RUN,
    LOG_KNOB_VALUE, /* no events */
    LOG_RUN_TEXT,
    LOG_KINDS
};

#define LOG_KIND_BIT(kind) (UINT32_C(1) << (kind))

/* What came in and what was decided about it: all events. */
#define LOG_EVENT_KINDS                                                            \
    ((LOG_KIND_BIT(LOG_SEEN) - 1) & ~LOG_KIND_BIT(LOG_KNOB) &                      \
     ~LOG_KIND_BIT(LOG_RESPONSE))

extern const struct log_table log_tables[LOG_KINDS];

uint64_t log_row_seq(const struct log_table *t, const void *row);

/* The member of a row that a field shows. */
union log_field_value log_field_of(const struct log_field *f, const void *row);

/* A row as an object on a line of its own. Errors: of reading texts, NOMEM. */
enum dfopt_err log_row_json(struct log_print *p, struct dfopt_declog_reader *r,
                            const struct log_table *t, const void *row,
                            bool with_kind, struct dfopt_error *err);

/* A line of names, and a row, as CSV (RFC 4180): null is empty, the items of a
 * list are parted by `;`; lines end with LF. */
void log_csv_header(struct log_print *p, const struct log_table *t);
enum dfopt_err log_row_csv(struct log_print *p, struct dfopt_declog_reader *r,
                           const struct log_table *t, const void *row,
                           struct dfopt_error *err);

#endif
