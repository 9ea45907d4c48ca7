/* Knobs of a client: declared, registered, read and set. */
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

static bool is_taken(const dfopt_client *c, const struct client_knob *k)
{
    for (size_t i = 0; i < c->n_knobs; i++) {
        const struct client_knob *other = c->knobs[i];
        if (strcmp(other->function, k->function) == 0 &&
            (strcmp(other->id, k->id) == 0 ||
             strcmp(other->parameter, k->parameter) == 0))
            return true;
    }
    return false;
}

/* Takes the knob. The caller holds the lock. */
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
    pthread_mutex_lock(&c->lock);
    e = is_taken(c, k) ? DFOPT_ERR_STATE : add(c, k);
    pthread_mutex_unlock(&c->lock);
    if (e) {
        dfopt_error_set(err, e, "knob %.80s: %s", k->id,
                        e == DFOPT_ERR_STATE
                            ? "its function has that id or parameter already"
                            : dfopt_err_text(e));
        dfopt_client_knob_destroy(k);
    }
    return e;
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
        f->sent_on = 0;
        dfopt_client_wake(c);
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
    if (ok)
        k->current = *value;
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
    out->acks_pending = c->acks.n;
    pthread_mutex_unlock(&c->lock);
    return DFOPT_OK;
}
