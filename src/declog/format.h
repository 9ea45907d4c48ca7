/* The decision log's format: which tables a file holds, the rows of each, and
 * the columns that a row is stored as. The writer, the reader and the documents
 * (docs/decision-log.md) go by the one description in format.c.
 *
 * A table is a group of columns, one dataset each. A text that seldom repeats
 * (a rationale, a reason) is kept in a pool: the bytes of all rows one behind
 * the other in one dataset, and a column of end offsets. */
#ifndef DFOPT_DECLOG_FORMAT_H
#define DFOPT_DECLOG_FORMAT_H

#include "model/decision.h"

#include <stddef.h>
#include <stdint.h>

#define DFOPT_DECLOG_FORMAT  "dfopt-decision-log"
#define DFOPT_DECLOG_VERSION 1 /* one more when an older reader would misread */

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
    DFOPT_TABLE_COUNT
};

enum dfopt_declog_pool {
    DFOPT_POOL_STRINGS,    /* bytes of /strings */
    DFOPT_POOL_LISTS,      /* items of /lists: dfopt_sym, not bytes */
    DFOPT_POOL_RATIONALE,  /* of /plans */
    DFOPT_POOL_PLAN_ID,    /* of /acks: as the application wrote it */
    DFOPT_POOL_ACK_REASON, /* of /acks */
    DFOPT_POOL_BODY,       /* of /registrations: compact JSON */
    DFOPT_POOL_COUNT
};

/* Where a registration came from. */
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
    uint32_t bad_metrics; /* bit 1 << enum dfopt_metric: there, but not a number */
    double severity;
    double confidence, prevalence; /* NaN where not a number */
    int64_t persistence, window;
    double metric[DFOPT_METRIC_COUNT]; /* NaN: absent or bad */
};

/* /rejects: a record that could not be used. */
struct dfopt_declog_reject_row {
    uint64_t seq;
    uint64_t line;    /* of the record in its origin, from 1; 0: unknown */
    uint32_t stream;  /* enum dfopt_stream */
    dfopt_sym origin; /* file or endpoint */
    dfopt_sym reason;
};

/* /plans: a plan and its text. Of p, only what the columns hold is read back:
 * rationale, motif, trend and scope are DFOPT_SYM_NONE, persistence is 0. */
struct dfopt_declog_plan_row {
    struct dfopt_plan p;
    struct dfopt_declog_text rationale;
};

/* /acks: what an application said of a plan, and what became of it. */
struct dfopt_declog_ack_row {
    uint64_t seq;
    uint64_t plan_id;     /* of the plan that it was for; 0 if unmatched */
    uint32_t status;      /* enum dfopt_ack_status */
    uint32_t outcome;     /* enum dfopt_ack_outcome */
    uint32_t other_plan;  /* 1: matched by knob and node, but names another plan */
    dfopt_sym knob, node; /* of the plan; as given if unmatched */
    uint32_t reserved;
    int64_t window;          /* as given; negative: none */
    int64_t cooldown_window; /* at which the cooldown starts; negative: none */
    struct dfopt_value given_old, given_new;
    struct dfopt_value value; /* of the knob for that node, afterwards */
    struct dfopt_declog_text given_plan_id, reason;
};

/* /registrations. */
struct dfopt_declog_registration_row {
    uint64_t seq;      /* 0 unless source is EVENT */
    uint32_t source;   /* enum dfopt_registration_source */
    uint32_t accepted; /* 1; 0: rejected, nothing of it was kept */
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

/* /knob_values: one entry of a knob's `values`, in their order. */
struct dfopt_declog_knob_value_row {
    uint64_t knob_row; /* row of /knobs */
    struct dfopt_value value;
};

/* /responses: how a knob moves for a tag, overrides of the policy applied. */
struct dfopt_declog_response_row {
    uint64_t seq;
    uint64_t knob_row; /* row of /knobs */
    dfopt_sym knob;
    uint32_t reserved;
    struct dfopt_response r;
};

/* /verdicts, /global_plans and /suppressions hold struct dfopt_verdict_row,
 * dfopt_relay_row and dfopt_suppression_row of model/decision.h. */

/* ---- how far the input has been decided ---- */

struct dfopt_declog_position {
    uint64_t next_seq;    /* every event below it is complete in the log */
    uint64_t offset;      /* bytes of the input that are done with */
    uint64_t record_line; /* lines of the input that are done with */
    int64_t wall_ns;      /* when; since 1970-01-01 UTC */
    dfopt_sym origin;     /* the input: file or endpoint; DFOPT_SYM_NONE: none */
    uint32_t reserved;
};

/* A row of /commits: only what it counts may be trusted. */
struct dfopt_declog_commit_row {
    struct dfopt_declog_position at;
    uint64_t rows[DFOPT_TABLE_COUNT];
    uint64_t pool[DFOPT_POOL_COUNT]; /* elements */
};

/* Texts that a log keeps of its run: root attributes of these names. */
#define DFOPT_RUN_TEXT_LIST(X)                                                     \
    X(program_version)                                                             \
    X(mpi_library)                                                                 \
    X(transport)                                                                   \
    X(command_line)                                                                \
    X(policy) /* JSON */                                                           \
    X(preset)                                                                      \
    X(acks_mode)                                                                   \
    X(run_id)

/* Which of the big tables a log keeps; each includes those before it. */
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

#endif
