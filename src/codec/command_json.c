/* Operator commands. People and scripts write them: a key that an action does
 * not know is an error, so that no misspelt bound is silently ignored. */
#include "codec/record.h"
#include "policy/policy_json.h"

#include <stdlib.h>
#include <string.h>

/* The keys of each action besides action, by and at. */
static const char *const keys[DFOPT_COMMAND_ACTION_COUNT][3] = {
    [DFOPT_COMMAND_ACTION_MODE] = {"target", "mode"},
    [DFOPT_COMMAND_ACTION_APPROVE] = {"plan_id"},
    [DFOPT_COMMAND_ACTION_REJECT] = {"plan_id"},
    [DFOPT_COMMAND_ACTION_FREEZE] = {"until_window"},
    [DFOPT_COMMAND_ACTION_SET] = {"knob_id", "value", "node"},
    [DFOPT_COMMAND_ACTION_RESTORE] = {"node"},
    [DFOPT_COMMAND_ACTION_POLICY] = {"policy", "check"},
};

static enum dfopt_err wrong(struct dfopt_error *err, const char *what)
{
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s", what);
}

static enum dfopt_err read_action(struct json_object *body, uint32_t *action,
                                  struct dfopt_error *err)
{
    const struct dfopt_text name = dfopt_json_text(dfopt_json_get(body, "action"));
    for (*action = 0; *action < DFOPT_COMMAND_ACTION_COUNT; ++*action)
        if (dfopt_text_is(name, dfopt_command_action_name(*action)))
            return DFOPT_OK;
    return wrong(err, "action must be mode, approve, reject, freeze, thaw, set, "
                      "restore or policy");
}

static bool has_key(uint32_t action, const char *key)
{
    for (size_t i = 0; i < 3; i++)
        if (keys[action][i] && strcmp(keys[action][i], key) == 0)
            return true;
    return strcmp(key, "action") == 0 || strcmp(key, "by") == 0 ||
           strcmp(key, "at") == 0;
}

static enum dfopt_err check_keys(struct json_object *body, uint32_t action,
                                 struct dfopt_error *err)
{
    json_object_object_foreach(body, key, member)
    {
        char name[DFOPT_JSON_NAME_SIZE];
        (void)member;
        if (!has_key(action, key))
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                   "action %s does not take the key '%s'",
                                   dfopt_command_action_name(action),
                                   dfopt_json_name(dfopt_text_z(key), name));
    }
    return DFOPT_OK;
}

/* A member that must be a string. */
static enum dfopt_err need_text(struct json_object *body, const char *name,
                                struct dfopt_text *out, struct dfopt_error *err)
{
    if (!dfopt_json_get(body, name))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is missing", name);
    return dfopt_json_get_text(body, name, out, err);
}

static bool begins(struct dfopt_text t, const char *prefix)
{
    return t.len >= strlen(prefix) && memcmp(t.at, prefix, strlen(prefix)) == 0;
}

static enum dfopt_err read_target(struct dfopt_dict *dict, struct dfopt_text t,
                                  struct dfopt_command *c, struct dfopt_error *err)
{
    c->name = DFOPT_SYM_EMPTY;
    if (dfopt_text_is(t, "*")) {
        c->target = DFOPT_TARGET_ALL;
        return DFOPT_OK;
    }
    const size_t skip = begins(t, "tag:") ? 4 : begins(t, "knob:") ? 5 : 0;
    if (!skip)
        return wrong(err, "target must be *, tag:NAME or knob:ID");
    c->target = skip == 4 ? DFOPT_TARGET_TAG : DFOPT_TARGET_KNOB;
    t.at += skip;
    t.len -= skip;
    return dfopt_json_intern(dict, t, &c->name);
}

static enum dfopt_err read_mode(struct dfopt_dict *dict, struct json_object *body,
                                struct dfopt_command *c, struct dfopt_error *err)
{
    struct dfopt_text target = dfopt_text_z("*"), mode;
    enum dfopt_err e = dfopt_json_get_text(body, "target", &target, err);
    if (!e)
        e = need_text(body, "mode", &mode, err);
    if (e)
        return e;
    for (c->mode = 0; c->mode < DFOPT_MODE_COUNT; c->mode++)
        if (dfopt_text_is(mode, dfopt_knob_mode_name(c->mode)))
            return read_target(dict, target, c, err);
    return wrong(err, "mode must be auto, advise, shadow or off");
}

/* Whether an id may be of a live run, whose identity is its suffix. */
static bool is_of_a_run(struct dfopt_text id)
{
    return id.len == DFOPT_PLAN_ID_RUN_SIZE - 1 &&
           id.at[DFOPT_PLAN_ID_SIZE - 1] == '_';
}

/* Accepts an id with or without the run's identity; the log of any run has both
 * forms. */
static enum dfopt_err read_plan(struct json_object *body, uint32_t run,
                                struct dfopt_command *c, struct dfopt_error *err)
{
    struct dfopt_text id;
    enum dfopt_err e = need_text(body, "plan_id", &id, err);
    if (e)
        return e;
    if (!dfopt_plan_id_run_parse(id.at, id.len, run, &c->plan_id) &&
        !dfopt_plan_id_parse(id.at, id.len, &c->plan_id) &&
        !(run == 0 && is_of_a_run(id) &&
          dfopt_plan_id_parse(id.at, DFOPT_PLAN_ID_SIZE - 1, &c->plan_id)))
        return wrong(err, "plan_id is not that of a plan of this run");
    return DFOPT_OK;
}

static enum dfopt_err read_freeze(struct json_object *body, struct dfopt_command *c,
                                  struct dfopt_error *err)
{
    c->bounded = dfopt_json_get(body, "until_window") != NULL;
    return dfopt_json_get_whole(body, "until_window", &c->until, err);
}

static enum dfopt_err read_node(struct dfopt_dict *dict, struct json_object *body,
                                struct dfopt_command *c, struct dfopt_error *err)
{
    struct dfopt_text node = dfopt_text_z("");
    enum dfopt_err e = dfopt_json_get_text(body, "node", &node, err);
    return e ? e : dfopt_json_intern(dict, node, &c->node);
}

static enum dfopt_err read_set(struct dfopt_dict *dict, struct json_object *body,
                               struct dfopt_command *c, struct dfopt_error *err)
{
    struct json_object *value = dfopt_json_get(body, "value");
    struct dfopt_text knob;
    enum dfopt_err e = need_text(body, "knob_id", &knob, err);
    if (!e && !value)
        e = wrong(err, "value is missing");
    if (!e)
        e = dfopt_json_check_scalar(value, "value", err);
    if (!e)
        e = read_node(dict, body, c, err);
    if (!e)
        e = dfopt_json_intern(dict, knob, &c->name);
    return e ? e : dfopt_json_intern_value(dict, value, &c->value);
}

static enum dfopt_err read_check(struct json_object *body, struct dfopt_command *c,
                                 struct dfopt_error *err)
{
    struct json_object *check = dfopt_json_get(body, "check");
    if (check && dfopt_json_kind(check) != DFOPT_JSON_BOOL)
        return wrong(err, "check is neither true nor false");
    c->check = check && json_object_get_boolean(check);
    return DFOPT_OK;
}

/* Returns owned. */
static enum dfopt_err read_policy(struct dfopt_codec *k, struct json_object *body,
                                  struct dfopt_policy **out,
                                  struct dfopt_error *err)
{
    struct json_object *tree = dfopt_json_get(body, "policy");
    if (!tree)
        return wrong(err, "policy is missing");
    struct dfopt_policy *policy = malloc(sizeof *policy);
    if (!policy)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = dfopt_policy_copy(policy, &k->preset, 0);
    if (!e) {
        e = dfopt_policy_decode(k->dict, tree, policy, err);
        if (e && e != DFOPT_ERR_NOMEM)
            dfopt_error_prefix(err, "policy");
        if (e)
            dfopt_policy_clear(policy);
    }
    if (e)
        free(policy);
    else
        *out = policy;
    return e;
}

static enum dfopt_err read_action_keys(struct dfopt_codec *k,
                                       struct json_object *body,
                                       struct dfopt_command *c,
                                       struct dfopt_error *err)
{
    switch (c->action) {
    case DFOPT_COMMAND_ACTION_MODE:
        return read_mode(k->dict, body, c, err);
    case DFOPT_COMMAND_ACTION_APPROVE:
    case DFOPT_COMMAND_ACTION_REJECT:
        return read_plan(body, k->run, c, err);
    case DFOPT_COMMAND_ACTION_FREEZE:
        return read_freeze(body, c, err);
    case DFOPT_COMMAND_ACTION_SET:
        return read_set(k->dict, body, c, err);
    case DFOPT_COMMAND_ACTION_RESTORE:
        return read_node(k->dict, body, c, err);
    case DFOPT_COMMAND_ACTION_POLICY:
        return read_check(body, c, err);
    default:
        return DFOPT_OK;
    }
}

static enum dfopt_err intern_words(struct dfopt_dict *dict, struct dfopt_text by,
                                   struct dfopt_text at, struct dfopt_command *c)
{
    enum dfopt_err e = dfopt_json_intern(dict, by, &c->by);
    if (!e)
        e = dfopt_json_intern(dict, at, &c->at);
    if (!e)
        e = dfopt_json_intern(dict, dfopt_text_z("operator"), &c->word_operator);
    return e ? e
             : dfopt_json_intern(dict, dfopt_text_z("next_window"),
                                 &c->word_next_window);
}

enum dfopt_err dfopt_command_decode(struct dfopt_codec *k, struct json_object *body,
                                    struct dfopt_event *out,
                                    struct dfopt_error *err)
{
    struct dfopt_command c;
    struct dfopt_text by = dfopt_text_z(""), at = by;
    memset(&c, 0, sizeof c);
    c.name = c.node = DFOPT_SYM_EMPTY;
    enum dfopt_err e = read_action(body, &c.action, err);
    if (!e)
        e = check_keys(body, c.action, err);
    if (!e)
        e = dfopt_json_get_text(body, "by", &by, err);
    if (!e)
        e = dfopt_json_get_text(body, "at", &at, err);
    if (!e)
        e = read_action_keys(k, body, &c, err);
    if (!e)
        e = intern_words(k->dict, by, at, &c);
    if (!e && c.action == DFOPT_COMMAND_ACTION_POLICY)
        e = read_policy(k, body, &out->policy, err);
    if (!e)
        out->command = c;
    return e;
}
