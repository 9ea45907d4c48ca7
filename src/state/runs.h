/* Reads the texts of a run from a log. */
#ifndef DFOPT_STATE_RUNS_H
#define DFOPT_STATE_RUNS_H

#include "declog/reader.h"

/* Reads the texts of run number `run` into *texts (cleared first); text[i]
 * points to each, borrowed from it. Errors: IO, FORMAT, NOMEM. */
enum dfopt_err dfopt_fold_run_texts(struct dfopt_declog_reader *r, uint64_t run,
                                    struct dfopt_buf *texts,
                                    const char *text[DFOPT_RUN_TEXT_COUNT],
                                    struct dfopt_error *err);

#endif
