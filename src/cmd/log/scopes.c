/* Reads /knobs and /responses. */
#include "cmd/log/scopes.h"

#include "cmd/log/merge.h"

#include <stdlib.h>
#include <string.h>

static bool is_per_node(const struct dfopt_dict *dict, dfopt_sym scope)
{
    const char *text = dfopt_dict_text(dict, scope, NULL);
    return strcmp(text, "node") == 0 || strcmp(text, "rank_local") == 0;
}

static size_t place_of(const struct dl_scopes *s, dfopt_sym name)
{
    return name == DFOPT_SYM_NONE ? dfopt_dict_strings(s->dict) : name;
}

static enum dfopt_err see_knob(void *arg, enum dl_kind kind, const void *row)
{
    struct dl_scopes *s = arg;
    const struct dfopt_declog_knob_row *k = row;
    (void)kind;
    s->knob[place_of(s, k->knob)] = !is_per_node(s->dict, k->scope);
    return DFOPT_OK;
}

static enum dfopt_err see_response(void *arg, enum dl_kind kind, const void *row)
{
    struct dl_scopes *s = arg;
    const struct dfopt_declog_response_row *r = row;
    (void)kind;
    s->tag[place_of(s, r->r.tag)] |= dl_is_job_knob(s, r->knob);
    return DFOPT_OK;
}

enum dfopt_err dl_scopes_read(struct dl_scopes *s, struct dl_job *j, bool interpret)
{
    const size_t n = (size_t)dfopt_dict_strings(j->dict) + 1;
    s->dict = j->dict;
    s->knob = calloc(n, sizeof *s->knob);
    s->tag = calloc(n, sizeof *s->tag);
    if (!s->knob || !s->tag)
        return DFOPT_ERR_NOMEM;
    if (!interpret)
        return DFOPT_OK;
    const enum dfopt_err e = dl_each(j, DL_KIND_BIT(DL_KNOB), see_knob, s);
    return e ? e : dl_each(j, DL_KIND_BIT(DL_RESPONSE), see_response, s);
}

void dl_scopes_free(struct dl_scopes *s)
{
    free(s->knob);
    free(s->tag);
    *s = (struct dl_scopes){NULL};
}

bool dl_is_job_knob(const struct dl_scopes *s, dfopt_sym knob)
{
    return s->knob[place_of(s, knob)];
}

bool dl_concerns_job(const struct dl_scopes *s, dfopt_sym node, dfopt_list tags)
{
    size_t n;
    const dfopt_sym *tag = dfopt_dict_items(s->dict, tags, &n);
    bool concerns = node == DFOPT_SYM_EMPTY;
    for (size_t i = 0; i < n; i++)
        concerns |= s->tag[place_of(s, tag[i])];
    return concerns;
}
