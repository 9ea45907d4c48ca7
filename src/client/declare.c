/* Declares, registers, reads and sets a client's knobs. */
#include "client/impl.h"

#include <stdlib.h>
#include <string.h>

static struct client_function *find_function(const dfopt_client *c,
                                             const char *name)
{
    for (size_t i = 0; i < c->n_functions; i++)
        if (strcmp(c->functions[i].name, name) == 0)
            return &c->functions[i];
    return NULL;
}

/* Returns OK, or STATE with *err set. An id has one owner, because the optimizer
 * identifies knobs by id alone. The caller holds the lock. */
static enum dfopt_err check_free(const dfopt_client *c, const struct client_knob *k,
                                 struct dfopt_error *err)
{
    for (size_t i = 0; i < c->n_knobs; i++) {
        const struct client_knob *other = c->knobs[i];
        const bool same_id = strcmp(other->id, k->id) == 0;
        if (strcmp(other->function, k->function) != 0) {
            if (same_id)
                return dfopt_error_set(
                    err, DFOPT_ERR_STATE,
                    "knob %.60s: function '%.60s' already uses this id; give the "
                    "knob of '%.50s' another, such as %.30s.%.50s.%.30s",
                    k->id, other->function, k->function, c->options.app_namespace,
                    k->function, k->parameter);
        } else if (same_id || strcmp(other->parameter, k->parameter) == 0) {
            return dfopt_error_set(err, DFOPT_ERR_STATE,
                                   "knob %.80s: its function already has a knob of "
                                   "that id or parameter",
                                   k->id);
        }
    }
    return DFOPT_OK;
}

/* Takes ownership of the knob. The caller holds the lock. */
static enum dfopt_err add(dfopt_client *c, struct client_knob *k)
{
    struct client_knob **knobs =
        realloc(c->knobs, (c->n_knobs + 1) * sizeof(struct client_knob *));
    if (!knobs)
        return DFOPT_ERR_NOMEM;
    c->knobs = knobs;
    if (!find_function(c, k->function)) {
        struct client_function *f =
            realloc(c->functions, (c->n_functions + 1) * sizeof *f);
        if (!f)
            return DFOPT_ERR_NOMEM;
        c->functions = f;
        c->functions[c->n_functions++] =
            (struct client_function){.name = k->function};
    }
    c->knobs[c->n_knobs++] = k;
    return DFOPT_OK;
}

/* Warns of what DFOptimizer accepts, too, but is probably a mistake. */
static void warn_of(const dfopt_client *c, const struct dfopt_client_knob *k,
                    size_t doubles)
{
    const char *name = k->id ? k->id : k->parameter;
    if (doubles)
        dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                         "knob %.80s: duplicate values ignored: %zu", name,
                         doubles);
    if (dfopt_client_range_inverted(k))
        dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                         "knob %.80s: the lower bound exceeds the upper one, so "
                         "every plan sets the lower bound; swap them",
                         name);
    else if (dfopt_client_default_outside(k))
        dfopt_client_say(
            c, DFOPT_CLIENT_WARNING,
            "knob %.80s: the default is outside of the values that a plan may set",
            name);
    for (size_t i = 0; i < k->n_responses; i++)
        if (dfopt_client_step_backward(&k->responses[i]))
            dfopt_client_say(c, DFOPT_CLIENT_WARNING,
                             "knob %.80s: response to %.80s: the step is opposite "
                             "to the direction",
                             name, k->responses[i].tag);
}

enum dfopt_err dfopt_client_knob_declare(dfopt_client *c,
                                         const struct dfopt_client_knob *knob,
                                         struct dfopt_error *err)
{
    struct client_knob *k;
    if (!dfopt_client_usable(c))
        return dfopt_client_unusable(err);
    if (!knob)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "knob is NULL");
    enum dfopt_err e = dfopt_client_knob_create(&k, &c->options, knob, err);
    if (e)
        return e;
    const size_t doubles = knob->n_values - k->n_values;
    pthread_mutex_lock(&c->lock);
    e = check_free(c, k, err);
    if (!e && (e = add(c, k)) != DFOPT_OK)
        dfopt_error_set(err, e, "knob %.80s: %s", k->id, dfopt_err_text(e));
    pthread_mutex_unlock(&c->lock);
    if (e)
        dfopt_client_knob_destroy(k);
    else
        warn_of(c, knob, doubles);
    return e;
}

void dfopt_client_register_anew(dfopt_client *c, const char *function)
{
    struct client_function *f = find_function(c, function);
    if (!f)
        return;
    f->sent_on = 0;
    dfopt_client_wake(c);
}

enum dfopt_err dfopt_client_register(dfopt_client *c, const char *function,
                                     struct dfopt_error *err)
{
    if (!dfopt_client_usable(c))
        return dfopt_client_unusable(err);
    function = dfopt_client_function_name(c, function);
    pthread_mutex_lock(&c->lock);
    struct client_function *f = find_function(c, function);
    if (f) {
        f->wanted = true;
        dfopt_client_register_anew(c, function);
    }
    pthread_mutex_unlock(&c->lock);
    return f ? DFOPT_OK
             : dfopt_error_set(err, DFOPT_ERR_ARG,
                               "function '%.80s' has no knobs to register",
                               function);
}

enum dfopt_err dfopt_client_current(dfopt_client *c, const char *function,
                                    const char *knob_id,
                                    struct dfopt_client_value *out)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!knob_id || !out)
        return DFOPT_ERR_ARG;
    pthread_mutex_lock(&c->lock);
    const struct client_knob *k =
        dfopt_client_find(c, dfopt_client_function_name(c, function), knob_id);
    if (k)
        *out = dfopt_client_value_as(k->type, k->current.kind ? &k->current
                                                              : &k->default_value);
    pthread_mutex_unlock(&c->lock);
    return k ? DFOPT_OK : DFOPT_ERR_ARG;
}

enum dfopt_err dfopt_client_current_set(dfopt_client *c, const char *function,
                                        const char *knob_id,
                                        const struct dfopt_client_value *value)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!knob_id || !value)
        return DFOPT_ERR_ARG;
    pthread_mutex_lock(&c->lock);
    struct client_knob *k =
        dfopt_client_find(c, dfopt_client_function_name(c, function), knob_id);
    bool ok = k && dfopt_client_value_is(k->type, value);
    if (ok) {
        const struct dfopt_client_value before =
            k->current.kind ? k->current : k->default_value;
        k->current = *value;
        dfopt_client_note_value(c, k, NULL, &before);
    }
    pthread_mutex_unlock(&c->lock);
    return ok ? DFOPT_OK : DFOPT_ERR_ARG;
}

enum dfopt_err dfopt_client_stats(dfopt_client *c, struct dfopt_client_stats *out)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!out)
        return DFOPT_ERR_ARG;
    pthread_mutex_lock(&c->lock);
    *out = c->stats;
    out->plans_pending = atomic_load(&c->n_pending);
    out->acks_sent = c->acks.sent;
    out->acks_dropped = c->acks.dropped;
    out->acks_pending = c->acks.n;
    out->objectives_sent = c->objectives.sent;
    out->objectives_dropped = c->objectives.dropped;
    out->objectives_pending = c->objectives.n;
    out->findings_sent = c->findings.sent;
    out->findings_dropped = c->findings.dropped;
    out->findings_pending = c->findings.n;
    pthread_mutex_unlock(&c->lock);
    return DFOPT_OK;
}
