/* Registry files: one registration, or a list of them. Each is written out as a
 * compact line and decoded like a record, so that the same rules and limits
 * apply, and the line can be forwarded. */
#include "codec/record.h"
#include "json/write.h"

#include <stdlib.h>

/* Decodes one, and appends its line to *lines. */
static enum dfopt_err decode_one(struct dfopt_codec *c, struct json_object *j,
                                 struct dfopt_registration *out,
                                 struct dfopt_buf *lines, struct dfopt_error *err)
{
    struct dfopt_event event;
    size_t start = lines->len;
    if (dfopt_json_write(j, lines) != DFOPT_OK ||
        dfopt_buf_add(lines, "\n", 1) != DFOPT_OK)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e =
        dfopt_codec_decode(c, DFOPT_STREAM_REGISTRATION, lines->data + start,
                           lines->len - start - 1, &event, err);
    if (!e)
        *out = event.registration; /* takes it over */
    return e;
}

static enum dfopt_err decode_all(struct dfopt_codec *c, struct json_object *tree,
                                 struct dfopt_registration *rows, size_t n,
                                 struct dfopt_buf *lines, struct dfopt_error *err)
{
    if (dfopt_json_kind(tree) == DFOPT_JSON_OBJECT)
        return decode_one(c, tree, rows, lines, err);
    for (size_t i = 0; i < n; i++) {
        enum dfopt_err e =
            decode_one(c, json_object_array_get_idx(tree, i), &rows[i], lines, err);
        if (e) {
            dfopt_error_prefix(err, "registration %zu", i);
            return e;
        }
    }
    return DFOPT_OK;
}

static enum dfopt_err decode_file(struct dfopt_codec *c, struct json_object *tree,
                                  struct dfopt_registration **out, size_t *n,
                                  struct dfopt_buf *lines, struct dfopt_error *err)
{
    bool list = dfopt_json_kind(tree) == DFOPT_JSON_LIST;
    if (!list && dfopt_json_kind(tree) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "neither a registration nor a list of them");
    size_t count = list ? json_object_array_length(tree) : 1, start = lines->len;
    struct dfopt_registration *rows = calloc(count ? count : 1, sizeof *rows);
    if (!rows)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = decode_all(c, tree, rows, count, lines, err);
    if (e) {
        lines->len = start;
        for (size_t i = 0; i < count; i++)
            dfopt_registration_clear(&rows[i]);
        free(rows);
        return e;
    }
    *out = rows;
    *n = count;
    return DFOPT_OK;
}

enum dfopt_err dfopt_codec_registry(struct dfopt_codec *c, const char *text,
                                    size_t len, struct dfopt_registration **out,
                                    size_t *n, struct dfopt_buf *bodies,
                                    struct dfopt_error *err)
{
    struct json_object *tree = NULL;
    struct dfopt_buf unwanted = {0};
    enum dfopt_err e = dfopt_json_parse_file(text, len, &tree, err);
    if (!e)
        e = decode_file(c, tree, out, n, bodies ? bodies : &unwanted, err);
    json_object_put(tree);
    dfopt_buf_free(&unwanted);
    return e;
}
