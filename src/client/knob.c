/* A declared knob: checked completely, then copied, so that sending and clamping it
 * later cannot fail. */
#include "client/impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void dfopt_client_response_init(struct dfopt_client_response *r, const char *tag)
{
    *r = (struct dfopt_client_response){DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = tag};
}

/* Returns false if out of memory. */
static bool copy(char **out, const char *text)
{
    *out = strdup(text);
    return *out;
}

/* ---- checking ---- */

static bool is_text_ok(const struct dfopt_client_value *v)
{
    return v->kind != DFOPT_CLIENT_STR || memchr(v->s, '\0', sizeof v->s);
}

/* Returns NULL, or the name of an invalid member. */
static const char *wrong_response(const struct dfopt_client_response *r)
{
    if (!r->tag || !*r->tag)
        return "tag";
    if ((unsigned)r->direction > DFOPT_CLIENT_SET)
        return "direction";
    if ((unsigned)r->step_mode > DFOPT_CLIENT_EVIDENCE)
        return "step_mode";
    if (r->step.kind && !dfopt_client_value_is(DFOPT_CLIENT_FLOAT, &r->step))
        return "step";
    if ((unsigned)r->set_to.kind > DFOPT_CLIENT_BOOL || !is_text_ok(&r->set_to))
        return "set_to";
    if (!isfinite(r->min_severity))
        return "min_severity";
    if (!isfinite(r->min_persistence))
        return "min_persistence";
    if (!isfinite(r->cooldown_windows))
        return "cooldown_windows";
    return isfinite(r->effectiveness_threshold) ? NULL : "effectiveness_threshold";
}

static bool is_range_ok(const struct dfopt_client_knob *k)
{
    if (!k->lo.kind && !k->hi.kind)
        return true;
    if ((k->type != DFOPT_CLIENT_INT && k->type != DFOPT_CLIENT_FLOAT) ||
        !dfopt_client_value_is(k->type, &k->lo) ||
        !dfopt_client_value_is(k->type, &k->hi))
        return false;
    return true;
}

/* Returns NULL, or the name of an invalid member. */
static const char *wrong_member(const struct dfopt_client_knob *k)
{
    if (k->type < DFOPT_CLIENT_INT || k->type > DFOPT_CLIENT_BOOL)
        return "type";
    if (!dfopt_client_value_is(k->type, &k->default_value))
        return "default_value";
    if (k->current.kind && !dfopt_client_value_is(k->type, &k->current))
        return "current";
    if (!is_range_ok(k))
        return "lo, hi";
    if ((k->n_values && !k->values) || (k->values && !k->n_values))
        return "values";
    for (size_t i = 0; i < k->n_values; i++)
        if (!dfopt_client_value_is(k->type, &k->values[i]))
            return "values";
    if (k->n_responses && !k->responses)
        return "responses";
    if ((unsigned)k->on_lost > DFOPT_CLIENT_RESTORE)
        return "on_lost";
    for (size_t i = 0; i < k->n_responses; i++) {
        const char *wrong = wrong_response(&k->responses[i]);
        for (size_t j = 0; !wrong && j < i; j++)
            if (strcmp(k->responses[i].tag, k->responses[j].tag) == 0)
                wrong = "tag (given twice)";
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* ---- copying ---- */

static bool copy_names(struct client_knob *k, const struct dfopt_client_options *o,
                       const struct dfopt_client_knob *from)
{
    struct dfopt_buf id = {0};
    bool ok = from->id ? dfopt_buf_printf(&id, "%s", from->id) == DFOPT_OK
                       : dfopt_buf_printf(&id, "%s.%s", o->app_namespace,
                                          from->parameter) == DFOPT_OK;
    ok = ok && copy(&k->id, id.data) &&
         copy(&k->parameter, from->parameter ? from->parameter : k->id) &&
         copy(&k->function, from->function ? from->function : o->function) &&
         copy(&k->scope, from->scope ? from->scope : "job");
    dfopt_buf_free(&id);
    return ok;
}

static bool copy_lists(struct client_knob *k, const struct dfopt_client_knob *from)
{
    k->values = calloc(from->n_values + 1, sizeof *k->values);
    k->responses = calloc(from->n_responses + 1, sizeof *k->responses);
    if (!k->values || !k->responses)
        return false;
    for (size_t i = 0; i < from->n_values; i++)
        if (!dfopt_client_is_listed(k->values, k->n_values, &from->values[i]))
            k->values[k->n_values++] = from->values[i];
    while (k->n_responses < from->n_responses) {
        const struct dfopt_client_response *r = &from->responses[k->n_responses];
        struct client_response *own = &k->responses[k->n_responses++];
        own->r = *r;
        if (!copy(&own->tag, r->tag) ||
            !copy(&own->apply_when,
                  r->apply_when ? r->apply_when : "epoch_boundary"))
            return false;
        own->r.tag = own->tag;
        own->r.apply_when = own->apply_when;
    }
    return true;
}

enum dfopt_err dfopt_client_knob_create(struct client_knob **out,
                                        const struct dfopt_client_options *options,
                                        const struct dfopt_client_knob *from,
                                        struct dfopt_error *err)
{
    const char *name = from->id ? from->id : from->parameter;
    if (!name || !*name)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "a knob has no id or parameter");
    const char *wrong = wrong_member(from);
    if (!wrong &&
        strlen(options->app_namespace) + strlen(name) + 2 > DFOPT_CLIENT_TEXT_SIZE)
        wrong = "id (too long)";
    if (!wrong && from->function &&
        strlen(from->function) >= DFOPT_CLIENT_TEXT_SIZE)
        wrong = "function (too long)";
    if (wrong)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "knob %.80s: unusable %s", name,
                               wrong);
    struct client_knob *k = calloc(1, sizeof *k);
    if (!k || !copy_names(k, options, from) || !copy_lists(k, from)) {
        dfopt_client_knob_destroy(k);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    k->type = from->type;
    k->has_range = from->lo.kind != DFOPT_CLIENT_NULL;
    k->has_values = from->n_values > 0;
    k->default_value = from->default_value;
    k->current = from->current;
    k->lo = from->lo;
    k->hi = from->hi;
    k->on_lost = from->on_lost;
    *out = k;
    return DFOPT_OK;
}

void dfopt_client_knob_destroy(struct client_knob *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n_responses; i++) {
        free(k->responses[i].tag);
        free(k->responses[i].apply_when);
    }
    free(k->responses);
    free(k->values);
    free(k->id);
    free(k->parameter);
    free(k->function);
    free(k->scope);
    free(k);
}
