/* What a command prints: text or JSON, collected and written in large pieces.
 * The first failure sticks, so that only the end needs to look at it. */
#ifndef DFOPT_CMD_LOG_PRINT_H
#define DFOPT_CMD_LOG_PRINT_H

#include "model/decision.h"

#include <stdarg.h>

struct log_print {
    const struct dfopt_dict *dict; /* borrowed; may be NULL if no sym is put */
    bool color;                    /* log_color does something */
    struct dfopt_buf out;
    enum dfopt_err e; /* NOMEM */
    bool left;        /* a pipe whose reader has left: be done, quietly */
    bool failed;      /* stdout takes no more; said why on stderr */
};

void log_print_free(struct log_print *p);

/* Writes what has been collected, if it is much or `now`. Returns whether to
 * go on: false once nothing more can be written, or memory is short. */
bool log_print_flush(struct log_print *p, bool now);

/* ---- text ---- */

/* At most 511 bytes at once. */
void log_put(struct log_print *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As they are. */
void log_put_bytes(struct log_print *p, const char *bytes, size_t n);

/* Bytes of a log: control characters, which a terminal would obey, are put as
 * \xNN. */
void log_put_text(struct log_print *p, const char *text, size_t len);
void log_put_sym(struct log_print *p, dfopt_sym s);

/* A value for a person: as in JSON, but null is "-", and reals are short. */
void log_put_value(struct log_print *p, struct dfopt_value v);

/* A real for a person: at most six digits; "-" if it is not finite. */
void log_put_real(struct log_print *p, double d);

/* Whom a plan is for: its node, its target nodes, or "the whole job". */
void log_put_targets(struct log_print *p, const struct dfopt_plan *plan);

/* Fills up with blanks to `width` columns from where `start` was (p->out.len
 * before the cell), and puts one more. */
void log_pad(struct log_print *p, size_t start, size_t width);

/* The same for a cell that may be wider: it is cut, between characters, and ends
 * with two dots. */
void log_fit(struct log_print *p, size_t start, size_t width);

enum log_color { LOG_PLAIN, LOG_BOLD, LOG_DIM, LOG_RED, LOG_GREEN, LOG_YELLOW };

void log_color(struct log_print *p, enum log_color c);

/* ---- JSON ---- */

void log_json_text(struct log_print *p, const char *text, size_t len);
void log_json_sym(struct log_print *p, dfopt_sym s); /* none: null */
void log_json_real(struct log_print *p, double d);   /* not finite: null */
void log_json_value(struct log_print *p, struct dfopt_value v);
void log_json_list(struct log_print *p, dfopt_list list);

/* ,"name": or {"name": if first */
void log_json_key(struct log_print *p, const char *name, bool first);

#endif
