/* Plans between the listener, which files them by knob, and the application,
 * which takes them at its boundaries. */
#include "client/impl.h"

#include <stdlib.h>
#include <string.h>

static bool matches(const struct client_knob *k, const char *function,
                    const char *boundary)
{
    return k->has_pending && strcmp(k->function, function) == 0 &&
           (strcmp(boundary, "epoch_boundary") == 0 ||
            strcmp(boundary, k->pending.apply_when) == 0);
}

static size_t take_pending(dfopt_client *c, const char *function,
                           const char *boundary, struct dfopt_client_plan *out,
                           size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_knobs && n < max; i++) {
        struct client_knob *k = c->knobs[i];
        if (!matches(k, function, boundary))
            continue;
        out[n++] = k->pending;
        k->has_pending = false;
        atomic_fetch_sub_explicit(&c->n_pending, 1, memory_order_release);
    }
    c->stats.plans_delivered += n;
    pthread_mutex_unlock(&c->lock);
    return n;
}

size_t dfopt_client_at_boundary(dfopt_client *c, const char *function,
                                const char *boundary, struct dfopt_client_plan *out,
                                size_t max)
{
    if (!c || atomic_load_explicit(&c->n_pending, memory_order_acquire) == 0)
        return 0;
    if (!dfopt_client_usable(c) || !out)
        return 0;
    return take_pending(c, dfopt_client_function_name(c, function),
                        boundary ? boundary : "epoch_boundary", out, max);
}

/* ---- the listener's side ---- */

/* A plan whose value cannot be of the knob's type: the optimizer is told. */
static void refuse(dfopt_client *c, const struct client_knob *k,
                   const struct client_incoming *in)
{
    struct client_ack a = {
        .plan_id = in->plan.plan_id,
        .knob_id = k->id,
        .reason = "the value is not of the type of the knob",
        .status = DFOPT_CLIENT_REJECTED,
        .window_index = -1,
        .node = in->plan.for_node ? c->options.hostname : NULL,
    };
    a.old_value = dfopt_client_value_as(
        k->type, k->current.kind ? &k->current : &k->default_value);
    c->stats.plans_unfit++;
    struct ack_item *item = dfopt_client_ack_item(&a);
    if (item)
        dfopt_client_ack_push(c, item);
}

static void file(dfopt_client *c, struct client_knob *k,
                 const struct client_incoming *in)
{
    struct dfopt_client_value fit;
    bool clamped;
    if (!dfopt_client_fit(k, &in->plan.new_value, &fit, &clamped)) {
        refuse(c, k, in);
        return;
    }
    k->pending = in->plan;
    k->pending.knob_id = k->id;
    k->pending.parameter = k->parameter;
    k->pending.function = k->function;
    k->pending.new_value = fit;
    k->pending.clamped = clamped;
    if (k->has_pending)
        c->stats.plans_replaced++;
    else
        atomic_fetch_add_explicit(&c->n_pending, 1, memory_order_release);
    k->has_pending = true;
}

void dfopt_client_take(dfopt_client *c, const struct dfopt_client_message *m)
{
    struct client_incoming in;
    struct dfopt_error err = {0};
    enum dfopt_err e =
        dfopt_client_plan_decode(c->parser, m, c->options.hostname, &in, &err);
    struct client_knob *k = NULL;
    pthread_mutex_lock(&c->lock);
    c->stats.plans_received++;
    if (e)
        c->stats.plans_malformed++;
    else if (in.elsewhere)
        c->stats.plans_other_node++;
    else if (!(k = dfopt_client_find(c, in.function, in.knob_id)))
        c->stats.plans_unknown++;
    else
        file(c, k, &in);
    pthread_mutex_unlock(&c->lock);
    if (e)
        dfopt_client_say(c, DFOPT_CLIENT_WARNING, "plan dropped: %s", err.text);
    else if (in.elsewhere)
        dfopt_client_say(c, DFOPT_CLIENT_DEBUG, "plan %s is for other nodes",
                         in.plan.plan_id);
    else
        dfopt_client_say(c, k ? DFOPT_CLIENT_INFO : DFOPT_CLIENT_WARNING,
                         "plan %s for knob %.80s of '%.80s' %s", in.plan.plan_id,
                         in.knob_id, in.function,
                         k ? "received" : "dropped: no such knob here");
}
