/* Compact JSON put together piece by piece. The first failure sticks, so that
 * only the end needs to look at it. */
#ifndef DFOPT_CODEC_WRITE_H
#define DFOPT_CODEC_WRITE_H

#include "codec/json.h"

struct dfopt_put {
    struct dfopt_buf *out;
    const struct dfopt_dict *dict; /* may be NULL if no symbol is put */
    size_t start;                  /* where out ended before */
    enum dfopt_err e;
};

struct dfopt_put dfopt_put_start(struct dfopt_buf *out,
                                 const struct dfopt_dict *dict);

/* OK or NOMEM; then *out is as it was at the start. */
enum dfopt_err dfopt_put_end(struct dfopt_put *p);

void dfopt_put_raw(struct dfopt_put *p, const char *json); /* as it is */
void dfopt_put_text(struct dfopt_put *p, const char *text, size_t len);
void dfopt_put_sym(struct dfopt_put *p, dfopt_sym s);
void dfopt_put_int(struct dfopt_put *p, int64_t i);
void dfopt_put_real(struct dfopt_put *p, double d);
void dfopt_put_value(struct dfopt_put *p, struct dfopt_value v);

/* A tree of json-c's as compact JSON, in the order in which it came. */
enum dfopt_err dfopt_json_write(struct json_object *j, struct dfopt_buf *out);

#endif
