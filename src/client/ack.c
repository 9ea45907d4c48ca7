/* Acks, built on the application's threads. */
#include "client/impl.h"

#include <stdlib.h>
#include <string.h>

struct client_item *dfopt_client_ack_item(const struct client_ack *a)
{
    struct dfopt_buf meta = {0}, body = {0};
    const enum dfopt_err e = dfopt_client_ack_json(a, &meta, &body);
    return dfopt_client_item(e, &meta, &body);
}

void dfopt_client_ack_push(dfopt_client *c, struct client_item *item)
{
    if (c->options.acks_endpoint)
        dfopt_client_queue_push(c, &c->acks, item);
    else /* acks are not sent anywhere */
        free(item);
}

/* Sets the ack's values; an APPLIED ack without `value` gets the plan's new one. */
static bool fill_values(struct client_ack *a, const struct client_knob *k,
                        const struct dfopt_client_plan *plan,
                        const struct dfopt_client_value *value)
{
    if (!value && a->status == DFOPT_CLIENT_APPLIED)
        value = &plan->new_value;
    if (value && !dfopt_client_value_is(k->type, value))
        return false;
    a->old_value = dfopt_client_value_as(
        k->type, k->current.kind ? &k->current : &k->default_value);
    if (value)
        a->new_value = dfopt_client_value_as(k->type, value);
    return true;
}

static bool is_plan_ok(const struct dfopt_client_plan *plan)
{
    return plan && plan->knob_id && plan->function &&
           memchr(plan->plan_id, '\0', sizeof plan->plan_id);
}

enum dfopt_err dfopt_client_ack(dfopt_client *c,
                                const struct dfopt_client_plan *plan,
                                enum dfopt_client_status status,
                                const struct dfopt_client_value *value,
                                const char *reason, int64_t window_index)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!is_plan_ok(plan) || (unsigned)status > DFOPT_CLIENT_DEFERRED)
        return DFOPT_ERR_ARG;
    struct client_ack a = {
        .plan_id = plan->plan_id,
        .knob_id = plan->knob_id,
        .reason = reason ? reason : "",
        .status = status,
        .window_index = window_index,
        .node = plan->for_node ? c->options.hostname : NULL,
        .instance = c->instance,
    };
    struct client_item *item = NULL;
    enum dfopt_err e = DFOPT_ERR_ARG;
    pthread_mutex_lock(&c->lock);
    struct client_knob *k = dfopt_client_find(c, plan->function, plan->knob_id);
    if (k && fill_values(&a, k, plan, value)) {
        item = dfopt_client_ack_item(&a);
        e = item ? DFOPT_OK : DFOPT_ERR_NOMEM;
    }
    if (item && status == DFOPT_CLIENT_APPLIED) {
        k->current = a.new_value;
        c->n_applied++;
        dfopt_client_note_value(c, k, plan, &a.old_value);
        if (plan->connection != c->connection)
            dfopt_client_register_anew(c, k->function);
    }
    if (item && dfopt_client_is_own(plan))
        free(item); /* never sent: the optimizer does not know this plan */
    else if (item)
        dfopt_client_ack_push(c, item);
    pthread_mutex_unlock(&c->lock);
    return e;
}
