/* A log's tables as shown: the fields of a row, and a row as JSON or CSV. Used by
 * dump, export, diff and follow. */
#ifndef DFOPT_CMD_LOG_ROWS_H
#define DFOPT_CMD_LOG_ROWS_H

#include "cmd/log/common.h"
#include "declog/cursor.h"

enum dl_field_type {
    DL_FIELD_U64,
    DL_FIELD_U32,
    DL_FIELD_I64,
    DL_FIELD_WINDOW, /* int64_t; negative: null */
    DL_FIELD_REAL,   /* not finite: null */
    DL_FIELD_FLAG,
    DL_FIELD_NAME, /* of an enumerator */
    DL_FIELD_SYM,
    DL_FIELD_LIST,
    DL_FIELD_VALUE,
    DL_FIELD_PLAN_ID, /* uint64_t; 0: null */
    DL_FIELD_METRICS, /* bit mask */
    DL_FIELD_TEXT,    /* from a pool */
    DL_FIELD_JSON     /* from a pool, unchanged */
};

struct dl_field {
    const char *name;
    enum dl_field_type type;
    size_t offset;
    const char *(*name_of)(uint32_t);
    enum dfopt_declog_pool pool;
};

/* The fields of a type at their offsets in a row. */
union dl_field_value {
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    double real;
    struct dfopt_value value;
    struct dfopt_declog_text text;
};

#define DL_NO_SEQ      SIZE_MAX /* rows belong to no event */
#define DL_NO_POSITION SIZE_MAX

struct dl_table {
    const char *kind; /* name of one row */
    const char *name; /* of the table */
    enum dfopt_declog_table table;
    size_t seq, position;          /* offsets */
    const struct dl_field *fields; /* without seq; the last one has no name */
};

/* In the order of rows within an event: table, name of one row, name of the table,
 * the row, its seq and, in POSITION's, its position within the event. */
#define DL_EVENT_LIST(EVENT, POSITION)                                             \
    EVENT(REGISTRATION, REGISTRATIONS, registration, "registrations",              \
          dfopt_declog_registration_row, seq)                                      \
    EVENT(KNOB, KNOBS, knob, "knobs", dfopt_declog_knob_row, seq)                  \
    EVENT(RESPONSE, RESPONSES, response, "responses", dfopt_declog_response_row,   \
          seq)                                                                     \
    EVENT(FINDING, FINDINGS, finding, "findings", dfopt_declog_finding_row, seq)   \
    EVENT(OBJECTIVE, OBJECTIVES, objective, "objectives",                          \
          dfopt_declog_objective_row, seq)                                         \
    EVENT(ACK, ACKS, ack, "acks", dfopt_declog_ack_row, seq)                       \
    EVENT(GLOBAL_PLAN, GLOBAL_PLANS, global_plan, "global_plans", dfopt_relay_row, \
          seq)                                                                     \
    EVENT(CONTROL, CONTROLS, control, "controls", dfopt_declog_control_row, seq)   \
    EVENT(REJECT, REJECTS, reject, "rejects", dfopt_declog_reject_row, seq)        \
    EVENT(SUPPRESSION, SUPPRESSIONS, suppression, "suppressions",                  \
          dfopt_suppression_row, seq)                                              \
    EVENT(TIMEOUT, TIMEOUTS, timeout, "timeouts", dfopt_timeout_row, seq)          \
    POSITION(VERDICT, VERDICTS, verdict, "verdicts", dfopt_verdict_row, seq,       \
             position)                                                             \
    POSITION(PLAN, PLANS, plan, "plans", dfopt_declog_plan_row, p.seq, p.position) \
    POSITION(OUTCOME, OUTCOMES, outcome, "outcomes", dfopt_declog_outcome_row,     \
             o.seq, o.position)                                                    \
    EVENT(SEEN, SEEN, seen, "seen", dfopt_seen_row, seq)                           \
    EVENT(ORIGIN, ORIGINS, origin, "origins", dfopt_declog_origin_row, seq)        \
    EVENT(RUN, RUNS, run, "runs", dfopt_declog_run_row, seq)
/* Rows that belong to no event. */
#define DL_OTHER_LIST(X)                                                           \
    X(KNOB_VALUE, KNOB_VALUES, knob_value, "knob_values")                          \
    X(RUN_TEXT, RUN_TEXTS, run_text, "run_texts")

enum dl_kind {
#define DL_ENUM(id, ...) DL_##id,
    DL_EVENT_LIST(DL_ENUM, DL_ENUM) DL_OTHER_LIST(DL_ENUM)
#undef DL_ENUM
        DL_KINDS
};

/* For DFOPT_OPTION_WORD: names of tables, and of kinds that are events. */
extern const char *const dl_table_words[DL_KINDS + 1];
extern const char *const dl_event_words[DL_KNOB_VALUE + 1];

#define DL_KIND_BIT(kind) (UINT32_C(1) << (kind))

/* Inputs and decisions: all events. */
#define DL_EVENT_KINDS                                                             \
    ((DL_KIND_BIT(DL_SEEN) - 1) & ~DL_KIND_BIT(DL_KNOB) & ~DL_KIND_BIT(DL_RESPONSE))

extern const struct dl_table dl_tables[DL_KINDS];

uint64_t dl_row_seq(const struct dl_table *t, const void *row);

/* The member of a row that a field shows. */
union dl_field_value dl_field_of(const struct dl_field *f, const void *row);

/* Writes a row as a JSON object on its own line. Errors: reading texts, NOMEM. */
enum dfopt_err dl_row_json(struct dl_print *p, struct dfopt_declog_reader *r,
                           const struct dl_table *t, const void *row,
                           bool with_kind, struct dfopt_error *err);

/* Write a line of names, and a row, as CSV (RFC 4180): null is empty, list items
 * are separated by `;`, lines end with LF. */
void dl_csv_header(struct dl_print *p, const struct dl_table *t);
enum dfopt_err dl_row_csv(struct dl_print *p, struct dfopt_declog_reader *r,
                          const struct dl_table *t, const void *row,
                          struct dfopt_error *err);

#endif
