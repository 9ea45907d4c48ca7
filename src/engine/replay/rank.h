/* What every rank of a replay does in a batch, in the frame order of
 * engine/replay/replay.h. For the replay's files only. */
#ifndef DFOPT_ENGINE_REPLAY_RANK_H
#define DFOPT_ENGINE_REPLAY_RANK_H

#include "declog/block.h"
#include "engine/replay/slice.h"

struct dfopt_replay_options { /* the same on all ranks; plain data */
    uint64_t split_bytes;     /* of input that a rank reads at a time; */
    uint64_t leader_bytes;    /* rank 0, which works on all of it */
    uint64_t max_record_bytes;
    uint32_t log_detail; /* enum dfopt_declog_detail */
    uint32_t preset;     /* enum dfopt_preset */
    int32_t log_level;   /* deflate level; -1: no decision log */
    uint32_t feed;       /* 1: log events precede the input */
    uint32_t reserved;
    struct dfopt_split start; /* where reading begins */
};

struct dfopt_replay_sync { /* of a slice; followed by the first reject's reason */
    uint64_t records, lines, findings;
    uint64_t first_reject; /* UINT64_MAX: none */
    uint64_t findings_before_reject;
    uint64_t reject_line, reject_offset;
    uint32_t failed; /* enum dfopt_err: this rank cannot continue; text follows */
    uint32_t input_failed; /* a split could not be read to its end */
    uint32_t news;         /* its registrations change routes */
    uint32_t reserved;
};

enum dfopt_replay_next {
    DFOPT_REPLAY_GO_ON,
    DFOPT_REPLAY_LAST,   /* decide this batch and leave */
    DFOPT_REPLAY_ABANDON /* leave */
};

struct dfopt_replay_go {
    uint64_t first_seq, lines_before, keep;
    uint64_t findings_before; /* rows of the log */
    uint32_t next;            /* enum dfopt_replay_next */
    uint32_t new_names;       /* definitions are attached */
    uint32_t
        news; /* some slice has such registrations: findings go to all planners */
    uint32_t reserved;
};

struct dfopt_replay_counts { /* of a decided slice */
    uint64_t by_stream[DFOPT_STREAM_COUNT];
    uint64_t records;
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
    uint64_t first_offset; /* of its first record */
    dfopt_sym origin;      /* of its records */
    uint32_t reserved;
};

enum dfopt_replay_table {
    DFOPT_REPLAY_FINDINGS,
    DFOPT_REPLAY_VERDICTS,
    DFOPT_REPLAY_TABLES
};

struct dfopt_replay_rows { /* of carry.c: a table's rows in this batch */
    uint64_t first;        /* number of the slice's first row in the log */
    const char *own;       /* borrowed: the slice's rows */
    size_t n;
    bool ends_chunk;          /* a chunk ends among them: */
    size_t to_chunk;          /* rows before the next chunk */
    size_t behind;            /* rows after the last whole chunk */
    struct dfopt_buf carried; /* from the previous rank */
};

struct dfopt_replay_rank {
    struct dfopt_comm *comm;
    int rank, size;
    struct dfopt_replay_options options;
    struct dfopt_splits *splits; /* borrowed */
    struct dfopt_split at;       /* of the next batch */
    struct dfopt_split *turn;    /* by rank: its split of this batch; owned */
    struct dfopt_slice slice;
    struct dfopt_shard shard;
    uint32_t local_strings, local_lists; /* sent to rank 0 so far */
    struct dfopt_decisions results;      /* scratch: about another rank's slice */
    struct dfopt_frame_known
        *told; /* by rank: what it knows of this one's; owned */
    struct dfopt_frame_translation *own; /* by rank: of theirs; owned */
    struct dfopt_buf in;
    struct dfopt_buf *out; /* two per rank: EVENTS or control, RESULTS; owned */
    struct dfopt_send **sending; /* the same; owned */
    struct dfopt_block_packer packer;
    struct dfopt_buf block;
    struct dfopt_replay_rows rows[DFOPT_REPLAY_TABLES];
    uint64_t verdicts_before; /* log rows before this slice's */
    enum dfopt_err status;    /* the first failure */
    struct dfopt_error err;
};

/* Zero *b before and set comm, options, splits, and of slice dict, codec and
 * policy. OK or NOMEM. */
enum dfopt_err dfopt_replay_rank_init(struct dfopt_replay_rank *b,
                                      bool assumed_acks, dfopt_sym relay_hostname);
void dfopt_replay_rank_free(struct dfopt_replay_rank *b);

/* Records a failure, if it is the first. */
void dfopt_replay_fail(struct dfopt_replay_rank *b, enum dfopt_err e,
                       const struct dfopt_error *err);

/* Reads and decodes this rank's split of the next batch. Returns whether the
 * batch has any split; fills *sync. */
bool dfopt_replay_read(struct dfopt_replay_rank *b, struct dfopt_replay_sync *sync);

/* Sends out the slice's shares, decides its own and the others', and merges the
 * returned decisions. */
void dfopt_replay_decide(struct dfopt_replay_rank *b);

/* Counts the decided slice. */
void dfopt_replay_count(const struct dfopt_replay_rank *b,
                        struct dfopt_replay_counts *c);

/* Tells the next rank how many verdict rows precede its own. */
void dfopt_replay_pass_base(struct dfopt_replay_rank *b);

/* Send and receive frames. A lost connection ends all ranks (dfopt_comm_lost), as
 * no agreement is possible any more. */
struct dfopt_frame *dfopt_replay_begin(struct dfopt_replay_rank *b, int to,
                                       int lane, struct dfopt_frame *f,
                                       struct dfopt_frame_known *known);
void dfopt_replay_send(struct dfopt_replay_rank *b, int to, int lane,
                       struct dfopt_frame *f, enum dfopt_frame_kind kind);
void dfopt_replay_send_number(struct dfopt_replay_rank *b, int to, int lane,
                              struct dfopt_frame *f, enum dfopt_frame_kind kind,
                              uint64_t number); /* in the frame's header */
void dfopt_replay_receive(struct dfopt_replay_rank *b, int from,
                          enum dfopt_frame_kind kind, struct dfopt_frame_reader *r);

#define DFOPT_REPLAY_EVENT_LANE  0
#define DFOPT_REPLAY_RESULT_LANE 1
#define DFOPT_REPLAY_LANES       2

#endif
