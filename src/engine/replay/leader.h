/* The leader of a replay, for its two files: leader.c runs and emits the batches,
 * numbering.c numbers records and strings. */
#ifndef DFOPT_ENGINE_REPLAY_LEADER_H
#define DFOPT_ENGINE_REPLAY_LEADER_H

#include "engine/replay/rank.h"
#include "engine/emit/output.h"

struct dfopt_replay_end { /* how far the input is consumed with a slice */
    struct dfopt_declog_position at;
    uint32_t file; /* of the slice */
};

struct dfopt_replay_leader {
    const struct dfopt_run_config *config;
    struct dfopt_totals *totals;
    struct dfopt_replay_rank rank;
    struct dfopt_output output;
    struct dfopt_batch theirs;            /* a worker's slice, as it is emitted */
    struct dfopt_replay_sync *syncs;      /* by rank; owned */
    struct dfopt_replay_go *gos;          /* by rank; owned */
    struct dfopt_buf *reasons;            /* by rank: texts of the syncs; owned */
    struct dfopt_replay_end *ends;        /* by rank: of its slice; owned */
    struct dfopt_declog_position end;     /* of the slices so far */
    struct dfopt_declog_position settled; /* all before it has been emitted */
    uint32_t origin_file;                 /* of the last row of /origins */
    uint32_t known_strings, known_lists;  /* to all ranks */
    uint64_t next_seq, findings, verdicts, lines;
    uint32_t lines_file; /* the file that `lines` are counted in */
    uint64_t bytes_done;
    enum dfopt_err stopped_by; /* strict: the first bad record or input */
    struct dfopt_error stop_error;
};

/* Agrees with the workers on the batch that all have read: numbers it, and sets
 * *next to what follows. Returns why the batch cannot be decided. */
enum dfopt_err dfopt_replay_agree(struct dfopt_replay_leader *l,
                                  enum dfopt_replay_next *next,
                                  struct dfopt_error *err);

#endif
