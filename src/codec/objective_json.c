/* Objectives: the application's result in a window. */
#include "codec/record.h"

#include <string.h>

static enum dfopt_err read_value(struct json_object *body,
                                 struct dfopt_objective *o, struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(body, "value");
    if (!j)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "value is missing");
    if (!dfopt_metric_read(j, &o->value))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "value must be a finite number, or the text of one");
    if (!dfopt_json_get(body, "window_index"))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "window_index is missing");
    return dfopt_json_get_whole(body, "window_index", &o->window, err);
}

enum dfopt_err dfopt_objective_decode(struct dfopt_codec *c,
                                      struct json_object *body,
                                      struct dfopt_objective *out,
                                      struct dfopt_error *err)
{
    struct dfopt_objective o;
    struct dfopt_text node = dfopt_text_z(""), goal = dfopt_text_z("max");
    memset(&o, 0, sizeof o);
    enum dfopt_err e = dfopt_json_get_text(body, "node", &node, err);
    if (!e)
        e = read_value(body, &o, err);
    if (!e)
        e = dfopt_json_get_text(body, "goal", &goal, err);
    if (!e && !dfopt_text_is(goal, "max") && !dfopt_text_is(goal, "min"))
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA, "goal must be max or min");
    if (!e)
        e = dfopt_metrics_read(c, body, "metrics", o.metric_state, o.metric, err);
    if (!e)
        e = dfopt_json_intern(c->dict, node, &o.node);
    if (e)
        return e;
    o.goal = dfopt_text_is(goal, "min") ? -1 : 1;
    *out = o;
    return DFOPT_OK;
}
