/* The planner's state as JSON, ordered by names alone. */
#include "codec/codec.h"
#include "json/write.h"
#include "model/decision.h"
#include "model/state.h"

#include <stdlib.h>
#include <string.h>

static int compare_syms(const struct dfopt_dict *dict, dfopt_sym a, dfopt_sym b)
{
    size_t a_len, b_len;
    const char *a_text = dfopt_dict_text(dict, a, &a_len);
    const char *b_text = dfopt_dict_text(dict, b, &b_len);
    int order = memcmp(a_text, b_text, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_names(const void *a, const void *b, void *dict)
{
    const struct dfopt_state_row *x = a, *y = b;
    int order = compare_syms(dict, x->knob, y->knob);
    return order ? order : compare_syms(dict, x->node, y->node);
}

static int by_tag(const void *a, const void *b, void *dict)
{
    const struct dfopt_suppression_state *x = a, *y = b;
    return compare_syms(dict, x->tag, y->tag);
}

static int by_ordinal(const void *a, const void *b)
{
    const struct dfopt_state_row *const *x = a, *const *y = b;
    return ((*x)->ordinal > (*y)->ordinal) - ((*x)->ordinal < (*y)->ordinal);
}

enum dfopt_err dfopt_codec_knob_state_json(const struct dfopt_dict *dict,
                                           const struct dfopt_state_row *rows,
                                           size_t n, struct dfopt_buf *out)
{
    size_t jobs = 0;
    const struct dfopt_state_row **job = calloc(n ? n : 1, sizeof *job);
    if (!job)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (rows[i].node == DFOPT_SYM_EMPTY && rows[i].flags & DFOPT_STATE_VALUE)
            job[jobs++] = &rows[i];
    qsort(job, jobs, sizeof *job, by_ordinal);
    struct dfopt_put p = dfopt_put_start(out, dict);
    dfopt_put_raw(&p, "{");
    for (size_t i = 0; i < jobs; i++) {
        dfopt_put_raw(&p, i ? "," : "");
        dfopt_put_sym(&p, job[i]->knob);
        dfopt_put_raw(&p, ":");
        dfopt_put_value(&p, job[i]->value);
    }
    dfopt_put_raw(&p, "}");
    free(job);
    return dfopt_put_end(&p);
}

static void put_node_value(struct dfopt_put *p, const struct dfopt_state_row *r)
{
    dfopt_put_value(p, r->value);
}

static void put_pending(struct dfopt_put *p, const struct dfopt_state_row *r)
{
    char id[DFOPT_PLAN_ID_SIZE];
    dfopt_plan_id_text(r->plan_id, id);
    dfopt_put_text(p, id, DFOPT_PLAN_ID_SIZE - 1);
    dfopt_put_raw(p, ",");
    dfopt_put_real(p, r->plan_severity);
}

static void put_cooldown(struct dfopt_put *p, const struct dfopt_state_row *r)
{
    dfopt_put_int(p, r->cooldown_window);
    dfopt_put_raw(p, ",");
    dfopt_put_real(p, r->cooldown_severity);
}

/* [[knob, node, ...], ...] of the rows with a flag; the job's values are not
 * node_values. */
static void put_rows(struct dfopt_put *p, const struct dfopt_state_row *rows,
                     size_t n, uint32_t flag,
                     void (*put)(struct dfopt_put *p,
                                 const struct dfopt_state_row *r))
{
    const char *before = "[";
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < n; i++) {
        const struct dfopt_state_row *r = &rows[i];
        bool job = r->node == DFOPT_SYM_EMPTY;
        if (!(r->flags & flag) || (flag == DFOPT_STATE_VALUE && job))
            continue;
        dfopt_put_raw(p, before);
        dfopt_put_sym(p, r->knob);
        dfopt_put_raw(p, ",");
        dfopt_put_sym(p, r->node);
        dfopt_put_raw(p, ",");
        put(p, r);
        dfopt_put_raw(p, "]");
        before = ",[";
    }
    dfopt_put_raw(p, "]");
}

static void put_suppressions(struct dfopt_put *p,
                             const struct dfopt_suppression_state *s, size_t n)
{
    dfopt_put_raw(p, "{");
    for (size_t i = 0; i < n; i++) {
        dfopt_put_raw(p, i ? "," : "");
        dfopt_put_sym(p, s[i].tag);
        dfopt_put_raw(p, ":{\"window_index\":");
        dfopt_put_int(p, s[i].window);
        dfopt_put_raw(p, ",\"severity\":");
        dfopt_put_real(p, s[i].severity);
        dfopt_put_raw(p, ",\"finding_type\":");
        dfopt_put_sym(p, s[i].finding_type);
        dfopt_put_raw(p, "}");
    }
    dfopt_put_raw(p, "}");
}

enum dfopt_err dfopt_codec_state_json(const struct dfopt_dict *dict,
                                      struct dfopt_state_row *rows, size_t n_rows,
                                      struct dfopt_suppression_state *suppressions,
                                      size_t n_suppressions, struct dfopt_buf *out)
{
    if (n_rows)
        qsort_r(rows, n_rows, sizeof *rows, by_names, (void *)dict);
    if (n_suppressions)
        qsort_r(suppressions, n_suppressions, sizeof *suppressions, by_tag,
                (void *)dict);
    struct dfopt_put p = dfopt_put_start(out, dict);
    dfopt_put_raw(&p, "{\"current_values\":");
    if (!p.e)
        p.e = dfopt_codec_knob_state_json(dict, rows, n_rows, out);
    dfopt_put_raw(&p, ",\"node_values\":");
    put_rows(&p, rows, n_rows, DFOPT_STATE_VALUE, put_node_value);
    dfopt_put_raw(&p, ",\"pending\":");
    put_rows(&p, rows, n_rows, DFOPT_STATE_PENDING, put_pending);
    dfopt_put_raw(&p, ",\"suppressions\":");
    put_suppressions(&p, suppressions, n_suppressions);
    dfopt_put_raw(&p, ",\"cooldown\":");
    put_rows(&p, rows, n_rows, DFOPT_STATE_COOLDOWN, put_cooldown);
    dfopt_put_raw(&p, "}");
    return dfopt_put_end(&p);
}
