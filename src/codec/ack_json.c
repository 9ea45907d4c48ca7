/* Acknowledgements. */
#include "codec/record.h"

static uint32_t status_of(struct dfopt_text name)
{
    uint32_t status = DFOPT_ACK_APPLIED;
    while (status < DFOPT_ACK_OTHER &&
           !dfopt_text_is(name, dfopt_ack_status_name(status)))
        status++;
    return status;
}

static enum dfopt_err check_values(struct json_object *body,
                                   struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_json_check_scalar(dfopt_json_get(body, "old_value"),
                                               "old_value", err);
    return e ? e
             : dfopt_json_check_scalar(dfopt_json_get(body, "new_value"),
                                       "new_value", err);
}

enum dfopt_err dfopt_ack_decode(struct dfopt_dict *dict, uint32_t run,
                                struct json_object *body, struct dfopt_event *out,
                                struct dfopt_error *err)
{
    struct dfopt_ack a = {.window = DFOPT_WINDOW_NONE};
    struct dfopt_text knob = dfopt_text_z(""), node = knob;
    const struct dfopt_text instance =
        dfopt_json_text(dfopt_json_get(body, "instance"));
    struct json_object *nodes = NULL;
    enum dfopt_err e = dfopt_json_get_text(body, "knob_id", &knob, err);
    if (!e)
        e = dfopt_json_get_texts(body, "target_nodes", &nodes, err);
    if (!e)
        e = dfopt_json_get_whole(body, "window_index", &a.window, err);
    if (!e)
        e = check_values(body, err);
    a.has_nodes = nodes != NULL;
    if (nodes && json_object_array_length(nodes))
        node = dfopt_json_text(json_object_array_get_idx(nodes, 0));
    if (!e)
        e = dfopt_json_intern(dict, knob, &a.knob);
    if (!e)
        e = dfopt_json_intern(dict, node, &a.node);
    if (!e)
        e = dfopt_json_intern(dict, instance, &a.instance);
    if (!e)
        e = dfopt_json_intern_value(dict, dfopt_json_get(body, "old_value"),
                                    &a.old_value);
    if (!e)
        e = dfopt_json_intern_value(dict, dfopt_json_get(body, "new_value"),
                                    &a.new_value);
    if (e)
        return e;
    struct dfopt_text plan = dfopt_json_text(dfopt_json_get(body, "plan_id"));
    struct dfopt_text reason = dfopt_json_text(dfopt_json_get(body, "reason"));
    a.known_form = dfopt_plan_id_run_parse(plan.at, plan.len, run, &a.plan_id);
    a.status = status_of(dfopt_json_text(dfopt_json_get(body, "status")));
    out->ack = a;
    out->plan_id = plan.at;
    out->plan_id_len = plan.len;
    out->reason = reason.at;
    out->reason_len = reason.len;
    return DFOPT_OK;
}
