/* The decision log's format: the tables of a file, the rows of each, and the
 * columns that store a row. The writer, the reader and the documentation
 * (docs/decision-log.md) follow one description, in layout.c.
 *
 * A table is a group of columns, one dataset each. A text that seldom repeats
 * (a rationale, a reason) is kept in a pool: the bytes of all rows,
 * concatenated in one dataset, and a column of end offsets. */
#ifndef DFOPT_DECLOG_FORMAT_H
#define DFOPT_DECLOG_FORMAT_H

#include "model/decision.h"

#include <stddef.h>
#include <stdint.h>

#define DFOPT_DECLOG_FORMAT  "dfopt-decision-log"
#define DFOPT_DECLOG_VERSION 3 /* increment when an older reader would misread */

enum dfopt_declog_table {
    DFOPT_TABLE_STRINGS,
    DFOPT_TABLE_LISTS,
    DFOPT_TABLE_FINDINGS,
    DFOPT_TABLE_REJECTS,
    DFOPT_TABLE_VERDICTS,
    DFOPT_TABLE_PLANS,
    DFOPT_TABLE_ACKS,
    DFOPT_TABLE_REGISTRATIONS,
    DFOPT_TABLE_KNOBS,
    DFOPT_TABLE_KNOB_VALUES,
    DFOPT_TABLE_RESPONSES,
    DFOPT_TABLE_GLOBAL_PLANS,
    DFOPT_TABLE_SUPPRESSIONS,
    DFOPT_TABLE_TIMEOUTS,
    DFOPT_TABLE_SEEN,
    DFOPT_TABLE_ORIGINS,
    DFOPT_TABLE_RUNS,
    DFOPT_TABLE_RUN_TEXTS,
    DFOPT_TABLE_OBJECTIVES,
    DFOPT_TABLE_OUTCOMES,
    DFOPT_TABLE_CONTROLS,
    DFOPT_TABLE_COUNT
};

enum dfopt_declog_pool {
    DFOPT_POOL_STRINGS,    /* bytes of /strings */
    DFOPT_POOL_LISTS,      /* items of /lists: dfopt_sym, not bytes */
    DFOPT_POOL_RATIONALE,  /* of /plans */
    DFOPT_POOL_PLAN_ID,    /* of /acks: as written by the application */
    DFOPT_POOL_ACK_REASON, /* of /acks */
    DFOPT_POOL_BODY,       /* of /registrations: compact JSON */
    DFOPT_POOL_RUN_TEXT,   /* of /run_texts */
    DFOPT_POOL_COMMAND,    /* of /controls: compact JSON */
    DFOPT_POOL_COUNT
};

/* The unit of an event's offset. Same values as enum dfopt_offset_unit. */
#define DFOPT_UNIT_LIST(X)                                                         \
    X(BYTE, "byte") X(RECEIVED, "received") X(EVENT_ID, "event_id")

enum dfopt_declog_unit {
#define DFOPT_UNIT_ENUM(name, text) DFOPT_UNIT_##name,
    DFOPT_UNIT_LIST(DFOPT_UNIT_ENUM)
#undef DFOPT_UNIT_ENUM
};

/* The source of a registration. */
#define DFOPT_REGISTRATION_SOURCE_LIST(X)                                          \
    X(EVENT, "event") X(BOOTSTRAP, "bootstrap") X(REGISTRY_FILE, "registry_file")

enum dfopt_registration_source {
#define DFOPT_SOURCE_ENUM(name, text) DFOPT_SOURCE_##name,
    DFOPT_REGISTRATION_SOURCE_LIST(DFOPT_SOURCE_ENUM)
#undef DFOPT_SOURCE_ENUM
};

/* ---- the rows ---- */

/* A text of a pool: elements start .. end-1. Only the end is stored. */
struct dfopt_declog_text {
    uint64_t start, end;
};

/* /strings, /lists: row i is string or list i. */
struct dfopt_declog_entry_row {
    struct dfopt_declog_text items;
};

/* /findings. */
struct dfopt_declog_finding_row {
    uint64_t seq;
    dfopt_sym type, scope;
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    dfopt_sym motif, trend;
    dfopt_list tags, suppresses;
    uint32_t bad_metrics; /* bit 1 << slot: present, but not a number */
    double severity;
    double confidence, prevalence; /* NaN where not a number */
    int64_t persistence, window;
    double metric[DFOPT_METRIC_COUNT]; /* NaN: absent or bad. Known ones, then
                                        * those named by the run's policy */
};

/* /objectives: the application's result in a window. */
struct dfopt_declog_objective_row {
    uint64_t seq;
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    uint32_t bad_metrics;
    int64_t window;
    int64_t goal; /* 1: more is better; -1: less is better */
    double value;
    double metric[DFOPT_METRIC_COUNT]; /* as in a finding */
};

/* /outcomes: the outcome of a plan, and how certain it is. */
struct dfopt_declog_outcome_row {
    struct dfopt_outcome_row o;
    double standard_error; /* of the gain; NaN: unknown */
    uint32_t certain;
    uint32_t reserved;
};

/* /rejects: an unusable record. */
struct dfopt_declog_reject_row {
    uint64_t seq;
    uint64_t line;    /* the record's in its origin, from 1; 0: unknown */
    uint32_t stream;  /* enum dfopt_stream */
    dfopt_sym origin; /* file or endpoint */
    dfopt_sym reason;
};

/* /plans: a plan and its text. Of p, only what the columns hold is read back:
 * rationale, motif, trend and scope become DFOPT_SYM_NONE, persistence 0. */
struct dfopt_declog_plan_row {
    struct dfopt_plan p;
    struct dfopt_declog_text rationale;
};

/* /acks: an acknowledgement of a plan, and its outcome. */
struct dfopt_declog_ack_row {
    uint64_t seq;
    uint64_t plan_id;     /* the plan that it answers; 0 if unmatched */
    uint32_t status;      /* enum dfopt_ack_status */
    uint32_t outcome;     /* enum dfopt_ack_outcome */
    uint32_t other_plan;  /* 1: matched by knob and node, but names another plan */
    dfopt_sym knob, node; /* the plan's; as given if unmatched */
    uint32_t known_form;  /* 1: the given id has this run's form: */
    uint64_t given_id;    /* its number, else 0 */
    dfopt_sym given_knob, given_node; /* as given; "": none */
    uint32_t has_nodes;               /* target_nodes is present, perhaps empty */
    dfopt_sym instance;               /* sending process, as given; "": none */
    uint32_t tally;                   /* enum dfopt_ack_tally */
    uint32_t reserved;
    int64_t window;          /* as given; negative: none */
    int64_t cooldown_window; /* where the cooldown starts; negative: none */
    struct dfopt_value given_old, given_new;
    struct dfopt_value value; /* the knob's value for that node, afterwards */
    struct dfopt_declog_text given_plan_id, reason;
};

/* /registrations. */
struct dfopt_declog_registration_row {
    uint64_t seq;      /* if source is not EVENT: of the event that follows */
    uint32_t source;   /* enum dfopt_registration_source */
    uint32_t accepted; /* 1; 0: rejected, nothing of it kept */
    struct dfopt_declog_text body;
};

/* /controls: an operator command and its outcome. */
struct dfopt_declog_control_row {
    uint64_t seq;
    uint32_t action;  /* enum dfopt_command_action */
    uint32_t outcome; /* enum dfopt_command_outcome */
    dfopt_sym by;
    uint32_t reserved;
    struct dfopt_declog_text body;
};

/* /knobs: a knob of an accepted registration. */
struct dfopt_declog_knob_row {
    uint64_t seq;
    uint64_t registration; /* row of /registrations */
    dfopt_sym knob, parameter, target_function, scope;
    uint32_t type;        /* enum dfopt_knob_type */
    uint32_t range_state; /* enum dfopt_range_state */
    uint32_t has_values;
    uint32_t has_current;
    struct dfopt_value default_value, current, lo, hi;
};

/* /knob_values: one entry of a knob's `values`, in order. */
struct dfopt_declog_knob_value_row {
    uint64_t knob_row; /* row of /knobs */
    struct dfopt_value value;
};

/* /responses: how a knob moves for a tag, with the policy's overrides applied. */
struct dfopt_declog_response_row {
    uint64_t seq;
    uint64_t knob_row; /* row of /knobs */
    dfopt_sym knob;
    uint32_t reserved;
    struct dfopt_response r;
};

/* /origins: where the events from seq on, up to the next row, came from. */
struct dfopt_declog_origin_row {
    uint64_t seq;
    uint64_t offset;  /* event seq's, in its origin */
    dfopt_sym origin; /* file, endpoint or partition */
    uint32_t unit;    /* of offset: enum dfopt_declog_unit */
};

/* Texts that a log keeps for each run, in /run_texts; the first run's are also
 * root attributes. */
#define DFOPT_RUN_TEXT_LIST(X)                                                     \
    X(program_version, "of dfopt-mpi")                                             \
    X(mpi_library, "MPI library")                                                  \
    X(transport, "where findings came from")                                       \
    X(command_line, "how it was called")                                           \
    X(policy, "JSON, every switch given")                                          \
    X(preset, "default or upstream")                                               \
    X(acks_mode, "how plans are acknowledged: explicit or assumed")                \
    X(relay_hostname, "global plans for other hosts only are dropped; empty: any") \
    X(host, "of rank 0")                                                           \
    X(run_id, "identity of a live run")

/* /runs: one row per run that wrote to the log. The first starts at event 0,
 * each later one where the log that it resumed ended. */
struct dfopt_declog_run_row {
    uint64_t seq; /* of its first event */
    int64_t started_ns;
    uint64_t ranks;
    uint64_t pid; /* of rank 0 */
};

enum dfopt_run_text {
#define DFOPT_RUN_TEXT_ENUM(name, text) DFOPT_RUN_##name,
    DFOPT_RUN_TEXT_LIST(DFOPT_RUN_TEXT_ENUM)
#undef DFOPT_RUN_TEXT_ENUM
        DFOPT_RUN_TEXT_COUNT
};

/* /run_texts: one row per run and text. */
struct dfopt_declog_run_text_row {
    uint64_t run;  /* row of /runs */
    uint32_t name; /* enum dfopt_run_text */
    uint32_t reserved;
    struct dfopt_declog_text text;
};

/* /verdicts, /global_plans, /suppressions, /timeouts and /seen hold struct
 * dfopt_verdict_row, dfopt_relay_row, dfopt_suppression_row, dfopt_timeout_row
 * and dfopt_seen_row of model/decision.h. */

/* ---- progress of the input ---- */

struct dfopt_declog_position {
    uint64_t next_seq;    /* all earlier events are complete in the log */
    uint64_t offset;      /* bytes of the input processed */
    uint64_t record_line; /* lines of the input processed */
    int64_t wall_ns;      /* time of this position; since 1970-01-01 UTC */
    dfopt_sym origin;     /* the input's file or endpoint; DFOPT_SYM_NONE: none */
    uint32_t reserved;
};

/* A row of /commits: only rows that it counts may be trusted. */
struct dfopt_declog_commit_row {
    struct dfopt_declog_position at;
    uint64_t rows[DFOPT_TABLE_COUNT];
    uint64_t pool[DFOPT_POOL_COUNT]; /* elements */
};

/* Which of the big tables a log keeps; each level includes those before. */
#define DFOPT_DETAIL_LIST(X)                                                       \
    X(PLANS, "plans") X(VERDICTS, "verdicts") X(FINDINGS, "findings")

enum dfopt_declog_detail {
#define DFOPT_DETAIL_ENUM(name, text) DFOPT_DETAIL_##name,
    DFOPT_DETAIL_LIST(DFOPT_DETAIL_ENUM)
#undef DFOPT_DETAIL_ENUM
        DFOPT_DETAIL_COUNT
};

const char *dfopt_declog_detail_name(uint32_t detail);
const char *dfopt_registration_source_name(uint32_t source);
const char *dfopt_declog_metric_name(uint32_t metric);
const char *dfopt_declog_range_state_name(uint32_t state);
const char *dfopt_declog_unit_name(uint32_t unit);
const char *dfopt_declog_run_text_name(uint32_t name);

#endif
