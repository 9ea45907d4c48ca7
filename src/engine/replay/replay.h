/* Replay of files of JSON lines that every rank reads. In each batch every rank
 * decodes the next split of the input and sends each finding to the planner that
 * owns its node (all ranks plan). The decisions return to the rank that read the
 * finding, which merges them in order and packs the rows for the decision log. Rank
 * 0 numbers records and strings, and emits the results.
 *
 * Decisions and log are the same as with one reader (engine/online/leader.h).
 *
 * A batch, as rank r sees it (all frames between two ranks come in this order):
 *   SYNC     r -> 0: number of records, new strings
 *   GO       0 -> r: number of the first record, the strings' numbers
 *   EVENTS   r -> every other: its share of the slice; and theirs to r
 *   RESULTS  r -> every other: decisions on their shares; and theirs to r
 *   BASE     r-1 -> r: rows of the log before those of r
 *   CARRIED  r-1 -> r: rows after r-1's last whole chunk (carry.h)
 *   OUTPUT   r -> 0: the slice, decided
 * A rank that fails sends empty frames from then on, and reports the failure with
 * its next SYNC; rank 0 then dismisses all ranks. No rank waits for one that has
 * failed. */
#ifndef DFOPT_ENGINE_REPLAY_REPLAY_H
#define DFOPT_ENGINE_REPLAY_REPLAY_H

#include "engine/comm/frame.h"
#include "engine/batch/run.h"
#include "engine/comm/comm.h"
#include "transport/file/split.h"

struct dfopt_replay_input {
    struct dfopt_splits *splits; /* borrowed */
    size_t max_record_bytes;
    uint64_t split_bytes; /* a rank reads at a time; 0: by the number of ranks */
    uint32_t log_detail;  /* enum dfopt_declog_detail */
    uint32_t preset;      /* enum dfopt_preset: for policies in commands */
    int log_compression;  /* deflate level */
    struct dfopt_split start; /* its file and start: where reading begins */
    uint64_t start_line;      /* lines of that file before it */
};

/* Local, on rank 0, in place of dfopt_online_run; the others are in
 * dfopt_worker_serve. `splits` is the input; config->source is not used. Otherwise
 * as dfopt_online_run. */
enum dfopt_err dfopt_replay_run(struct dfopt_comm *comm,
                                const struct dfopt_run_config *config,
                                const struct dfopt_replay_input *input,
                                struct dfopt_run_result *out,
                                struct dfopt_error *err);

/* Local, on another rank: takes part, from rank 0's REPLAY frame to the end. A
 * failure has been reported to rank 0 when this returns. */
enum dfopt_err dfopt_replay_serve(struct dfopt_comm *comm,
                                  struct dfopt_frame_reader *frame,
                                  struct dfopt_error *err);

#endif
