/* Whether rows of two logs are the same, whose string numbers differ. */
#ifndef DFOPT_CMD_LOG_SAME_H
#define DFOPT_CMD_LOG_SAME_H

#include "cmd/log/merge.h"

struct dl_same_side {
    struct dfopt_declog_reader *reader; /* borrowed */
    const struct dfopt_dict *dict;
};

/* Private. dl_same_free. */
struct dl_same {
    struct dl_same_side a, b;
    dfopt_sym *b_of_a; /* by a's string number: b's, or DFOPT_SYM_NONE */
    struct dfopt_error *err;
};

/* OK or NOMEM. */
enum dfopt_err dl_same_init(struct dl_same *d, struct dfopt_declog_reader *a,
                            struct dfopt_declog_reader *b, struct dfopt_error *err);
void dl_same_free(struct dl_same *d); /* a zeroed one is fine */

/* Compares rows of one kind. A difference only in a record's origin (a reject's
 * file and line) is not a different decision. Errors: those of
 * dfopt_declog_reader_text, and NOMEM. */
enum dfopt_err dl_same_row(struct dl_same *d, enum dl_kind kind, const void *a,
                           const void *b, bool *same, struct dfopt_error *err);

#endif
