/* What a rank answers to rank 0, in every mode: decided rows, its part of the
 * state, or why it has failed. Local. */
#ifndef DFOPT_ENGINE_BATCH_ANSWER_H
#define DFOPT_ENGINE_BATCH_ANSWER_H

#include "engine/batch/run.h"
#include "engine/batch/shard.h"

/* A rank has failed, for a reason of so many bytes. Returns STATE. */
enum dfopt_err dfopt_answer_failed(int rank, const char *why, size_t len,
                                   struct dfopt_error *err);

/* Appends the rows of a RESULTS frame that rank `from` sent. `t` translates the
 * rank's own strings. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_answer_results(struct dfopt_frame_reader *in,
                                    struct dfopt_dict *dict,
                                    struct dfopt_frame_translation *t,
                                    struct dfopt_decisions *out);

/* Appends a rank's part of the state, out of a STATE frame. OK, NOMEM, FORMAT, or
 * STATE: the frame says why the rank has failed. */
enum dfopt_err dfopt_answer_state(struct dfopt_frame_reader *in, int from,
                                  struct dfopt_dict *dict,
                                  struct dfopt_frame_translation *t,
                                  struct dfopt_run_result *out,
                                  struct dfopt_error *err);

/* The other end: put the planner's state, or a failure, into a frame. OK or NOMEM.
 */
enum dfopt_err dfopt_answer_put_state(struct dfopt_frame *f,
                                      const struct dfopt_shard *s);
enum dfopt_err dfopt_answer_put_failure(struct dfopt_frame *f,
                                        const struct dfopt_error *why);

#endif
