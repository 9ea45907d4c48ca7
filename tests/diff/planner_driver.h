/* What the files of planner_driver share: its planners, and lines of JSON. */
#ifndef DFOPT_TESTS_PLANNER_DRIVER_H
#define DFOPT_TESTS_PLANNER_DRIVER_H

#include "codec/codec.h"
#include "json/write.h"
#include "planner/control/control.h"
#include "planner/planner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

struct driver {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    struct dfopt_planner *planner[MOST];
    struct dfopt_decisions out[MOST];
    struct share {
        struct driver *d;
        uint32_t index;
    } share[MOST];
    uint32_t planners;
    bool claims; /* rows tell whether their gain is certain */
    uint64_t seq, events, plans;
    struct dfopt_buf line;
    struct dfopt_put put;
};

static inline void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "planner_driver: %s\n", what);
        exit(2);
    }
}

/* ---- output ---- */

static inline void raw(struct driver *d, const char *json)
{
    dfopt_put_raw(&d->put, json);
}

static inline void begin_line(struct driver *d)
{
    dfopt_buf_clear(&d->line);
    d->put = dfopt_put_start(&d->line, d->dict);
}

static inline void end_line(struct driver *d)
{
    raw(d, "}\n");
    must(dfopt_put_end(&d->put) == DFOPT_OK, "out of memory");
    fwrite(d->line.data, 1, d->line.len, stdout);
}

static inline void begin_event(struct driver *d)
{
    begin_line(d);
    raw(d, "{\"event\":");
    dfopt_put_int(&d->put, (int64_t)d->seq);
}

static inline void put_sym(struct driver *d, const char *key, dfopt_sym s)
{
    raw(d, key);
    if (s == DFOPT_SYM_NONE)
        raw(d, "null");
    else
        dfopt_put_sym(&d->put, s);
}

static inline void put_int(struct driver *d, const char *key, int64_t i)
{
    raw(d, key);
    dfopt_put_int(&d->put, i);
}

static inline void put_real(struct driver *d, const char *key, double x)
{
    raw(d, key);
    if (isnan(x))
        raw(d, "null");
    else
        dfopt_put_real(&d->put, x);
}

static inline void put_value(struct driver *d, const char *key,
                             struct dfopt_value v)
{
    raw(d, key);
    dfopt_put_value(&d->put, v);
}

static inline void put_bool(struct driver *d, const char *key, bool b)
{
    raw(d, key);
    raw(d, b ? "true" : "false");
}

static inline void put_text(struct driver *d, const char *key, const char *text)
{
    raw(d, key);
    dfopt_put_text(&d->put, text, strlen(text));
}

static inline void add(struct dfopt_buf *to, const struct dfopt_buf *from)
{
    must(dfopt_buf_add(to, from->data, from->len) == DFOPT_OK, "out of memory");
}

/* The last line: the values, and the state of every site. */
void print_final(struct driver *d);

#endif
