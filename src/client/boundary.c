/* Plans between the listener, which files them by knob, and the application, which
 * takes them at its boundaries. */
#include "base/clock.h"
#include "client/impl.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000
/* Warn about a plan that waits through this many boundaries other than its own. */
#define EPOCHS     2
#define BOUNDARIES 1000
#define NS_PER_S   ((int64_t)1000000000)

static bool matches(const struct client_knob *k, const char *function,
                    const char *boundary)
{
    return k->has_pending && strcmp(k->function, function) == 0 &&
           (strcmp(boundary, "epoch_boundary") == 0 ||
            strcmp(boundary, k->pending.apply_when) == 0);
}

/* Tells the optimizer that a plan will never be applied. k may be NULL if the
 * function has no such knob. */
static void refuse(dfopt_client *c, const struct client_knob *k,
                   const struct dfopt_client_plan *plan, const char *knob_id,
                   const char *reason)
{
    struct client_ack a = {
        .plan_id = plan->plan_id,
        .knob_id = knob_id,
        .reason = reason,
        .status = DFOPT_CLIENT_REJECTED,
        .window_index = -1,
        .node = plan->for_node ? c->options.hostname : NULL,
        .instance = c->instance,
    };
    if (k)
        a.old_value = dfopt_client_value_as(
            k->type, k->current.kind ? &k->current : &k->default_value);
    struct client_item *item = dfopt_client_ack_item(&a);
    if (item)
        dfopt_client_ack_push(c, item);
}

static const char outdated_text[] =
    "it names another process, or another value than the present one";

static bool is_same(const struct dfopt_client_value *a,
                    const struct dfopt_client_value *b)
{
    if (a->kind != b->kind) {
        const bool numbers =
            (a->kind == DFOPT_CLIENT_INT || a->kind == DFOPT_CLIENT_FLOAT) &&
            (b->kind == DFOPT_CLIENT_INT || b->kind == DFOPT_CLIENT_FLOAT);
        return numbers && (a->kind == DFOPT_CLIENT_INT ? (double)a->i : a->d) ==
                              (b->kind == DFOPT_CLIENT_INT ? (double)b->i : b->d);
    }
    return dfopt_client_is_listed(a, 1, b);
}

/* Detects a plan that was in flight to this process's predecessor: it starts from a
 * value that this process does not have. Applies only if one process gets plans and
 * registers its values, and only until the first plan that matches. The function is
 * registered again. */
static bool is_outdated(dfopt_client *c, struct client_knob *k)
{
    const struct dfopt_client_value *own =
        k->current.kind ? &k->current : &k->default_value;
    if (k->agreed || k->filed || c->state != CLIENT_RUNNING ||
        !c->options.registry_endpoint ||
        c->options.plans_pattern != DFOPT_CLIENT_PULL ||
        strcmp(c->options.transport, "zmq") != 0 ||
        k->pending.old_value.kind == DFOPT_CLIENT_NULL)
        return false;
    k->agreed = is_same(own, &k->pending.old_value);
    if (k->agreed)
        return false;
    c->stats.plans_outdated++;
    refuse(c, k, &k->pending, k->id, outdated_text);
    dfopt_client_register_anew(c, k->function);
    return true;
}

/* The caller holds the lock. */
static size_t take_pending(dfopt_client *c, const char *function,
                           const char *boundary, struct dfopt_client_plan *out,
                           size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_knobs && n < max; i++) {
        struct client_knob *k = c->knobs[i];
        if (!matches(k, function, boundary))
            continue;
        if (!is_outdated(c, k)) {
            memcpy(k->boundary, k->pending.apply_when, sizeof k->boundary);
            out[n++] = k->pending;
        }
        k->has_pending = false;
        atomic_fetch_sub_explicit(&c->n_pending, 1, memory_order_release);
    }
    c->stats.plans_delivered += n;
    return n;
}

/* A boundary that a plan names but the application never reaches. */
struct trap {
    const char *knob; /* NULL: none */
    char apply_when[DFOPT_CLIENT_NAME_SIZE];
    const char *then;
};

/* Checks pending plans; reports each knob once. The caller holds the lock. */
static void look_for_trap(dfopt_client *c, const char *function,
                          const char *boundary, struct trap *t)
{
    const bool epoch = strcmp(boundary, "epoch_boundary") == 0;
    for (size_t i = 0; i < c->n_knobs; i++) {
        struct client_knob *k = c->knobs[i];
        if (!k->has_pending || k->asked || strcmp(k->function, function) != 0)
            continue;
        k->asked = strcmp(k->pending.apply_when, boundary) == 0;
        if (k->asked ||
            (epoch ? ++k->epochs : ++k->others) != (epoch ? EPOCHS : BOUNDARIES) ||
            (!epoch && k->epochs > 0))
            continue;
        k->asked = true;
        t->knob = k->id;
        snprintf(t->apply_when, sizeof t->apply_when, "%s", k->pending.apply_when);
        t->then = epoch ? "wait for the end of an epoch" : "are never applied";
    }
}

size_t dfopt_client_at_boundary(dfopt_client *c, const char *function,
                                const char *boundary, struct dfopt_client_plan *out,
                                size_t max)
{
    if (!c || atomic_load_explicit(&c->n_pending, memory_order_acquire) == 0)
        return 0;
    if (!dfopt_client_usable(c) || !out)
        return 0;
    struct trap trap = {0};
    function = dfopt_client_function_name(c, function);
    boundary = boundary ? boundary : "epoch_boundary";
    pthread_mutex_lock(&c->lock);
    look_for_trap(c, function, boundary, &trap);
    const size_t n = take_pending(c, function, boundary, out, max);
    pthread_mutex_unlock(&c->lock);
    if (trap.knob)
        dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                         "knob %.80s: the application never reaches the boundary "
                         "'%s' of its plans, which therefore %s",
                         trap.knob, trap.apply_when, trap.then);
    return n;
}

size_t dfopt_client_at_boundary_wait(dfopt_client *c, const char *function,
                                     const char *boundary,
                                     struct dfopt_client_plan *out, size_t max,
                                     int wait_ms)
{
    if (!dfopt_client_usable(c) || !out || max == 0)
        return 0;
    function = dfopt_client_function_name(c, function);
    boundary = boundary ? boundary : "epoch_boundary";
    const int64_t until_ns = dfopt_clock_monotonic_ns() +
                             (int64_t)(wait_ms > 0 ? wait_ms : 0) * NS_PER_MS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                   .tv_nsec = (long)(until_ns % NS_PER_S)};
    size_t n;
    pthread_mutex_lock(&c->lock);
    while ((n = take_pending(c, function, boundary, out, max)) == 0 &&
           c->state == CLIENT_RUNNING && wait_ms > 0 &&
           !dfopt_client_all_decided(c))
        if (pthread_cond_timedwait(&c->arrived, &c->lock, &until) != 0)
            wait_ms = 0; /* check once more */
    pthread_mutex_unlock(&c->lock);
    return n;
}

/* ---- the listener's side ---- */

static const char unfit_text[] = "the value is not of the type of the knob";

void dfopt_client_pend(dfopt_client *c, struct client_knob *k,
                       const struct dfopt_client_plan *plan, bool filed)
{
    k->pending = *plan;
    k->filed = filed;
    k->pending.knob_id = k->id;
    k->pending.parameter = k->parameter;
    k->pending.function = k->function;
    if (k->has_pending)
        c->stats.plans_replaced++;
    else
        atomic_fetch_add_explicit(&c->n_pending, 1, memory_order_release);
    k->has_pending = true;
    pthread_cond_broadcast(&c->arrived);
}

static bool file(dfopt_client *c, struct client_knob *k,
                 const struct client_incoming *in)
{
    struct dfopt_client_value fit;
    bool clamped;
    if (!dfopt_client_fit(k, &in->plan.new_value, &fit, &clamped)) {
        c->stats.plans_unfit++;
        refuse(c, k, &in->plan, in->knob_id, unfit_text);
        return false;
    }
    struct dfopt_client_plan plan = in->plan;
    plan.connection = c->connection;
    plan.new_value = fit;
    plan.clamped = clamped;
    dfopt_client_pend(c, k, &plan, in->filed);
    return true;
}

/* Plans for another function or namespace may belong to another application. */
static void unknown(dfopt_client *c, const struct client_incoming *in)
{
    const char *ours = c->options.app_namespace;
    size_t len = strlen(ours);
    c->stats.plans_unknown++;
    if (strncmp(in->knob_id, ours, len) != 0 || in->knob_id[len] != '.')
        return;
    for (size_t i = 0; i < c->n_functions; i++)
        if (strcmp(c->functions[i].name, in->function) == 0) {
            refuse(c, NULL, &in->plan, in->knob_id,
                   "the function has not declared this knob");
            return;
        }
}

/* Files or drops a plan and counts it; e is the result of decoding it. Returns OK
 * or why it was dropped. */
static enum dfopt_err sort(dfopt_client *c, const struct client_incoming *in,
                           enum dfopt_err e, struct dfopt_error *err)
{
    struct client_knob *k = NULL;
    const char *why = NULL;
    pthread_mutex_lock(&c->lock);
    c->stats.plans_received++;
    if (e) {
        c->stats.plans_malformed++;
    } else if (in->elsewhere) {
        c->stats.plans_other_node++;
        why = "it is addressed to other nodes";
    } else if (!(k = dfopt_client_find(c, in->function, in->knob_id))) {
        unknown(c, in);
        why = "this process has not declared the knob";
    } else if (!file(c, k, in)) {
        why = unfit_text;
    }
    pthread_mutex_unlock(&c->lock);
    if (!why)
        return e;
    return dfopt_error_set(err, DFOPT_ERR_ARG, "plan %.60s for knob %.60s: %s",
                           in->plan.plan_id, in->knob_id, why);
}

void dfopt_client_take(dfopt_client *c, const struct dfopt_client_message *m)
{
    struct client_incoming in;
    struct dfopt_error err = {0};
    if (dfopt_client_answer_take(c, m))
        return;
    enum dfopt_err e =
        dfopt_client_plan_decode(c->parser, m, c->options.hostname, &in, &err);
    const bool elsewhere = !e && in.elsewhere;
    if (!e && in.peers > 1 && !c->told_of_peers) {
        c->told_of_peers = true;
        dfopt_client_say(
            c, DFOPT_CLIENT_WARNING,
            "%lld processes receive plans in turn, one plan each: start the "
            "optimizer with --plans-pattern pub, or let one process receive for "
            "all (optimizer_context(comm=...), dfopt/client_mpi.h)",
            (long long)in.peers);
    }
    e = sort(c, &in, e, &err);
    if (e)
        dfopt_client_say(c, elsewhere ? DFOPT_CLIENT_DEBUG : DFOPT_CLIENT_WARNING,
                         "plan dropped: %s", err.text);
    else
        dfopt_client_say(c, DFOPT_CLIENT_INFO, "plan %s for knob %.80s received",
                         in.plan.plan_id, in.knob_id);
}

enum dfopt_err dfopt_client_enqueue(dfopt_client *c, const char *plan, size_t len,
                                    struct dfopt_error *err)
{
    struct client_incoming in;
    struct dfopt_json_parser *parser;
    if (!dfopt_client_usable(c))
        return dfopt_client_unusable(err);
    if (!plan)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "plan is NULL");
    enum dfopt_err e = dfopt_client_parser_create(c, &parser, err);
    if (e)
        return e;
    const struct dfopt_client_message m = {"{}", plan, 2, len};
    e = dfopt_client_plan_decode(parser, &m, c->options.hostname, &in, err);
    dfopt_json_parser_destroy(parser);
    in.filed = true;
    return sort(c, &in, e, err);
}
