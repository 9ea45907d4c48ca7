/* Parses filters and resolves their names. */
#include "cmd/log/filter.h"
#include "declog/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "A:B", "A:", ":B", "A". */
error_t dl_filter_windows(struct argp_state *state, const char *text, void *filter)
{
    struct dl_filter *f = filter;
    char *end = (char *)text;
    f->windows = true;
    f->from = INT64_MIN;
    f->to = INT64_MAX;
    errno = 0;
    if (*text != ':')
        f->from = f->to = strtoll(text, &end, 10);
    bool ok = *text == ':' ? text[1] != '\0' : end != text;
    if (ok && *end == ':') {
        const char *second = end + 1;
        f->to = INT64_MAX;
        if (*second) {
            f->to = strtoll(second, &end, 10);
            ok = end != second;
        } else {
            end++;
        }
    }
    if (!ok || *end || errno || f->from > f->to)
        argp_error(state, "--window takes A:B with A <= B, not '%s'", text);
    return 0;
}

#define KNOBS_LISTED 8

/* Writes "; the log has a b c" to text: the first few knobs, each once. */
static enum dfopt_err list_knobs(struct dl_job *j, char *text, size_t size)
{
    dfopt_sym listed[KNOBS_LISTED];
    size_t n = 0;
    struct dfopt_cursor c;
    const void *row = NULL;
    size_t len = (size_t)snprintf(text, size, "; the log has none");
    dfopt_cursor_init(&c, j->reader, DFOPT_TABLE_KNOBS);
    enum dfopt_err e = dfopt_cursor_row(&c, &row, &j->err);
    while (!e && row && n < KNOBS_LISTED && len + 40 < size) {
        const dfopt_sym knob = ((const struct dfopt_declog_knob_row *)row)->knob;
        size_t same = 0;
        while (same < n && listed[same] != knob)
            same++;
        if (same == n) {
            listed[n++] = knob;
            len = n == 1 ? (size_t)snprintf(text, size, "; the log has") : len;
            len += (size_t)snprintf(text + len, size - len, " %.36s",
                                    dfopt_dict_text(j->dict, knob, NULL));
        }
        c.next++;
        e = dfopt_cursor_row(&c, &row, &j->err);
    }
    dfopt_cursor_free(&c);
    return e;
}

static enum dfopt_err find(struct dl_job *j, const char *what, const char *name,
                           const char *more, dfopt_sym *out)
{
    *out = DFOPT_SYM_NONE;
    if (!name)
        return DFOPT_OK;
    *out = dfopt_dict_find(j->dict, name, strlen(name));
    if (*out != DFOPT_SYM_NONE)
        return DFOPT_OK;
    return dfopt_error_set(&j->err, DFOPT_ERR_ARG, "%s: no %s '%.64s'%s",
                           j->args.file[0], what, name, more);
}

enum dfopt_err dl_filter_resolve(struct dl_filter *f, struct dl_job *j)
{
    char knobs[200] = "";
    enum dfopt_err e = DFOPT_OK;
    if (f->knob &&
        dfopt_dict_find(j->dict, f->knob, strlen(f->knob)) == DFOPT_SYM_NONE)
        e = list_knobs(j, knobs, sizeof knobs);
    if (!e)
        e = find(j, "knob", f->knob, knobs, &f->knob_sym);
    if (!e)
        e = find(j, "node", f->node, "", &f->node_sym);
    return e ? e : find(j, "tag", f->tag, "", &f->tag_sym);
}

bool dl_filter_window(const struct dl_filter *f, int64_t window)
{
    return !f->windows || (window >= f->from && window <= f->to);
}

bool dl_filter_plan(const struct dl_filter *f, const struct dfopt_dict *dict,
                    const struct dfopt_plan *p)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(dict, p->targets, &n);
    if (f->node_sym == DFOPT_SYM_NONE || (n == 0 && p->node == f->node_sym))
        return true;
    for (size_t i = 0; i < n; i++)
        if (targets[i] == f->node_sym)
            return true;
    return false;
}

void dl_filter_describe(const struct dl_filter *f, struct dl_print *p)
{
    dl_put_sym(p, f->knob_sym);
    if (f->node && *f->node) {
        dl_put(p, " on ");
        dl_put_sym(p, f->node_sym);
    } else if (f->node) {
        dl_put(p, " of the whole job");
    }
    if (f->windows && f->from != INT64_MIN)
        dl_put(p, " from window %" PRId64, f->from);
    if (f->windows && f->to != INT64_MAX)
        dl_put(p, " to window %" PRId64, f->to);
}
