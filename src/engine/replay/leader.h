/* The leader of a replay, shared by its two files: leader.c runs and emits the
 * batches, numbering.c numbers records and strings. */
#ifndef DFOPT_ENGINE_REPLAY_LEADER_H
#define DFOPT_ENGINE_REPLAY_LEADER_H

#include "engine/replay/rank.h"
#include "engine/emit/output.h"

struct dfopt_replay_end { /* input position after a slice */
    struct dfopt_declog_position at;
    uint32_t file; /* of the slice */
};

struct dfopt_replay_leader {
    const struct dfopt_run_config *config;
    struct dfopt_totals *totals;
    struct dfopt_replay_rank rank;
    struct dfopt_output output;
    struct dfopt_batch theirs;            /* a worker's slice, while emitted */
    struct dfopt_replay_sync *syncs;      /* by rank; owned */
    struct dfopt_replay_go *gos;          /* by rank; owned */
    struct dfopt_buf *reasons;            /* by rank: texts of the syncs; owned */
    struct dfopt_replay_end *ends;        /* by rank: its slice's; owned */
    struct dfopt_declog_position end;     /* of the slices so far */
    struct dfopt_declog_position settled; /* everything before it is emitted */
    uint32_t origin_file;                 /* of the last /origins row */
    uint32_t known_strings, known_lists;  /* known to all ranks */
    uint64_t next_seq, findings, verdicts, lines;
    uint32_t lines_file; /* the file in which `lines` are counted */
    uint64_t bytes_done;
    enum dfopt_err stopped_by; /* strict: the first bad record or input */
    struct dfopt_error stop_error;
};

/* Agrees with the workers on the batch that all have read: numbers it, and sets
 * *next to the next step. Returns why the batch cannot be decided. */
enum dfopt_err dfopt_replay_agree(struct dfopt_replay_leader *l,
                                  enum dfopt_replay_next *next,
                                  struct dfopt_error *err);

#endif
