/* Each command makes one request, or one per node, and shows the result. */
#include "cmd/ctl/commands.h"

#include "base/dict.h"
#include "cmd/ctl/show.h"
#include "cmd/option/option.h"
#include "json/grammar.h"
#include "json/write.h"
#include "transport/file/whole.h"
#include "transport/transport.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- requests ---- */

static enum dfopt_err failed(struct ctl *c)
{
    fprintf(stderr, "dfopt-ctl: %s\n",
            c->err.text[0] ? c->err.text : "out of memory");
    return c->err.code ? c->err.code : DFOPT_ERR_NOMEM;
}

static struct dfopt_put begin(struct ctl *c, const char *action)
{
    char host[256] = "", by[600], at[32] = "";
    const struct passwd *user = getpwuid(geteuid());
    const time_t now = time(NULL);
    struct tm utc;
    (void)gethostname(host, sizeof host - 1);
    snprintf(by, sizeof by, "%s@%s", user ? user->pw_name : "?", host);
    if (gmtime_r(&now, &utc))
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    dfopt_buf_clear(&c->request);
    struct dfopt_put p = dfopt_put_start(&c->request, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "action", action);
    dfopt_member_text(&p, "by", by);
    dfopt_member_text(&p, "at", at);
    return p;
}

/* Whether a text is a JSON string. The parser takes only lists and objects. */
static bool is_quoted(const char *text)
{
    struct json_object *list = NULL;
    struct dfopt_buf b = {0};
    struct dfopt_error ignored = {0};
    bool quoted = text[0] == '"' && !dfopt_buf_printf(&b, "[%s]", text) &&
                  !dfopt_json_parse_file(b.data, b.len, &list, &ignored);
    if (quoted)
        quoted =
            json_object_array_length(list) == 1 &&
            dfopt_json_kind(json_object_array_get_idx(list, 0)) == DFOPT_JSON_TEXT;
    json_object_put(list);
    dfopt_buf_free(&b);
    return quoted;
}

/* Numbers, true, false and quoted texts as JSON; anything else as a text. */
static void put_value(struct dfopt_put *p, const char *text)
{
    const char *end = text + strlen(text);
    bool real;
    const bool number = dfopt_json_number(text, end, &real) == end;
    dfopt_put_key(p, "value");
    if (number || strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
        is_quoted(text))
        dfopt_put_raw(p, text);
    else
        dfopt_put_z(p, text);
}

static struct json_object *ask(struct ctl *c, const char *request, size_t len)
{
    struct json_object *tree = NULL;
    if (ctl_ask(&c->line, request, len, &c->answer, &c->err) ||
        dfopt_json_parse_file(c->answer.data, c->answer.len, &tree, &c->err)) {
        (void)failed(c);
        return NULL;
    }
    return tree;
}

static void print_json(const struct ctl *c)
{
    printf("%.*s\n", (int)c->answer.len, c->answer.data);
}

/* Sends the command begun in `p`. Returns an exit code. */
static int command(struct ctl *c, struct dfopt_put *p)
{
    dfopt_put_raw(p, "}");
    if (dfopt_put_end(p))
        return failed(c), CTL_EXIT_FAILED;
    struct json_object *answer = ask(c, c->request.data, c->request.len);
    if (!answer)
        return CTL_EXIT_FAILED;
    if (c->json)
        print_json(c);
    const bool done = c->json ? ctl_is_done(answer) : ctl_show_outcome(answer);
    json_object_put(answer);
    return done ? 0 : CTL_EXIT_FAILED;
}

/* ---- the commands ---- */

static struct json_object *ask_status(struct ctl *c)
{
    return ask(c, DFOPT_PORT_STATUS, strlen(DFOPT_PORT_STATUS));
}

static int show(struct ctl *c, bool json, void (*how)(struct json_object *state))
{
    struct json_object *state = ask_status(c);
    if (!state)
        return CTL_EXIT_FAILED;
    if (json)
        print_json(c);
    else
        how(state);
    json_object_put(state);
    return 0;
}

static void show_policy(struct json_object *state)
{
    printf("%s\n", json_object_to_json_string_ext(dfopt_json_get(state, "policy"),
                                                  JSON_C_TO_STRING_PRETTY));
}

static int restore_node(struct ctl *c, const char *node)
{
    struct dfopt_put p = begin(c, "restore");
    dfopt_member_text(&p, "node", node);
    return command(c, &p);
}

/* Sends a command for each node that has a value, until there is no answer. */
static int restore_nodes(struct ctl *c, struct json_object *values)
{
    struct dfopt_dict *seen = NULL;
    int code = 0;
    const size_t n = values ? json_object_array_length(values) : 0;
    enum dfopt_err e = dfopt_dict_create(&seen, false);
    for (size_t i = 0; i < n && !e && !c->err.code; i++) {
        const struct dfopt_text node = dfopt_json_text(
            dfopt_json_get(json_object_array_get_idx(values, i), "node"));
        const uint32_t before = dfopt_dict_strings(seen);
        if (node.len &&
            dfopt_dict_intern(seen, node.at, node.len) == DFOPT_SYM_NONE)
            e = DFOPT_ERR_NOMEM;
        if (!e && dfopt_dict_strings(seen) > before && restore_node(c, node.at))
            code = CTL_EXIT_FAILED;
    }
    dfopt_dict_destroy(seen);
    return e ? (failed(c), CTL_EXIT_FAILED) : code;
}

/* Sends a command for the job, and one per node. */
static int restore_all(struct ctl *c)
{
    struct json_object *state = ask_status(c);
    if (!state)
        return CTL_EXIT_FAILED;
    int code = restore_node(c, "");
    if (!c->err.code && restore_nodes(c, dfopt_json_get(state, "values")))
        code = CTL_EXIT_FAILED;
    json_object_put(state);
    return code;
}

/* Activates a policy, or only checks whether it could be. */
static int send_policy(struct ctl *c, const char *path, bool check)
{
    struct dfopt_buf text = {0};
    struct json_object *tree = NULL;
    enum dfopt_err e = dfopt_file_read(path, NULL, &text, &c->err);
    if (!e) {
        e = dfopt_json_parse_file(text.data, text.len, &tree, &c->err);
        if (e)
            dfopt_error_prefix(&c->err, "%s", path);
    }
    if (e) {
        dfopt_buf_free(&text);
        return failed(c), CTL_EXIT_FAILED;
    }
    struct dfopt_put p = begin(c, "policy");
    struct dfopt_buf compact = {0};
    if (!p.e)
        p.e = dfopt_json_write(tree, &compact);
    dfopt_put_key(&p, "policy");
    dfopt_put_bytes(&p, compact.data, compact.len);
    if (check)
        dfopt_member_bool(&p, "check", true);
    const int code = command(c, &p);
    json_object_put(tree);
    dfopt_buf_free(&compact);
    dfopt_buf_free(&text);
    return code;
}

static int stop(struct ctl *c)
{
    const char *request = c->restore ? DFOPT_PORT_STOP_RESTORE : DFOPT_PORT_STOP;
    struct json_object *answer = ask(c, request, strlen(request));
    if (!answer)
        return CTL_EXIT_FAILED;
    if (c->json)
        print_json(c);
    else
        printf(c->restore ? "restoring, then stopping\n" : "stopping\n");
    json_object_put(answer);
    return 0;
}

static int plan(struct ctl *c)
{
    struct dfopt_put p = begin(c, c->arg[0]);
    dfopt_member_text(&p, "plan_id", c->arg[1]);
    return command(c, &p);
}

static int set(struct ctl *c)
{
    struct dfopt_put p = begin(c, "set");
    dfopt_member_text(&p, "knob_id", c->arg[1]);
    put_value(&p, c->arg[2]);
    if (c->n_args > 3)
        dfopt_member_text(&p, "node", c->arg[3]);
    return command(c, &p);
}

static int mode(struct ctl *c)
{
    struct dfopt_put p = begin(c, "mode");
    dfopt_member_text(&p, "mode", c->arg[1]);
    if (c->n_args > 2)
        dfopt_member_text(&p, "target", c->arg[2]);
    return command(c, &p);
}

static int freeze(struct ctl *c)
{
    struct dfopt_put p = begin(c, "freeze");
    if (c->until >= 0)
        dfopt_member_int(&p, "until_window", c->until);
    return command(c, &p);
}

static int thaw(struct ctl *c)
{
    struct dfopt_put p = begin(c, "thaw");
    return command(c, &p);
}

static int status(struct ctl *c)
{
    return show(c, c->json, ctl_show_status);
}

static int plans(struct ctl *c)
{
    return show(c, c->json, ctl_show_plans);
}

static int restore(struct ctl *c)
{
    return c->n_args > 1 ? restore_node(c, c->arg[1]) : restore_all(c);
}

static int policy(struct ctl *c)
{
    if (c->n_args == 2 && strcmp(c->arg[1], "show") == 0)
        return show(c, false, show_policy);
    if (c->n_args == 3 && strcmp(c->arg[1], "check") == 0)
        return send_policy(c, c->arg[2], true);
    if (c->n_args == 3 && strcmp(c->arg[1], "apply") == 0)
        return send_policy(c, c->arg[2], false);
    fprintf(stderr, "dfopt-ctl: use 'policy check FILE', 'policy apply FILE' or "
                    "'policy show'\n");
    return DFOPT_USAGE_EXIT;
}

static const struct {
    const char *name;
    int least, most; /* words, including the name */
    int (*run)(struct ctl *c);
} commands[] = {
    {"status", 1, 1, status}, {"plans", 1, 1, plans}, {"mode", 2, 3, mode},
    {"approve", 2, 2, plan},  {"reject", 2, 2, plan}, {"freeze", 1, 1, freeze},
    {"thaw", 1, 1, thaw},     {"set", 3, 4, set},     {"restore", 1, 2, restore},
    {"policy", 2, 3, policy}, {"stop", 1, 1, stop}};

int ctl_run(struct ctl *c)
{
    if (c->restore && strcmp(c->arg[0], "stop") != 0) {
        fprintf(stderr, "dfopt-ctl: --restore needs the command stop\n");
        return DFOPT_USAGE_EXIT;
    }
    if (c->until >= 0 && strcmp(c->arg[0], "freeze") != 0) {
        fprintf(stderr, "dfopt-ctl: --until-window needs the command freeze\n");
        return DFOPT_USAGE_EXIT;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, c->arg[0]) != 0)
            continue;
        if (commands[i].least <= c->n_args && c->n_args <= commands[i].most)
            return commands[i].run(c);
        fprintf(
            stderr,
            "dfopt-ctl: wrong number of arguments for '%s'; see dfopt-ctl --help\n",
            c->arg[0]);
        return DFOPT_USAGE_EXIT;
    }
    fprintf(stderr, "dfopt-ctl: unknown command '%s'; see dfopt-ctl --help\n",
            c->arg[0]);
    return DFOPT_USAGE_EXIT;
}

void ctl_free(struct ctl *c)
{
    dfopt_buf_free(&c->request);
    dfopt_buf_free(&c->answer);
}
