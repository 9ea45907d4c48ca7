/* Text to tree. grammar.h decides what is well-formed; if json-c then fails to
 * build a tree, it ran out of memory. */
#include "json/grammar.h"
#include "json/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FILE_DEPTH 64

struct dfopt_json_parser {
    struct json_tokener *tokener;
    struct dfopt_buf edits; /* rows of struct dfopt_json_edit */
    struct dfopt_buf text;  /* with the edits applied */
    size_t max_bytes;
    int max_depth;
};

enum dfopt_err dfopt_json_parser_create(struct dfopt_json_parser **out,
                                        size_t max_bytes, int max_depth)
{
    if (max_depth < 1 || max_depth > DFOPT_JSON_DEPTH_MAX)
        return DFOPT_ERR_ARG;
    struct dfopt_json_parser *p = calloc(1, sizeof *p);
    if (!p)
        return DFOPT_ERR_NOMEM;
    /* json-c counts a scalar as a level of its own */
    p->tokener = json_tokener_new_ex(max_depth + 2);
    if (!p->tokener) {
        free(p);
        return DFOPT_ERR_NOMEM;
    }
    p->max_bytes = max_bytes;
    p->max_depth = max_depth;
    *out = p;
    return DFOPT_OK;
}

void dfopt_json_parser_destroy(struct dfopt_json_parser *p)
{
    if (!p)
        return;
    json_tokener_free(p->tokener);
    dfopt_buf_free(&p->edits);
    dfopt_buf_free(&p->text);
    free(p);
}

static enum dfopt_err make_edits(struct dfopt_json_parser *p, const char *text,
                                 size_t len)
{
    size_t from = 0, n = DFOPT_ROWS(&p->edits, struct dfopt_json_edit);
    const struct dfopt_json_edit *edit =
        DFOPT_ROW(&p->edits, struct dfopt_json_edit);
    dfopt_buf_clear(&p->text);
    enum dfopt_err e = dfopt_buf_reserve(&p->text, len + n);
    for (size_t i = 0; !e && i < n; i++) {
        e = dfopt_buf_add(&p->text, text + from, edit[i].at - from);
        if (!e)
            e = dfopt_buf_add(&p->text, edit[i].put, strlen(edit[i].put));
        from = edit[i].at + edit[i].skip;
    }
    return e ? e : dfopt_buf_add(&p->text, text + from, len - from);
}

static bool is_container(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", text[i]))
        i++;
    return i < len && (text[i] == '{' || text[i] == '[');
}

enum dfopt_err dfopt_json_parse(struct dfopt_json_parser *p, const char *text,
                                size_t len, struct json_object **out,
                                struct dfopt_error *err)
{
    if (len > p->max_bytes)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "longer than %zu bytes",
                               p->max_bytes);
    dfopt_buf_clear(&p->edits);
    enum dfopt_err e = dfopt_json_check(text, len, p->max_depth, &p->edits, err);
    if (e)
        return e;
    if (!is_container(text, len)) {
        *out = NULL;
        return DFOPT_OK;
    }
    if (p->edits.len) {
        if (make_edits(p, text, len) != DFOPT_OK)
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
        text = p->text.data;
        len = p->text.len;
    }
    if (len > INT32_MAX) /* json-c's own limit */
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "longer than %d bytes",
                               INT32_MAX);
    json_tokener_reset(p->tokener);
    struct json_object *tree = json_tokener_parse_ex(p->tokener, text, (int)len);
    if (!tree) {
        json_tokener_reset(p->tokener); /* frees the partial tree */
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    *out = tree;
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_parse_file(const char *text, size_t len,
                                     struct json_object **out,
                                     struct dfopt_error *err)
{
    struct dfopt_json_parser *p;
    enum dfopt_err e = dfopt_json_parser_create(&p, INT32_MAX, FILE_DEPTH);
    if (e)
        return dfopt_error_set(err, e, "out of memory");
    e = dfopt_json_parse(p, text, len, out, err);
    dfopt_json_parser_destroy(p);
    return e;
}
