/* json-c behind a few functions: text in, a tree out, and typed reads that say
 * in words which field is wrong. For this folder only. */
#ifndef DFOPT_JSON_JSON_H
#define DFOPT_JSON_JSON_H

#include "base/dict.h"
#include "base/text.h"
#include "model/value.h"

#include <json-c/json.h>

/* ---- text to tree ---- */

struct dfopt_json_parser;

/* Texts longer than max_bytes or nested deeper than max_depth are refused.
 * Returns OK, NOMEM, or ARG (a limit out of range). Returns owned: destroy. */
enum dfopt_err dfopt_json_parser_create(struct dfopt_json_parser **out,
                                        size_t max_bytes, int max_depth);
void dfopt_json_parser_destroy(struct dfopt_json_parser *p);

/* Returns OK, PARSE, LIMIT or NOMEM. *out is owned (json_object_put), and NULL
 * for a value that is neither object nor list. */
enum dfopt_err dfopt_json_parse(struct dfopt_json_parser *p, const char *text,
                                size_t len, struct json_object **out,
                                struct dfopt_error *err);

/* The same for a file, with a parser of its own. */
enum dfopt_err dfopt_json_parse_file(const char *text, size_t len,
                                     struct json_object **out,
                                     struct dfopt_error *err);

/* ---- reading the tree ---- */

enum dfopt_json_kind {
    DFOPT_JSON_NULL, /* also a json_object that is NULL */
    DFOPT_JSON_BOOL,
    DFOPT_JSON_INT,
    DFOPT_JSON_BIG, /* an integer beyond 64 bits */
    DFOPT_JSON_REAL,
    DFOPT_JSON_TEXT,
    DFOPT_JSON_LIST,
    DFOPT_JSON_OBJECT
};

enum dfopt_json_kind dfopt_json_kind(const struct json_object *j);

/* The text of a string, the tree's; "" for anything else. */
struct dfopt_text dfopt_json_text(struct json_object *j);

/* Whether a number or boolean is finite, and its value as a double. */
bool dfopt_json_finite(struct json_object *j, double *out);

/* Whether a number is whole and at most 2^53 either way; booleans are none. */
bool dfopt_json_whole(struct json_object *j, int64_t *out);

/* The member of an object, NULL if it is missing or null. */
struct json_object *dfopt_json_get(struct json_object *object, const char *name);

/* Whether an object has a member, null or not; *out is the member. */
bool dfopt_json_find(struct json_object *object, struct dfopt_text name,
                     struct json_object **out);

/* Typed reads of a member. Missing and null give what *out holds already. A
 * value of another type: SCHEMA, *out untouched. */
enum dfopt_err dfopt_json_get_text(struct json_object *object, const char *name,
                                   struct dfopt_text *out, struct dfopt_error *err);
enum dfopt_err dfopt_json_get_whole(struct json_object *object, const char *name,
                                    int64_t *out, struct dfopt_error *err);
enum dfopt_err dfopt_json_get_finite(struct json_object *object, const char *name,
                                     double *out, struct dfopt_error *err);

/* Lists of strings: *out becomes the list, borrowed. */
enum dfopt_err dfopt_json_get_texts(struct json_object *object, const char *name,
                                    struct json_object **out,
                                    struct dfopt_error *err);

/* Whether a value is a scalar, its integers within 64 bits. OK or SCHEMA; the
 * error calls it `name`. */
enum dfopt_err dfopt_json_check_scalar(struct json_object *j, const char *name,
                                       struct dfopt_error *err);

/* The error of a key that is not known: "unknown WHAT 'KEY'ALLOWED". SCHEMA. */
enum dfopt_err dfopt_json_unknown(const char *what, const char *key,
                                  const char *allowed, struct dfopt_error *err);

/* Whether this is an object without other keys than `known`, which ends with NULL.
 * OK or SCHEMA. */
enum dfopt_err dfopt_json_check_keys(struct json_object *j,
                                     const char *const *known, const char *allowed,
                                     struct dfopt_error *err);

/* ---- tree to model: these intern. OK or NOMEM ---- */

enum dfopt_err dfopt_json_intern(struct dfopt_dict *dict, struct dfopt_text text,
                                 dfopt_sym *out);

/* A key of json-c's. */
enum dfopt_err dfopt_json_intern_key(struct dfopt_dict *dict, const char *key,
                                     dfopt_sym *out);

/* A list of strings (NULL: none). */
enum dfopt_err dfopt_json_intern_texts(struct dfopt_dict *dict,
                                       struct json_object *list, dfopt_list *out);

/* A scalar that dfopt_json_check_scalar accepts. */
enum dfopt_err dfopt_json_intern_value(struct dfopt_dict *dict,
                                       struct json_object *j,
                                       struct dfopt_value *out);

/* ---- for messages ---- */

#define DFOPT_JSON_NAME_SIZE 64

/* A name as it may stand in an error: cut to fit, without control characters.
 * Returns out. */
const char *dfopt_json_name(struct dfopt_text name, char out[DFOPT_JSON_NAME_SIZE]);

#endif
