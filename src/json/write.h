/* Writes compact JSON. The first failure sticks, so one check at the end
 * suffices. */
#ifndef DFOPT_JSON_WRITE_H
#define DFOPT_JSON_WRITE_H

#include "json/json.h"

struct dfopt_put {
    struct dfopt_buf *out;
    const struct dfopt_dict *dict; /* may be NULL if no symbols are written */
    size_t start;                  /* initial length of out */
    enum dfopt_err e;
};

struct dfopt_put dfopt_put_start(struct dfopt_buf *out,
                                 const struct dfopt_dict *dict);

/* OK or NOMEM; on NOMEM *out is restored to its initial length. */
enum dfopt_err dfopt_put_end(struct dfopt_put *p);

void dfopt_put_raw(struct dfopt_put *p, const char *json); /* verbatim */
void dfopt_put_text(struct dfopt_put *p, const char *text, size_t len);
void dfopt_put_sym(struct dfopt_put *p, dfopt_sym s);
void dfopt_put_int(struct dfopt_put *p, int64_t i);
void dfopt_put_real(struct dfopt_put *p, double d);
void dfopt_put_value(struct dfopt_put *p, struct dfopt_value v);

void dfopt_put_uint(struct dfopt_put *p, uint64_t u);
void dfopt_put_bool(struct dfopt_put *p, bool b);
void dfopt_put_z(struct dfopt_put *p, const char *text); /* NULL: null */
void dfopt_put_finite(struct dfopt_put *p, double d);    /* not finite: null */
void dfopt_put_name(struct dfopt_put *p, dfopt_sym s);   /* none: null */
void dfopt_put_bytes(struct dfopt_put *p, const char *json, size_t len);

/* ---- objects and lists: dfopt_put_raw opens and closes them ---- */

/* A comma, unless the next item is the first. */
void dfopt_put_next(struct dfopt_put *p);

/* The name of the next member, which needs no escaping, preceded by a comma. */
void dfopt_put_key(struct dfopt_put *p, const char *name);

/* A member: its name, and a value written by the function above. */
void dfopt_member_text(struct dfopt_put *p, const char *name, const char *text);
void dfopt_member_int(struct dfopt_put *p, const char *name, int64_t i);
void dfopt_member_uint(struct dfopt_put *p, const char *name, uint64_t u);
void dfopt_member_bool(struct dfopt_put *p, const char *name, bool b);
void dfopt_member_real(struct dfopt_put *p, const char *name, double d);
void dfopt_member_sym(struct dfopt_put *p, const char *name, dfopt_sym s);
void dfopt_member_value(struct dfopt_put *p, const char *name,
                        struct dfopt_value v);

/* One value; a text becomes a JSON string with quotes, each byte that is not
 * UTF-8 replaced by U+FFFD. Appends to *out; OK or NOMEM. */
enum dfopt_err dfopt_json_write_value(const struct dfopt_dict *dict,
                                      struct dfopt_value v, struct dfopt_buf *out);
enum dfopt_err dfopt_json_write_text(const char *text, size_t len,
                                     struct dfopt_buf *out);

/* A json-c tree as compact JSON, members in input order. */
enum dfopt_err dfopt_json_write(struct json_object *j, struct dfopt_buf *out);

#endif
