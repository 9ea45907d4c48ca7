/* Policy and registrations from files and the environment. */
#include "cmd/mpi/initial.h"

#include "cmd/mpi/bootstrap.h"
#include "policy/policy_json.h"
#include "transport/file/whole.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum dfopt_err dfopt_policy_load(struct dfopt_policy *out,
                                 const struct dfopt_options *o,
                                 struct dfopt_dict *dict,
                                 const volatile sig_atomic_t *stop,
                                 struct dfopt_error *err)
{
    struct dfopt_buf text = {0};
    dfopt_policy_preset(out, o->preset);
    if (!o->policy_file)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_file_read(o->policy_file, stop, &text, err);
    if (!e) {
        e = dfopt_policy_read(dict, text.data, text.len, out, err);
        if (e)
            dfopt_error_prefix(err, "%s", o->policy_file);
    }
    dfopt_buf_free(&text);
    return e;
}

/* Splits the bodies of registrations: one per line. */
static void find_bodies(struct dfopt_initials *p)
{
    const char *line = p->bodies.data, *all_end = line + p->bodies.len;
    for (size_t i = 0; i < p->n; i++) {
        const char *end = memchr(line, '\n', (size_t)(all_end - line));
        p->items[i].body = line;
        p->items[i].body_len = (size_t)(end - line);
        line = end + 1;
    }
}

/* Adds the registrations in a text. `where` names it in messages. */
static enum dfopt_err add(struct dfopt_initials *p, struct dfopt_codec *codec,
                          const struct dfopt_policy *policy, const char *where,
                          enum dfopt_registration_source source,
                          const struct dfopt_buf *text, struct dfopt_error *err)
{
    struct dfopt_registration *r = NULL;
    size_t n = 0, refused = 0;
    enum dfopt_err e =
        dfopt_codec_registry(codec, text->data, text->len, &r, &n, &p->bodies, err);
    if (e) {
        dfopt_error_prefix(err, "%s", where);
        return e;
    }
    p->items = calloc(n ? n : 1, sizeof *p->items);
    for (size_t i = 0; i < n; i++) {
        if (!p->items) {
            dfopt_registration_clear(&r[i]);
            continue;
        }
        if (!e)
            e = dfopt_registration_check(&r[i], policy, err);
        if (e && err && !refused++)
            dfopt_error_prefix(err, "%s: registration %zu", where, i);
        p->items[i].source = source;
        p->items[i].registration = r[i];
        p->n++;
    }
    free(r);
    if (!p->items)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    find_bodies(p);
    return e;
}

enum dfopt_err
dfopt_initial_load(struct dfopt_initials *p, const struct dfopt_options *o,
                   struct dfopt_codec *codec, const struct dfopt_policy *policy,
                   const volatile sig_atomic_t *stop, struct dfopt_error *err)
{
    struct dfopt_buf text = {0};
    enum dfopt_err e = DFOPT_OK;
    size_t knobs = 0;
    if (o->registry_file) {
        e = dfopt_file_read(o->registry_file, stop, &text, err);
        if (!e)
            e = add(p, codec, policy, o->registry_file, DFOPT_SOURCE_REGISTRY_FILE,
                    &text, err);
        for (size_t i = 0; i < p->n; i++)
            knobs += p->items[i].registration.n_knobs;
    }
    if (!e && knobs == 0 && dfopt_bootstrap_wanted()) {
        dfopt_initial_drop(p); /* it registers no knobs */
        dfopt_buf_clear(&p->bodies);
        dfopt_buf_clear(&text);
        e = dfopt_bootstrap_json(sysconf(_SC_NPROCESSORS_ONLN), &text, err);
        if (!e)
            e = add(p, codec, policy, "environment", DFOPT_SOURCE_BOOTSTRAP, &text,
                    err);
    }
    dfopt_buf_free(&text);
    return e;
}

void dfopt_initial_drop(struct dfopt_initials *p)
{
    for (size_t i = 0; i < p->n; i++)
        dfopt_registration_clear(&p->items[i].registration);
    free(p->items);
    p->items = NULL;
    p->n = 0;
}

void dfopt_initial_free(struct dfopt_initials *p)
{
    dfopt_initial_drop(p);
    dfopt_buf_free(&p->bodies);
}
