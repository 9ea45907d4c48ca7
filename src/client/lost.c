/* Loss of the optimizer, and the values that it leaves behind. The lease starts
 * when the connection is lost; libzmq's heartbeats detect a dead peer. */
#include "base/clock.h"
#include "client/impl.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000

bool dfopt_client_is_own(const struct dfopt_client_plan *plan)
{
    return strcmp(plan->plan_id, DFOPT_CLIENT_ON_LOST) == 0;
}

static const struct dfopt_client_value *own_value(const struct client_knob *k)
{
    return k->current.kind ? &k->current : &k->default_value;
}

static bool is_same(const struct client_knob *k, const struct dfopt_client_value *a,
                    const struct dfopt_client_value *b)
{
    const struct dfopt_client_value x = dfopt_client_value_as(k->type, a);
    const struct dfopt_client_value y = dfopt_client_value_as(k->type, b);
    return dfopt_client_is_listed(&x, 1, &y);
}

void dfopt_client_note_registered(dfopt_client *c, const char *function)
{
    for (size_t i = 0; i < c->n_knobs; i++) {
        struct client_knob *k = c->knobs[i];
        if (k->registered.kind == DFOPT_CLIENT_NULL &&
            strcmp(k->function, function) == 0)
            k->registered = *own_value(k);
    }
}

/* ---- the lease ---- */

static bool anybody_asks(const dfopt_client *c)
{
    for (size_t i = 0; i < c->n_knobs; i++)
        if (c->knobs[i]->on_lost == DFOPT_CLIENT_RESTORE)
            return true;
    return false;
}

void dfopt_client_note_lease(dfopt_client *c, uint64_t connection)
{
    const int64_t lease_ns = (int64_t)c->options.lease_ms * NS_PER_MS;
    c->lease_ends_ns = connection ? 0 : dfopt_clock_monotonic_ns() + lease_ns;
    c->lost = false;
}

int64_t dfopt_client_lease_ms(const dfopt_client *c)
{
    if (c->lease_ends_ns == 0 || !anybody_asks(c))
        return -1;
    const int64_t left = c->lease_ends_ns - dfopt_clock_monotonic_ns();
    return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

/* ---- restoring values ---- */

static void restore(dfopt_client *c, struct client_knob *k)
{
    struct dfopt_client_plan plan = {.plan_id = DFOPT_CLIENT_ON_LOST,
                                     .finding_type = "optimizer_lost",
                                     .window_index = -1};
    plan.new_value = dfopt_client_value_as(k->type, &k->registered);
    plan.old_value = dfopt_client_value_as(k->type, own_value(k));
    snprintf(plan.apply_when, sizeof plan.apply_when, "%s", k->boundary);
    snprintf(plan.rationale, sizeof plan.rationale,
             "the optimizer has been silent for %d ms", c->options.lease_ms);
    dfopt_client_pend(c, k, &plan, true);
}

/* Drops a plan that nobody would judge any more. */
static void drop_pending(dfopt_client *c, struct client_knob *k)
{
    if (!k->has_pending || k->pending.connection == 0)
        return;
    k->has_pending = false;
    c->stats.plans_replaced++;
    atomic_fetch_sub_explicit(&c->n_pending, 1, memory_order_release);
}

void dfopt_client_look_at_lease(dfopt_client *c)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    const bool ends = dfopt_client_lease_ms(c) == 0;
    for (size_t i = 0; ends && i < c->n_knobs; i++) {
        struct client_knob *k = c->knobs[i];
        if (k->on_lost != DFOPT_CLIENT_RESTORE)
            continue;
        drop_pending(c, k);
        if (k->tuned && !is_same(k, own_value(k), &k->registered)) {
            restore(c, k);
            n++;
        }
    }
    if (ends) {
        c->lease_ends_ns = 0;
        c->lost = true;
        c->stats.optimizers_lost++;
    }
    pthread_mutex_unlock(&c->lock);
    if (ends)
        dfopt_client_say(
            c, DFOPT_CLIENT_WARNING,
            "the optimizer has been silent for %d ms: %zu knobs go back "
            "to their registered values at the next boundary",
            c->options.lease_ms, n);
}

void dfopt_client_note_value(dfopt_client *c, struct client_knob *k,
                             const struct dfopt_client_plan *plan,
                             const struct dfopt_client_value *before)
{
    if (!plan) { /* repeating the same value is not a change */
        k->tuned = k->tuned && is_same(k, before, own_value(k));
        return;
    }
    if (dfopt_client_is_own(plan)) {
        k->tuned = false;
        c->stats.values_restored++;
        return;
    }
    k->tuned = true;
    /* taken before the optimizer was lost, applied afterwards */
    if (k->on_lost == DFOPT_CLIENT_RESTORE && plan->connection && c->lost &&
        !is_same(k, own_value(k), &k->registered))
        restore(c, k);
}
