/* Writes scalars, texts and trees as JSON. json-c escapes; bytes of a text that
 * are not UTF-8 are first replaced by U+FFFD, one each. */
#include "json/write.h"

#include "json/grammar.h"
#include "json/utf8.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static enum dfopt_err put_clean(const char *text, size_t len, struct dfopt_buf *out)
{
    if (len > INT_MAX / 6) /* json-c counts escaped bytes in an int */
        return DFOPT_ERR_NOMEM;
    struct json_object *j = json_object_new_string_len(text, (int)len);
    if (!j)
        return DFOPT_ERR_NOMEM;
    size_t n;
    const char *json = json_object_to_json_string_length(j, FLAGS, &n);
    enum dfopt_err e = json ? dfopt_buf_add(out, json, n) : DFOPT_ERR_NOMEM;
    json_object_put(j);
    return e;
}

static enum dfopt_err replace_bad(const char *text, size_t len,
                                  struct dfopt_buf *clean)
{
    enum dfopt_err e = DFOPT_OK;
    const char *end = text + len;
    for (size_t n; !e && text < end; text += n ? n : 1) {
        n = dfopt_utf8_char(text, end);
        e = n ? dfopt_buf_add(clean, text, n)
              : dfopt_buf_add(clean, "\xef\xbf\xbd", 3);
    }
    return e;
}

enum dfopt_err dfopt_json_write_text(const char *text, size_t len,
                                     struct dfopt_buf *out)
{
    if (dfopt_utf8_valid(text, len))
        return put_clean(text, len, out);
    struct dfopt_buf clean = {0};
    enum dfopt_err e = replace_bad(text, len, &clean);
    if (!e)
        e = put_clean(clean.data, clean.len, out);
    dfopt_buf_free(&clean);
    return e;
}

enum dfopt_err dfopt_json_write_value(const struct dfopt_dict *dict,
                                      struct dfopt_value v, struct dfopt_buf *out)
{
    struct dfopt_put p = dfopt_put_start(out, dict);
    dfopt_put_value(&p, v);
    return dfopt_put_end(&p);
}

struct dfopt_put dfopt_put_start(struct dfopt_buf *out,
                                 const struct dfopt_dict *dict)
{
    return (struct dfopt_put){.out = out, .dict = dict, .start = out->len};
}

enum dfopt_err dfopt_put_end(struct dfopt_put *p)
{
    if (p->e)
        p->out->len = p->start;
    return p->e;
}

void dfopt_put_bytes(struct dfopt_put *p, const char *json, size_t len)
{
    if (!p->e)
        p->e = dfopt_buf_add(p->out, json, len);
}

void dfopt_put_raw(struct dfopt_put *p, const char *json)
{
    dfopt_put_bytes(p, json, strlen(json));
}

void dfopt_put_text(struct dfopt_put *p, const char *text, size_t len)
{
    if (!p->e)
        p->e = dfopt_json_write_text(text, len, p->out);
}

void dfopt_put_sym(struct dfopt_put *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->dict, s, &len);
    dfopt_put_text(p, text, len);
}

void dfopt_put_int(struct dfopt_put *p, int64_t i)
{
    if (!p->e)
        p->e = dfopt_buf_printf(p->out, "%" PRId64, i);
}

void dfopt_put_uint(struct dfopt_put *p, uint64_t u)
{
    if (!p->e)
        p->e = dfopt_buf_printf(p->out, "%" PRIu64, u);
}

void dfopt_put_real(struct dfopt_put *p, double d)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    dfopt_real_text(d, text);
    dfopt_put_raw(p, text);
}

void dfopt_put_value(struct dfopt_put *p, struct dfopt_value v)
{
    switch (v.kind) {
    case DFOPT_KIND_BOOL:
        dfopt_put_raw(p, v.i ? "true" : "false");
        break;
    case DFOPT_KIND_INT:
        dfopt_put_int(p, v.i);
        break;
    case DFOPT_KIND_REAL:
        dfopt_put_real(p, v.d);
        break;
    case DFOPT_KIND_STR:
        dfopt_put_sym(p, v.str);
        break;
    default:
        dfopt_put_raw(p, "null");
        break;
    }
}

/* What precedes a first item: nothing, or an opening bracket. */
void dfopt_put_next(struct dfopt_put *p)
{
    const char last = p->out->len > p->start ? p->out->data[p->out->len - 1] : '\n';
    if (!strchr("{[:\n", last))
        dfopt_put_raw(p, ",");
}

void dfopt_put_key(struct dfopt_put *p, const char *name)
{
    dfopt_put_next(p);
    dfopt_put_raw(p, "\"");
    dfopt_put_raw(p, name);
    dfopt_put_raw(p, "\":");
}

void dfopt_put_z(struct dfopt_put *p, const char *text)
{
    if (text)
        dfopt_put_text(p, text, strlen(text));
    else
        dfopt_put_raw(p, "null");
}

void dfopt_put_bool(struct dfopt_put *p, bool b)
{
    dfopt_put_raw(p, b ? "true" : "false");
}

void dfopt_put_finite(struct dfopt_put *p, double d)
{
    if (isfinite(d))
        dfopt_put_real(p, d);
    else
        dfopt_put_raw(p, "null");
}

void dfopt_put_name(struct dfopt_put *p, dfopt_sym s)
{
    if (s == DFOPT_SYM_NONE)
        dfopt_put_raw(p, "null");
    else
        dfopt_put_sym(p, s);
}

#define MEMBER(kind, type, put)                                                    \
    void dfopt_member_##kind(struct dfopt_put *p, const char *name, type v)        \
    {                                                                              \
        dfopt_put_key(p, name);                                                    \
        put(p, v);                                                                 \
    }
MEMBER(text, const char *, dfopt_put_z)
MEMBER(int, int64_t, dfopt_put_int)
MEMBER(uint, uint64_t, dfopt_put_uint)
MEMBER(bool, bool, dfopt_put_bool)
MEMBER(real, double, dfopt_put_finite)
MEMBER(sym, dfopt_sym, dfopt_put_name)
MEMBER(value, struct dfopt_value, dfopt_put_value)

/* Removes the marks of grammar.h. */
static enum dfopt_err put_unmarked(const char *json, size_t len,
                                   struct dfopt_buf *out)
{
    bool quoted = false;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < len; i++) {
        char c = json[i], next = i + 1 < len ? json[i + 1] : '\0';
        if (c == DFOPT_JSON_NUL_MARK) {
            e = dfopt_buf_add(out, "\\u0000", 6);
        } else if (quoted && c == '\\') {
            e = dfopt_buf_add(out, json + i++, 2);
        } else if (quoted || c != DFOPT_JSON_BIG_MARK ||
                   (next >= '0' && next <= '9')) {
            quoted ^= c == '"';
            e = dfopt_buf_add(out, &c, 1);
        }
    }
    return e;
}

enum dfopt_err dfopt_json_write(struct json_object *j, struct dfopt_buf *out)
{
    size_t n, start = out->len;
    const char *json = json_object_to_json_string_length(j, FLAGS, &n);
    if (!json)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = put_unmarked(json, n, out);
    if (e)
        out->len = start;
    return e;
}
