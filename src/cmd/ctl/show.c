/* Plain text, one item per line. */
#include "cmd/ctl/show.h"

#include <stdio.h>
#include <string.h>

static const char *text(struct json_object *o, const char *name)
{
    return dfopt_json_text(dfopt_json_get(o, name)).at;
}

/* Control characters, which names may have, as \xNN. */
static void put_text(const char *t)
{
    for (; *t; t++)
        if ((unsigned char)*t < ' ' || *t == 0x7f)
            printf("\\x%02x", (unsigned char)*t);
        else
            putchar(*t);
}

static void put(struct json_object *o, const char *name)
{
    put_text(text(o, name));
}

static const char *value(struct json_object *o, const char *name)
{
    struct json_object *j = dfopt_json_get(o, name);
    return j ? json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN) : "-";
}

/* Knob and node. */
static void put_where(struct json_object *o)
{
    const char *node = text(o, "node");
    put(o, "knob_id");
    putchar(' ');
    put_text(node[0] ? node : "job");
    printf("  ");
}

static size_t length(struct json_object *list)
{
    return dfopt_json_kind(list) == DFOPT_JSON_LIST ? json_object_array_length(list)
                                                    : 0;
}

static void show_proposals(struct json_object *state)
{
    struct json_object *all = dfopt_json_get(state, "proposals");
    for (size_t i = 0; i < length(all); i++) {
        struct json_object *x = json_object_array_get_idx(all, i);
        printf("awaiting approval  %s  ", text(x, "plan_id"));
        put_where(x);
        printf("%s -> ", value(x, "old_value"));
        printf("%s  for ", value(x, "new_value"));
        put(x, "tag");
        printf("\n");
    }
}

static void show_in_flight(struct json_object *state)
{
    struct json_object *all = dfopt_json_get(state, "values");
    for (size_t i = 0; i < length(all); i++) {
        struct json_object *x = json_object_array_get_idx(all, i);
        if (!dfopt_json_get(x, "plan_id"))
            continue;
        printf("in flight  %s  ", text(x, "plan_id"));
        put_where(x);
        printf("%s -> ", value(x, "old_value"));
        printf("%s  window ", value(x, "value"));
        printf("%s\n", value(x, "window_index"));
    }
}

void ctl_show_plans(struct json_object *state)
{
    show_in_flight(state);
    show_proposals(state);
}

static void show_modes(struct json_object *state)
{
    struct json_object *modes = dfopt_json_get(state, "modes");
    if (dfopt_json_kind(modes) != DFOPT_JSON_OBJECT)
        return;
    if (json_object_object_length(modes) == 0)
        printf("mode  auto for all knobs\n");
    json_object_object_foreach(modes, target, mode)
    {
        printf("mode  %s for ", dfopt_json_text(mode).at);
        put_text(target);
        printf("\n");
    }
}

static double number(struct json_object *o, const char *name)
{
    return json_object_get_double(dfopt_json_get(o, name));
}

static void show_endpoints(struct json_object *state)
{
    struct json_object *all = dfopt_json_get(state, "endpoints");
    for (size_t i = 0; i < length(all); i++) {
        struct json_object *x = json_object_array_get_idx(all, i);
        printf("endpoint  %s  %s  %s", text(x, "name"), text(x, "endpoint"),
               text(x, "state"));
        if (dfopt_json_get(x, "peers"))
            printf(", peers %s", value(x, "peers"));
        printf("\n");
    }
}

static void show_counts(struct json_object *state)
{
    static const char *const counts[] = {"records",  "findings",         "plans",
                                         "commands", "commands_refused", "invalid"};
    static const char *const rates[] = {"findings", "plans", "acks", "objectives"};
    struct json_object *all = dfopt_json_get(state, "rates");
    char name[32];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        printf("%s%s %s", i ? ", " : "", counts[i], value(state, counts[i]));
    printf("\n");
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        snprintf(name, sizeof name, "%s_per_s", rates[i]);
        printf("%s%s/s %.1f", i ? ", " : "", rates[i], number(all, name));
    }
    printf(", up %.0f s\n", number(state, "uptime_s"));
}

static void show_outcomes(struct json_object *state)
{
    struct json_object *all = dfopt_json_get(state, "outcomes");
    for (size_t i = 0; i < length(all); i++) {
        struct json_object *x = json_object_array_get_idx(all, i);
        printf("outcome  event %s  ", value(x, "event"));
        put_where(x);
        printf("%s, %s", text(x, "verdict"),
               strcmp(value(x, "kept"), "true") == 0 ? "kept" : "taken back");
        if (dfopt_json_get(x, "gain"))
            printf(", gain %+.1f %%", 100 * number(x, "gain"));
        printf(", window %s\n", value(x, "window_index"));
    }
}

void ctl_show_status(struct json_object *state)
{
    struct json_object *all = dfopt_json_get(state, "values");
    show_endpoints(state);
    show_counts(state);
    show_modes(state);
    if (strcmp(value(state, "frozen"), "true") == 0)
        printf("frozen  until %s%s\n",
               dfopt_json_get(state, "until_window") ? "window " : "thaw",
               dfopt_json_get(state, "until_window") ? value(state, "until_window")
                                                     : "");
    for (size_t i = 0; i < length(all); i++) {
        struct json_object *x = json_object_array_get_idx(all, i);
        if (!dfopt_json_get(x, "value"))
            continue;
        printf("value  ");
        put_where(x);
        printf("%s\n", value(x, "value"));
    }
    ctl_show_plans(state);
    show_outcomes(state);
}

bool ctl_is_done(struct json_object *answer)
{
    const char *outcome = text(answer, "outcome");
    return strcmp(outcome, "done") == 0 || strcmp(outcome, "same_value") == 0;
}

bool ctl_show_outcome(struct json_object *answer)
{
    const char *error = text(answer, "error"), *outcome = text(answer, "outcome");
    struct json_object *plans = dfopt_json_get(answer, "plans");
    const bool done = ctl_is_done(answer);
    const bool back = done && strcmp(text(answer, "action"), "restore") == 0;
    if (error[0]) {
        fprintf(stderr, "dfopt-ctl: refused: %s\n", error);
        return false;
    }
    fprintf(done ? stdout : stderr, "event %s: %s%s%s\n", value(answer, "event"),
            outcome, done && outcome[0] == 'd' ? "" : ": ",
            done && outcome[0] == 'd' ? ""
            : back                    ? "there is nothing to restore"
                                      : text(answer, "meaning"));
    for (size_t i = 0; i < length(plans); i++)
        printf("plan %s\n",
               dfopt_json_text(json_object_array_get_idx(plans, i)).at);
    return done;
}
