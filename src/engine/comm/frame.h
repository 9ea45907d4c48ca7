/* Frames between ranks: a header and a series of items, each with a kind, a size
 * and plain data. Both ends run the same program on the same kind of machine, so
 * rows are sent with their memory layout; the header's magic, version, length and
 * checksum reject everything else.
 *
 * Strings are sent by number. For each receiver, a sender tracks the numbers it
 * knows (struct dfopt_frame_known), and puts a definition into the frame before
 * the first item that needs it. */
#ifndef DFOPT_ENGINE_COMM_FRAME_H
#define DFOPT_ENGINE_COMM_FRAME_H

#include "base/buf.h"
#include "model/decision.h"
#include "model/policy.h"
#include "model/state.h"

#define DFOPT_FRAME_MAGIC   0x464f4644u /* "DFOF" */
#define DFOPT_FRAME_VERSION 2u

enum dfopt_frame_kind {
    DFOPT_FRAME_CONFIG = 1, /* rank 0 to a worker: the rules */
    DFOPT_FRAME_EVENTS,     /* rank 0 to a worker: a batch's share */
    DFOPT_FRAME_FEED, /* rank 0 to a worker: events to decide again, unreported;
                       * batch 1: the last */
    DFOPT_FRAME_ASK_STATE, /* rank 0 to a worker: report the state */
    DFOPT_FRAME_STOP,      /* rank 0 to a worker: leave, with an exit code */
    DFOPT_FRAME_RESULTS,   /* worker to rank 0: decisions on a batch's share */
    DFOPT_FRAME_STATE,     /* worker to rank 0 */
    DFOPT_FRAME_FAILED,    /* worker to rank 0: cannot continue; text why */
    /* replay of files that all ranks read (engine/replay/replay.h) */
    DFOPT_FRAME_REPLAY,  /* rank 0 to a worker: take part */
    DFOPT_FRAME_SYNC,    /* worker to rank 0: the contents of its slice */
    DFOPT_FRAME_GO,      /* rank 0 to a worker: numbers, new strings */
    DFOPT_FRAME_BASE,    /* rank to the next: log rows before its own */
    DFOPT_FRAME_CARRIED, /* rank to the next: rows of an unfinished chunk */
    DFOPT_FRAME_OUTPUT,  /* worker to rank 0: its slice, decided */
    /* sweeps (engine/sweep/sweep.h) */
    DFOPT_FRAME_SWEEP,        /* rank 0 to a worker: take part */
    DFOPT_FRAME_SWEEP_READY,  /* worker to rank 0: has the recording */
    DFOPT_FRAME_SWEEP_BLOCK,  /* rank 0 to a worker: variants to decide */
    DFOPT_FRAME_SWEEP_RESULT, /* worker to rank 0: their results */
    DFOPT_FRAME_SWEEP_END,    /* rank 0 to a worker: no more blocks */
    DFOPT_FRAME_SWEEP_LEFT,   /* worker to rank 0: its last frame */
    /* monitoring (engine/online/pulse.h) */
    DFOPT_FRAME_ASK_FIGURES, /* rank 0 to a worker: report your figures */
    DFOPT_FRAME_FIGURES      /* worker to rank 0 */
};

enum dfopt_item_kind {
    DFOPT_ITEM_STRING = 1,   /* u32 number, bytes */
    DFOPT_ITEM_LIST,         /* u32 number, u32 numbers */
    DFOPT_ITEM_FINDING,      /* struct dfopt_finding_row */
    DFOPT_ITEM_ACK,          /* u64 seq, struct dfopt_ack */
    DFOPT_ITEM_GLOBAL_PLAN,  /* u64 seq, struct dfopt_global_plan */
    DFOPT_ITEM_REGISTRATION, /* u64 seq, packed registration */
    DFOPT_ITEM_VERDICTS,     /* rows, as the eleven below */
    DFOPT_ITEM_PLANS,
    DFOPT_ITEM_SUPPRESSIONS,
    DFOPT_ITEM_ACK_ROWS,
    DFOPT_ITEM_RELAY_ROWS,
    DFOPT_ITEM_SEEN_ROWS,
    DFOPT_ITEM_TIMEOUT_ROWS,
    DFOPT_ITEM_OUTCOME_ROWS,
    DFOPT_ITEM_COMMAND_ROWS,
    DFOPT_ITEM_STATE_ROWS,
    DFOPT_ITEM_SUPPRESSION_STATES,
    DFOPT_ITEM_COMMANDED_ROWS,
    DFOPT_ITEM_OBJECTIVE, /* u64 seq, struct dfopt_objective */
    DFOPT_ITEM_COMMAND,   /* u64 seq, struct dfopt_command, then as CONFIG */
    DFOPT_ITEM_CONFIG,    /* struct dfopt_frame_config, then arrays */
    DFOPT_ITEM_TEXT,      /* bytes */
    DFOPT_ITEM_CODE,      /* u64 */
    /* of engine/replay/replay.h, which alone knows their layout */
    DFOPT_ITEM_REPLAY_CONFIG,
    DFOPT_ITEM_REPLAY_SYNC,
    DFOPT_ITEM_REPLAY_GO,
    DFOPT_ITEM_REPLAY_COUNTS,
    DFOPT_ITEM_REJECT_ROWS,
    DFOPT_ITEM_OBJECTIVE_ROWS,
    DFOPT_ITEM_GIVEN_ACKS,
    DFOPT_ITEM_GIVEN_COMMANDS,
    DFOPT_ITEM_GIVEN_REGISTRATION,
    DFOPT_ITEM_BLOCK,
    DFOPT_ITEM_CARRIED_FINDINGS,
    DFOPT_ITEM_CARRIED_VERDICTS,
    /* of engine/sweep/sweep.h */
    DFOPT_ITEM_SWEEP_START,
    DFOPT_ITEM_SWEEP_READY,
    DFOPT_ITEM_SWEEP_RESULT,
    /* of engine/online/pulse.h */
    DFOPT_ITEM_FIGURES,
    DFOPT_ITEM_SURVEY_ROWS
};

/* The tables of struct dfopt_decisions, in member order: each is sent as the item
 * DFOPT_ITEM_VERDICTS + table. */
#define DFOPT_DECISION_TABLES   (DFOPT_ITEM_COMMAND_ROWS - DFOPT_ITEM_VERDICTS + 1)
#define DFOPT_DECISION_VERDICTS 0
#define DFOPT_DECISION_PLANS    (DFOPT_ITEM_PLANS - DFOPT_ITEM_VERDICTS)
#define DFOPT_DECISION_ACKS     (DFOPT_ITEM_ACK_ROWS - DFOPT_ITEM_VERDICTS)
#define DFOPT_DECISION_OUTCOMES (DFOPT_ITEM_OUTCOME_ROWS - DFOPT_ITEM_VERDICTS)
#define DFOPT_DECISION_COMMANDS (DFOPT_ITEM_COMMAND_ROWS - DFOPT_ITEM_VERDICTS)
_Static_assert(sizeof(struct dfopt_decisions) ==
                   DFOPT_DECISION_TABLES * sizeof(struct dfopt_buf),
               "each table of struct dfopt_decisions has an item");

static inline struct dfopt_buf *dfopt_decision_rows(struct dfopt_decisions *d,
                                                    int table)
{
    return (struct dfopt_buf *)(void *)d + table;
}

/* A kind of rows: their size, and the offsets of values in a row. */
struct dfopt_row_kind {
    size_t size;
    size_t values[2];
    int n_values;
};

/* The row kind of an item; NULL: it holds no rows. */
const struct dfopt_row_kind *dfopt_row_kind(uint32_t item);

struct dfopt_frame_header {
    uint32_t magic, version, kind, n_items;
    uint64_t batch;
    uint64_t length;   /* bytes after the header */
    uint64_t checksum; /* XXH3 of those bytes and the header */
};

/* ---- sending ---- */

struct dfopt_bits { /* a set of small numbers; zero-initialise */
    uint64_t *words;
    uint32_t n;
};

/* What a receiver knows. Zero-initialise; dfopt_frame_known_free. */
struct dfopt_frame_known {
    struct dfopt_bits strings, lists;
};

void dfopt_frame_known_free(struct dfopt_frame_known *p);

/* A frame being written into *out (cleared first). `known` NULL: nothing is
 * defined, as no item names strings or both ends know them already. Borrows all
 * three until dfopt_frame_end. */
struct dfopt_frame {
    struct dfopt_buf *out;
    const struct dfopt_dict *dict;
    struct dfopt_frame_known *known;
    uint32_t n_items;
};

/* Each returns OK or NOMEM, after which the frame must be dropped. */
enum dfopt_err dfopt_frame_begin(struct dfopt_frame *f, struct dfopt_buf *out,
                                 const struct dfopt_dict *dict,
                                 struct dfopt_frame_known *known);

/* An item of plain data that names no strings, or only ones defined already. */
enum dfopt_err dfopt_frame_item(struct dfopt_frame *f, enum dfopt_item_kind kind,
                                const void *data, size_t size);

/* Defines a string or list, whatever the receiver knows. */
enum dfopt_err dfopt_frame_string(struct dfopt_frame *f, dfopt_sym s);
enum dfopt_err dfopt_frame_list(struct dfopt_frame *f, dfopt_list l);

/* Defines all strings and lists from these numbers on. */
enum dfopt_err dfopt_frame_names(struct dfopt_frame *f, uint32_t first_string,
                                 uint32_t first_list);

/* Events, with the definitions they need. */
enum dfopt_err dfopt_frame_finding(struct dfopt_frame *f, uint64_t seq,
                                   const struct dfopt_finding *finding);
enum dfopt_err dfopt_frame_ack(struct dfopt_frame *f, uint64_t seq,
                               const struct dfopt_ack *a);
enum dfopt_err dfopt_frame_global_plan(struct dfopt_frame *f, uint64_t seq,
                                       const struct dfopt_global_plan *g);
enum dfopt_err dfopt_frame_objective(struct dfopt_frame *f, uint64_t seq,
                                     const struct dfopt_objective *o);
enum dfopt_err dfopt_frame_registration(struct dfopt_frame *f, uint64_t seq,
                                        const struct dfopt_registration *r);

/* How a worker must decide. */
struct dfopt_frame_config {
    struct dfopt_switches on;
    uint64_t n_overrides, n_budgets, n_terms, n_guards, n_names;
    struct dfopt_objective_metric objective_metric;
    struct dfopt_metric_names metrics;
    struct dfopt_limits limits;
    uint32_t assumed_acks;
    dfopt_sym relay_hostname;
};

enum dfopt_err dfopt_frame_config(struct dfopt_frame *f,
                                  const struct dfopt_policy *p, bool assumed_acks,
                                  dfopt_sym relay_hostname);

/* A command; policy: for DFOPT_COMMAND_ACTION_POLICY, else NULL. */
enum dfopt_err dfopt_frame_command(struct dfopt_frame *f, uint64_t seq,
                                   const struct dfopt_command *c,
                                   const struct dfopt_policy *policy);

/* Rows of the sender's planner; its local texts are defined first. */
enum dfopt_err dfopt_frame_decisions(struct dfopt_frame *f,
                                     const struct dfopt_decisions *d);
enum dfopt_err dfopt_frame_state(struct dfopt_frame *f,
                                 const struct dfopt_buf *state_rows,
                                 const struct dfopt_buf *suppression_states,
                                 const struct dfopt_buf *commanded);

/* Rows of a planner's initial state, with the definitions they need. */
enum dfopt_err dfopt_frame_restore(struct dfopt_frame *f,
                                   const struct dfopt_buf *state_rows,
                                   const struct dfopt_buf *suppression_states);

/* Completes the header. The frame is all of *out. */
void dfopt_frame_end(struct dfopt_frame *f, enum dfopt_frame_kind kind,
                     uint64_t batch);

/* ---- receiving ---- */

struct dfopt_frame_reader {
    struct dfopt_frame_header header;
    const char *at, *end;
    uint32_t items_left;
};

struct dfopt_item {
    uint32_t kind; /* enum dfopt_item_kind, or an unknown kind */
    size_t size;
    const void *data; /* borrowed from the frame; aligned to 8 */
};

/* Checks a frame (bytes aligned to 8). Returns OK or FORMAT. */
enum dfopt_err dfopt_frame_open(struct dfopt_frame_reader *r, const void *bytes,
                                size_t len, struct dfopt_error *err);

/* The next item. Returns whether there is one; if it is corrupt, sets *e to FORMAT
 * and returns false. */
bool dfopt_frame_next(struct dfopt_frame_reader *r, struct dfopt_item *item,
                      enum dfopt_err *e);

/* Adds a definition to a replica. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_item_define(struct dfopt_dict *replica,
                                 const struct dfopt_item *item);

/* Read an event's item. OK, NOMEM or FORMAT (wrong size). The caller owns the
 * registration: dfopt_registration_clear. */
enum dfopt_err dfopt_item_finding(const struct dfopt_item *item,
                                  const struct dfopt_finding_row **out);
enum dfopt_err dfopt_item_ack(const struct dfopt_item *item, uint64_t *seq,
                              struct dfopt_ack *out);
enum dfopt_err dfopt_item_global_plan(const struct dfopt_item *item, uint64_t *seq,
                                      struct dfopt_global_plan *out);
enum dfopt_err dfopt_item_objective(const struct dfopt_item *item, uint64_t *seq,
                                    struct dfopt_objective *out);
enum dfopt_err dfopt_item_registration(const struct dfopt_item *item, uint64_t *seq,
                                       struct dfopt_registration *out);
/* *policy is owned, or NULL: dfopt_policy_clear and free. */
enum dfopt_err dfopt_item_command(const struct dfopt_item *item, uint64_t *seq,
                                  struct dfopt_command *out,
                                  struct dfopt_policy **policy);
enum dfopt_err dfopt_item_config(const struct dfopt_item *item,
                                 struct dfopt_policy *policy,
                                 struct dfopt_frame_config *config);

/* Maps a worker's local numbers to rank 0's for the same texts. */
struct dfopt_frame_translation {
    dfopt_sym *to; /* by local number */
    uint32_t n;
};

void dfopt_frame_translation_free(struct dfopt_frame_translation *t);

/* Reads rows of a RESULTS or STATE frame: appends them to the buffers, interns the
 * worker's local texts into dict and replaces its numbers. Items of other kinds
 * are FORMAT. OK, NOMEM or FORMAT. */
enum dfopt_err
dfopt_item_rows(const struct dfopt_item *item, struct dfopt_dict *dict,
                struct dfopt_frame_translation *t,
                struct dfopt_decisions *decisions, struct dfopt_buf *state_rows,
                struct dfopt_buf *suppression_states, struct dfopt_buf *commanded);

#endif
