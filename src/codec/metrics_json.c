/* Metrics of a finding or objective: the slots of struct dfopt_finding. */
#include "json/grammar.h"
#include "policy/policy_control_json.h"
#include "codec/record.h"

#include <math.h>
#include <stdlib.h>

bool dfopt_metric_read(struct json_object *j, double *out)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_TEXT)
        return dfopt_json_finite(j, out);
    struct dfopt_text t = dfopt_json_text(j);
    bool real;
    if (t.len == 0 || dfopt_json_number(t.at, t.at + t.len, &real) != t.at + t.len)
        return false;
    double d = strtod(t.at, NULL);
    if (!isfinite(d))
        return false;
    *out = d;
    return true;
}

/* The member for a slot; NULL if missing or null. */
static struct json_object *metric_at(const struct dfopt_codec *c,
                                     struct json_object *metrics, uint32_t slot)
{
    struct json_object *j = NULL;
    if (slot < DFOPT_METRIC_KNOWN)
        return dfopt_json_get(metrics, dfopt_metric_known[slot]);
    const dfopt_sym name = c->metrics.name[slot - DFOPT_METRIC_KNOWN];
    struct dfopt_text text;
    text.at = dfopt_dict_text(c->dict, name, &text.len);
    if (name != DFOPT_SYM_EMPTY)
        dfopt_json_find(metrics, text, &j);
    return j;
}

enum dfopt_err dfopt_metrics_read(const struct dfopt_codec *c,
                                  struct json_object *body, const char *name,
                                  uint8_t state[DFOPT_METRIC_COUNT],
                                  double metric[DFOPT_METRIC_COUNT],
                                  struct dfopt_error *err)
{
    struct json_object *metrics = dfopt_json_get(body, name);
    if (!metrics)
        return DFOPT_OK;
    if (dfopt_json_kind(metrics) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not an object", name);
    for (uint32_t i = 0; i < DFOPT_METRIC_COUNT; i++) {
        struct json_object *j = metric_at(c, metrics, i);
        if (j)
            state[i] = dfopt_metric_read(j, &metric[i]) ? DFOPT_METRIC_NUMBER
                                                        : DFOPT_METRIC_BAD;
    }
    return DFOPT_OK;
}
