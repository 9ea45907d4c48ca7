/* Both ends of a frame, and an item of each kind with what must come of it: for the
 * tests of frames. */
#ifndef DFOPT_TESTS_FRAME_ENDS_H
#define DFOPT_TESTS_FRAME_ENDS_H

#include "engine/comm/frame.h"
#include "support/unit.h"

/* ---- both ends ---- */

struct ends {
    struct dfopt_dict *authority, *replica;
    struct dfopt_frame_known told;
    struct dfopt_frame_translation own; /* the replica's numbers, over there */
    struct dfopt_frame f;
    struct dfopt_buf bytes;
    struct dfopt_buf defined; /* texts of the definitions, as they came */
    unsigned lists;           /* definitions of lists that came */
    const char *name;         /* of the case */
};

/* A cmocka fixture: *state is a struct ends whose peer knows nothing. */
int ends_setup(void **state);
int ends_teardown(void **state);

/* Each fails the test, with the case's name, where it cannot. */
void must(const char *name, enum dfopt_err e);
void must_begin(struct ends *t, const struct dfopt_dict *dict,
                struct dfopt_frame_known *told);
void must_read(struct ends *t, struct dfopt_frame_reader *r);
void must_end(struct ends *t, struct dfopt_frame_reader *r);

/* Takes the next item that is no definition; definitions go to the replica. */
void must_next(struct ends *t, struct dfopt_frame_reader *r,
               struct dfopt_item *item);

dfopt_sym sym(struct dfopt_dict *d, const char *text);

/* Makes the header fit the bytes behind it. */
void mend(char *bytes, size_t len);

/* ---- an item of each kind, from the authority ---- */

struct kind_case {
    const char *name;
    uint32_t kind;
    enum dfopt_err (*add)(struct ends *t);
    void (*check)(struct ends *t, const struct dfopt_item *item);
    const char *strings; /* that must be defined to a peer that knows nothing */
    unsigned lists;
};

enum { KIND_REGISTRATION = 4, KIND_CONFIG = 6, N_KINDS = 11 };

extern const struct kind_case kinds[N_KINDS];

/* Adds all of them. */
void add_kinds(struct ends *t);

/* A frame with all of them in it, for a peer that knows nothing. */
void whole_frame(struct ends *t);

/* ---- rows from the replica ---- */

struct rows {
    struct dfopt_decisions d;
    struct dfopt_buf state, suppressions, commanded;
};

/* Rows of every kind; `new`, `newer`, `last` are values' texts. Free them. */
void rows_of(struct rows *r, dfopt_sym known, dfopt_sym new, dfopt_sym newer,
             dfopt_sym last);
void rows_free(struct rows *r);

#endif
