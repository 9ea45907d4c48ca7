/* Parses a run's policy. */
#include "cmd/log/switches.h"

#include "json/json.h"

#include <string.h>

static bool is_text(struct json_object *on, const char *name, const char *text)
{
    return dfopt_text_is(dfopt_json_text(dfopt_json_get(on, name)), text);
}

static bool is_false(struct json_object *on, const char *name)
{
    struct json_object *j = dfopt_json_get(on, name);
    return dfopt_json_kind(j) == DFOPT_JSON_BOOL && !json_object_get_boolean(j);
}

static void take(struct dl_switches *s, struct json_object *on)
{
    struct json_object *effect = dfopt_json_get(on, "effect");
    s->controls = effect && !is_text(on, "effect", "severity");
    s->job_knobs = is_text(on, "scope", "interpret");
    s->names_nodes = is_text(on, "registration", "interpret");
    s->reject_ends = is_text(on, "reject", "upstream");
    s->overrides = !is_false(on, "global_overrides_nodes");
    /* of another type: as if not given */
    (void)dfopt_json_get_whole(on, "ack_timeout_windows", &s->ack_timeout, NULL);
    (void)dfopt_json_get_finite(on, "backoff_windows", &s->backoff_windows, NULL);
    (void)dfopt_json_get_finite(on, "min_effect", &s->min_effect, NULL);
}

enum dfopt_err dl_switches_read(struct dl_switches *s,
                                const struct dfopt_declog_run *run)
{
    struct json_object *policy = NULL;
    const enum dfopt_err e =
        dfopt_json_parse_file(run->policy, strlen(run->policy), &policy, NULL);
    if (e == DFOPT_ERR_NOMEM)
        return e;
    *s = (struct dl_switches){.overrides = true};
    struct json_object *on = dfopt_json_get(policy, "switches");
    if (dfopt_json_kind(on) == DFOPT_JSON_OBJECT)
        take(s, on);
    s->metric = dfopt_json_kind(dfopt_json_get(policy, "objective_metric")) ==
                DFOPT_JSON_OBJECT;
    json_object_put(policy);
    return DFOPT_OK;
}
