/* Rows of findings and verdicts in flight into the decision log, in a bulk
 * replay with several ranks. The log takes whole chunks; where one ends has
 * nothing to do with where a slice ends. So a rank hands the rows behind its last
 * whole chunk to the next rank, which goes on with them, and packs the rest. Only
 * the last rank's remainder goes to rank 0 as rows. */
#ifndef DFOPT_ENGINE_REPLAY_CARRY_H
#define DFOPT_ENGINE_REPLAY_CARRY_H

#include "engine/replay/rank.h"

/* Takes over the rows of the rank before, and gives the next rank those that it is
 * to go on with. `findings_before`: rows of the log before the slice's; those of
 * the verdicts are b->verdicts_before. Every rank, once a batch, behind BASE. */
void dfopt_replay_pass_rows(struct dfopt_replay_rank *b, uint64_t findings_before);

/* Appends what this rank packs, as blocks (declog/block.h). OK or NOMEM. */
enum dfopt_err dfopt_replay_blocks(struct dfopt_replay_rank *b,
                                   struct dfopt_buf *out);

#endif
