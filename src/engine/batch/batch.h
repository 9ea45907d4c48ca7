/* A batch: consecutive events that the planners decide together. The leader fills
 * it, sends each planner its share and, once all have answered, merges the results
 * in event order. Several batches are in flight at once; their number bounds the
 * memory. */
#ifndef DFOPT_ENGINE_BATCH_BATCH_H
#define DFOPT_ENGINE_BATCH_BATCH_H

#include "engine/batch/route.h"
#include "declog/writer.h"
#include "engine/comm/comm.h"
#include "transport/transport.h"

/* One planner's share. */
struct dfopt_share {
    struct dfopt_buf bytes; /* the frame being written or sent */
    struct dfopt_frame frame;
    bool used;    /* the frame was begun in this batch */
    bool waiting; /* sent, not yet answered */
    struct dfopt_send *sending;
    struct dfopt_decisions results;
};

/* An ack as received, for the log; its texts are in the batch's `texts`. */
struct dfopt_batch_ack {
    uint64_t seq;
    struct dfopt_ack given;
    size_t plan_id, plan_id_len, reason, reason_len;
};

/* A command as received. */
struct dfopt_batch_command {
    uint64_t seq;
    size_t body, body_len;
    struct dfopt_command command;
    struct dfopt_policy *policy; /* owned; NULL: none */
};

/* A registration as received. */
struct dfopt_batch_registration {
    uint64_t seq;
    enum dfopt_registration_source source;
    size_t body, body_len;
    struct dfopt_registration accepted; /* owned; no knobs if rejected */
    bool rejected;
};

/* Whom to tell when the batch is decided. */
struct dfopt_batch_ask {
    uint32_t stream;
    size_t instance, node; /* in `texts`, each NUL-terminated */
    uint64_t number;
};

struct dfopt_batch {
    uint64_t number;
    uint64_t first_seq;
    uint32_t n_events;
    uint64_t n_recognised; /* skipped before its last event */
    uint32_t n_requests;   /* events that came from operators, not the source */
    struct dfopt_share *shares; /* one per planner; owned */
    uint32_t n_shares;
    uint32_t waiting;          /* shares not yet answered */
    struct dfopt_buf reporter; /* uint32_t per event: the planner that reports it */
    struct dfopt_decisions merged;
    struct dfopt_buf cursors; /* scratch of the merge */
    /* the input, for the log */
    struct dfopt_buf findings;      /* struct dfopt_finding_row */
    struct dfopt_buf rejects;       /* struct dfopt_declog_reject_row */
    struct dfopt_buf objectives;    /* struct dfopt_numbered_objective */
    struct dfopt_buf acks;          /* struct dfopt_batch_ack */
    struct dfopt_buf commands;      /* struct dfopt_batch_command */
    struct dfopt_buf registrations; /* struct dfopt_batch_registration */
    struct dfopt_buf origins;       /* struct dfopt_declog_origin_row */
    struct dfopt_buf texts;
    struct dfopt_buf asks;     /* struct dfopt_batch_ask */
    struct dfopt_buf received; /* int64_t per event, monotonic; or empty */
    /* finding and verdict rows packed for the log (declog/block.h), in place of
     * those above */
    struct dfopt_buf blocks;
    bool objectives_judged;           /* an unusable one has a verdict */
    bool packed;                      /* do not log the rows above */
    struct dfopt_declog_position end; /* of the input, after the last event */
};

/* Zero *r before. OK or NOMEM. */
enum dfopt_err dfopt_batch_init(struct dfopt_batch *r, uint32_t planners);
void dfopt_batch_free(struct dfopt_batch *r);

/* Empties a batch for reuse; keeps its memory. */
void dfopt_batch_reset(struct dfopt_batch *r, uint64_t number, uint64_t first_seq);

/* Appends a text and returns its offset, or SIZE_MAX on NOMEM. */
size_t dfopt_batch_text(struct dfopt_batch *r, const char *text, size_t len);

/* Appends another rank's commands (rows of `commands`); their policies stay there.
 * OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_batch_add_commands(struct dfopt_batch *r, const void *rows,
                                        size_t size);

/* Counts the next event and records its reporter. OK or NOMEM. */
enum dfopt_err dfopt_batch_count(struct dfopt_batch *r, uint32_t reporter);

/* Records who wants to be told of the batch's last event, of that stream. OK or
 * NOMEM. */
enum dfopt_err dfopt_batch_note_ask(struct dfopt_batch *r, uint32_t stream,
                                    const struct dfopt_ask *ask);

/* Merges the shares' results into r->merged, ordered by (sequence, position); for
 * each ack and command, the row of the planner that knew the plan. OK, NOMEM, or
 * FORMAT if one of several planners reported rows it was not asked for. */
enum dfopt_err dfopt_batch_merge(struct dfopt_batch *r);

#endif
