/* Rows of findings and verdicts on their path from all ranks into the decision log.
 * The log takes whole chunks, and slices do not end where chunks do. So a rank
 * packs its whole chunks and carries the rows behind the last one to the next rank,
 * which continues the chunk. Only the remainder of the last rank goes to rank 0 as
 * rows. */
#ifndef DFOPT_ENGINE_REPLAY_CARRY_H
#define DFOPT_ENGINE_REPLAY_CARRY_H

#include "engine/replay/rank.h"

/* Receives the rows carried from the rank before, and carries those behind the last
 * whole chunk to the next rank. `findings_before`: rows of the log before the
 * slice's; those of the verdicts are b->verdicts_before. Every rank, once a batch,
 * behind BASE. */
void dfopt_replay_pass_rows(struct dfopt_replay_rank *b, uint64_t findings_before);

/* Appends what this rank packs, as blocks (declog/block.h). OK or NOMEM. */
enum dfopt_err dfopt_replay_blocks(struct dfopt_replay_rank *b,
                                   struct dfopt_buf *out);

#endif
