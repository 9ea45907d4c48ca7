/* A thin layer over json-c: parses text to a tree and reads typed members, with
 * errors that name the field. For this folder only. */
#ifndef DFOPT_JSON_JSON_H
#define DFOPT_JSON_JSON_H

#include "base/dict.h"
#include "base/text.h"
#include "model/value.h"

#include <json-c/json.h>

/* ---- text to tree ---- */

struct dfopt_json_parser;

/* Refuses texts longer than max_bytes or nested deeper than max_depth. Returns
 * OK, NOMEM, or ARG (a limit out of range). Returns owned: destroy. */
enum dfopt_err dfopt_json_parser_create(struct dfopt_json_parser **out,
                                        size_t max_bytes, int max_depth);
void dfopt_json_parser_destroy(struct dfopt_json_parser *p);

/* Returns OK, PARSE, LIMIT or NOMEM. *out is owned (json_object_put), and NULL
 * for a value that is neither object nor list. */
enum dfopt_err dfopt_json_parse(struct dfopt_json_parser *p, const char *text,
                                size_t len, struct json_object **out,
                                struct dfopt_error *err);

/* The same for a file, with its own parser. */
enum dfopt_err dfopt_json_parse_file(const char *text, size_t len,
                                     struct json_object **out,
                                     struct dfopt_error *err);

/* ---- reading the tree ---- */

enum dfopt_json_kind {
    DFOPT_JSON_NULL, /* also a NULL json_object */
    DFOPT_JSON_BOOL,
    DFOPT_JSON_INT,
    DFOPT_JSON_BIG, /* an integer beyond 64 bits */
    DFOPT_JSON_REAL,
    DFOPT_JSON_TEXT,
    DFOPT_JSON_LIST,
    DFOPT_JSON_OBJECT
};

enum dfopt_json_kind dfopt_json_kind(const struct json_object *j);

/* The text of a string, owned by the tree; "" for anything else. */
struct dfopt_text dfopt_json_text(struct json_object *j);

/* Whether a number or boolean is finite; *out is its value as a double. */
bool dfopt_json_finite(struct json_object *j, double *out);

/* Whether a number is an integer in -2^53 .. 2^53; *out is it. Booleans are not. */
bool dfopt_json_whole(struct json_object *j, int64_t *out);

/* The member of an object, NULL if it is missing or null. */
struct json_object *dfopt_json_get(struct json_object *object, const char *name);

/* Whether an object has a member, null or not; *out is that member. */
bool dfopt_json_find(struct json_object *object, struct dfopt_text name,
                     struct json_object **out);

/* Typed reads of a member. Missing or null keeps the value in *out. A value of
 * another type: SCHEMA, *out untouched. */
enum dfopt_err dfopt_json_get_text(struct json_object *object, const char *name,
                                   struct dfopt_text *out, struct dfopt_error *err);
enum dfopt_err dfopt_json_get_whole(struct json_object *object, const char *name,
                                    int64_t *out, struct dfopt_error *err);
enum dfopt_err dfopt_json_get_finite(struct json_object *object, const char *name,
                                     double *out, struct dfopt_error *err);

/* Lists of strings: *out is set to the list, borrowed. */
enum dfopt_err dfopt_json_get_texts(struct json_object *object, const char *name,
                                    struct json_object **out,
                                    struct dfopt_error *err);

/* Whether a value is a scalar, integers within 64 bits. OK or SCHEMA; the error
 * calls it `name`. */
enum dfopt_err dfopt_json_check_scalar(struct json_object *j, const char *name,
                                       struct dfopt_error *err);

/* The error for an unknown key: "unknown WHAT 'KEY'ALLOWED". SCHEMA. */
enum dfopt_err dfopt_json_unknown(const char *what, const char *key,
                                  const char *allowed, struct dfopt_error *err);

/* Whether this is an object with no keys outside `known` (NULL-terminated). OK
 * or SCHEMA. */
enum dfopt_err dfopt_json_check_keys(struct json_object *j,
                                     const char *const *known, const char *allowed,
                                     struct dfopt_error *err);

/* ---- tree to model: interns strings. OK or NOMEM ---- */

enum dfopt_err dfopt_json_intern(struct dfopt_dict *dict, struct dfopt_text text,
                                 dfopt_sym *out);

/* A key of a json-c object. */
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

/* A name fit for an error text: truncated, without control characters. Returns
 * out. */
const char *dfopt_json_name(struct dfopt_text name, char out[DFOPT_JSON_NAME_SIZE]);

#endif
