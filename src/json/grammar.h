/* Defines what is well-formed: the JSON of RFC 8259 plus the bare tokens NaN,
 * Infinity and -Infinity that Python writes. json-c accepts much more
 * (comments, single quotes, 007, raw control characters), so this checks first
 * and json-c only builds the tree. */
#ifndef DFOPT_JSON_GRAMMAR_H
#define DFOPT_JSON_GRAMMAR_H

#include "base/buf.h"

#include <stdbool.h>

#define DFOPT_JSON_DEPTH_MAX  1000 /* the check is recursive */
#define DFOPT_JSON_DIGITS_MAX 4300 /* of an integer; CPython's limit */

/* A place that json-c would misread: replace `skip` bytes at `at` by `put`. */
struct dfopt_json_edit {
    size_t at;
    size_t skip;
    char put[8];
};

/* json-c saturates integers beyond 64 bits. They get a '.' after the last
 * digit, which JSON does not allow and json-c reads as a real. */
#define DFOPT_JSON_BIG_MARK '.'

/* json-c truncates a key at a NUL. In keys, \u0000 becomes this byte, which
 * never occurs in UTF-8. */
#define DFOPT_JSON_NUL_MARK '\xff'

/* Checks one JSON value with optional surrounding white space. Returns OK, PARSE,
 * LIMIT (deeper than max_depth, at most DFOPT_JSON_DEPTH_MAX; or a number too long)
 * or NOMEM. Appends to *edits (rows of struct dfopt_json_edit, in order). `edits`
 * may be NULL: then nothing is allocated. `err` may be NULL. */
enum dfopt_err dfopt_json_check(const char *text, size_t len, int max_depth,
                                struct dfopt_buf *edits, struct dfopt_error *err);

/* The end of the JSON number that starts at `at`, or NULL if there is none.
 * *real: it has a fraction or an exponent. */
const char *dfopt_json_number(const char *at, const char *end, bool *real);

#endif
