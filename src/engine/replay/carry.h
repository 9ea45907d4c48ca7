/* The path of finding and verdict rows from all ranks into the decision log. The
 * log takes whole chunks, but slices do not end at chunk boundaries. So a rank
 * packs its whole chunks and carries the remaining rows to the next rank, which
 * continues the chunk. Only the last rank's remainder goes to rank 0 as rows. */
#ifndef DFOPT_ENGINE_REPLAY_CARRY_H
#define DFOPT_ENGINE_REPLAY_CARRY_H

#include "engine/replay/rank.h"

/* Receives the rows carried from the previous rank, and carries those after the
 * last whole chunk to the next rank. `findings_before`: log rows before the
 * slice's; for verdicts see b->verdicts_before. Every rank, once per batch, after
 * BASE. */
void dfopt_replay_pass_rows(struct dfopt_replay_rank *b, uint64_t findings_before);

/* Appends this rank's packed chunks, as blocks (declog/block.h). OK or NOMEM. */
enum dfopt_err dfopt_replay_blocks(struct dfopt_replay_rank *b,
                                   struct dfopt_buf *out);

#endif
