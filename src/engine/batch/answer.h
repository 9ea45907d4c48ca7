/* A rank's answers to rank 0, in every mode: decided rows, its part of the state,
 * or why it failed. Local. */
#ifndef DFOPT_ENGINE_BATCH_ANSWER_H
#define DFOPT_ENGINE_BATCH_ANSWER_H

#include "engine/batch/run.h"
#include "engine/batch/shard.h"

/* Reports a failed rank, with a reason of len bytes. Returns STATE. */
enum dfopt_err dfopt_answer_failed(int rank, const char *why, size_t len,
                                   struct dfopt_error *err);

/* Appends the rows of a RESULTS frame from rank `from`. `t` translates the rank's
 * local strings. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_answer_results(struct dfopt_frame_reader *in,
                                    struct dfopt_dict *dict,
                                    struct dfopt_frame_translation *t,
                                    struct dfopt_decisions *out);

/* Appends a rank's part of the state from a STATE frame. OK, NOMEM, FORMAT, or
 * STATE: the frame says why the rank failed. */
enum dfopt_err dfopt_answer_state(struct dfopt_frame_reader *in, int from,
                                  struct dfopt_dict *dict,
                                  struct dfopt_frame_translation *t,
                                  struct dfopt_run_result *out,
                                  struct dfopt_error *err);

/* The sending side: put the planner's state, or a failure, in a frame. OK or
 * NOMEM. */
enum dfopt_err dfopt_answer_put_state(struct dfopt_frame *f,
                                      const struct dfopt_shard *s);
enum dfopt_err dfopt_answer_put_failure(struct dfopt_frame *f,
                                        const struct dfopt_error *why);

#endif
