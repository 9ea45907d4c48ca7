/* Collecting, quoting and writing. */
#include "cmd/log/print.h"
#include "codec/codec.h"
#include "json/write.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PIECE 65536 /* bytes that are written at once */

void log_print_free(struct log_print *p)
{
    dfopt_buf_free(&p->out);
}

bool log_print_flush(struct log_print *p, bool now)
{
    if (p->left || p->failed || p->e)
        return false;
    if (p->out.len == 0 || (!now && p->out.len < PIECE))
        return true;
    bool ok = fwrite(p->out.data, 1, p->out.len, stdout) == p->out.len &&
              fflush(stdout) == 0;
    int reason = errno;
    dfopt_buf_clear(&p->out);
    if (ok)
        return true;
    p->left = reason == EPIPE;
    p->failed = !p->left;
    if (p->failed)
        fprintf(stderr, "dfopt-log: standard output: %s\n", strerror(reason));
    return false;
}

void log_put_bytes(struct log_print *p, const char *bytes, size_t n)
{
    if (!p->e)
        p->e = dfopt_buf_add(&p->out, bytes, n);
}

void log_put(struct log_print *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_put_bytes(p, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void log_put_text(struct log_print *p, const char *text, size_t len)
{
    for (size_t i = 0, from = 0; i <= len; i++) {
        unsigned char c = i < len ? (unsigned char)text[i] : 0;
        if (i < len && c >= 0x20 && c != 0x7f)
            continue;
        log_put_bytes(p, text + from, i - from);
        if (i < len)
            log_put(p, "\\x%02x", c);
        from = i + 1;
    }
}

void log_put_sym(struct log_print *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->dict, s, &len);
    log_put_text(p, text, len);
}

void log_put_value(struct log_print *p, struct dfopt_value v)
{
    if (v.kind == DFOPT_KIND_NULL)
        log_put(p, "-");
    else if (v.kind == DFOPT_KIND_REAL)
        log_put_real(p, v.d);
    else
        log_json_value(p, v);
}

void log_put_real(struct log_print *p, double d)
{
    if (isfinite(d))
        log_put(p, "%.6g", d);
    else
        log_put(p, "-");
}

void log_put_targets(struct log_print *p, const struct dfopt_plan *plan)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(p->dict, plan->targets, &n);
    if (plan->node != DFOPT_SYM_EMPTY)
        log_put_sym(p, plan->node);
    else if (n == 0)
        log_put(p, "the whole job");
    for (size_t i = 0; i < n; i++) {
        log_put(p, "%s", i ? "," : "");
        log_put_sym(p, targets[i]);
    }
}

void log_pad(struct log_print *p, size_t start, size_t width)
{
    size_t columns = 0; /* of UTF-8: bytes that start a character */
    for (size_t i = start; i < p->out.len; i++)
        columns += ((unsigned char)p->out.data[i] & 0xc0) != 0x80;
    for (; columns < width; columns++)
        log_put(p, " ");
    log_put(p, " ");
}

void log_fit(struct log_print *p, size_t start, size_t width)
{
    const char *text = p->out.data + start;
    size_t columns = 0, cut = 0; /* bytes that leave room for two dots */
    for (size_t i = 0; i < p->out.len - start; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue;
        if (columns == width - 2)
            cut = i;
        columns++;
    }
    if (columns > width) {
        p->out.len = start + cut;
        log_put(p, "..");
    }
    log_pad(p, start, width);
}

void log_color(struct log_print *p, enum log_color c)
{
    static const char *const codes[] = {
        [LOG_PLAIN] = "\033[0m",  [LOG_BOLD] = "\033[1m",
        [LOG_DIM] = "\033[2m",    [LOG_RED] = "\033[31m",
        [LOG_GREEN] = "\033[32m", [LOG_YELLOW] = "\033[33m"};
    if (p->color)
        log_put(p, "%s", codes[c]);
}

void log_json_text(struct log_print *p, const char *text, size_t len)
{
    if (!p->e)
        p->e = dfopt_json_write_text(text, len, &p->out);
}

void log_json_sym(struct log_print *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->dict, s, &len);
    if (s == DFOPT_SYM_NONE)
        log_put(p, "null");
    else
        log_json_text(p, text, len);
}

void log_json_real(struct log_print *p, double d)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    if (isfinite(d))
        log_put_bytes(p, text, dfopt_real_text(d, text));
    else
        log_put(p, "null");
}

void log_json_value(struct log_print *p, struct dfopt_value v)
{
    if (!p->e)
        p->e = dfopt_json_write_value(p->dict, v, &p->out);
}

void log_json_list(struct log_print *p, dfopt_list list)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(p->dict, list, &n);
    log_put(p, "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            log_put(p, ",");
        log_json_sym(p, items[i]);
    }
    log_put(p, "]");
}

void log_json_key(struct log_print *p, const char *name, bool first)
{
    log_put(p, "%s\"%s\":", first ? "{" : ",", name);
}
