/* How far each origin of a log has been decided. */
#ifndef DFOPT_STATE_ORIGINS_H
#define DFOPT_STATE_ORIGINS_H

#include "state/fold.h"

/* Fills f->origins for the events before f->next_seq. Errors: IO, FORMAT,
 * NOMEM. */
enum dfopt_err dfopt_fold_take_origins(struct dfopt_fold *f,
                                       struct dfopt_error *err);

#endif
