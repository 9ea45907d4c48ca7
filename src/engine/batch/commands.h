/* Commands of operators and their outcomes, for the decision log. */
#ifndef DFOPT_ENGINE_BATCH_COMMANDS_H
#define DFOPT_ENGINE_BATCH_COMMANDS_H

#include "engine/batch/batch.h"

/* Appends those of a merged batch. Errors: those of dfopt_declog_command. */
enum dfopt_err dfopt_commands_log(struct dfopt_declog *w,
                                  const struct dfopt_batch *r);

#endif
