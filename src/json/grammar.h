/* What is well-formed: the JSON of RFC 8259, and the bare tokens NaN, Infinity
 * and -Infinity that Python writes. json-c reads a good deal more (comments,
 * single quotes, 007, raw control characters), so this decides, and json-c
 * then only builds the tree. */
#ifndef DFOPT_JSON_GRAMMAR_H
#define DFOPT_JSON_GRAMMAR_H

#include "base/buf.h"

#include <stdbool.h>

#define DFOPT_JSON_DEPTH_MAX  1000 /* the check is recursive */
#define DFOPT_JSON_DIGITS_MAX 4300 /* of an integer; as CPython */

/* A place that json-c would read wrongly: `skip` bytes at `at` are to be
 * replaced by `put`. */
struct dfopt_json_edit {
    size_t at;
    size_t skip;
    char put[8];
};

/* json-c saturates integers beyond 64 bits. They are marked by a '.' after
 * their last digit, which JSON does not allow and json-c takes for a real. */
#define DFOPT_JSON_BIG_MARK '.'

/* json-c cuts a key at a NUL. In keys, \u0000 becomes this byte, which UTF-8
 * never holds. */
#define DFOPT_JSON_NUL_MARK '\xff'

/* Checks one JSON value, white space around it allowed. Returns OK, PARSE, LIMIT
 * (deeper than max_depth, at most DFOPT_JSON_DEPTH_MAX; or a number too long) or
 * NOMEM. *edits (rows of struct dfopt_json_edit, in order) is appended to. `edits`
 * may be NULL; then nothing is allocated. `err` may be NULL. */
enum dfopt_err dfopt_json_check(const char *text, size_t len, int max_depth,
                                struct dfopt_buf *edits, struct dfopt_error *err);

/* The end of the JSON number that starts at `at`, or NULL if none does. *real:
 * it has a fraction or an exponent. */
const char *dfopt_json_number(const char *at, const char *end, bool *real);

#endif
