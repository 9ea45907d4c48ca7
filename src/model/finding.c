/* Derives what follows from a finding's texts. */
#include "model/finding.h"

#include "base/text.h"

_Static_assert(sizeof(struct dfopt_finding) == 144, "a finding has no padding");

void dfopt_scope_node(const char *scope, size_t len, const char **node,
                      size_t *node_len)
{
    static const char prefix[] = "node:";
    const size_t skip = sizeof prefix - 1;
    *node = scope;
    *node_len = 0;
    if (len < skip || memcmp(scope, prefix, skip) != 0)
        return;
    const char *end = memchr(scope + skip, ':', len - skip);
    *node = scope + skip;
    *node_len = end ? (size_t)(end - *node) : len - skip;
}

bool dfopt_scope_is_global(const char *scope, size_t len)
{
    const struct dfopt_text text = {scope, len};
    return dfopt_text_is(text, "global") || dfopt_text_is(text, "global:global");
}

enum dfopt_err dfopt_finding_derive(struct dfopt_dict *dict,
                                    struct dfopt_finding *f)
{
    size_t len, node_len;
    const char *scope = dfopt_dict_text(dict, f->scope, &len), *node;
    dfopt_scope_node(scope, len, &node, &node_len);
    f->node = dfopt_dict_intern(dict, node, node_len);
    f->global = dfopt_scope_is_global(scope, len);
    struct dfopt_text trend;
    trend.at = dfopt_dict_text(dict, f->trend_text, &trend.len);
    f->trend = dfopt_text_is(trend, "improving")   ? DFOPT_TREND_IMPROVING
               : dfopt_text_is(trend, "stable")    ? DFOPT_TREND_STABLE
               : dfopt_text_is(trend, "worsening") ? DFOPT_TREND_WORSENING
                                                   : DFOPT_TREND_OTHER;
    return f->node == DFOPT_SYM_NONE ? DFOPT_ERR_NOMEM : DFOPT_OK;
}
