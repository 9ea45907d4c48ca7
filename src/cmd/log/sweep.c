/* dfopt-log sweep: what the variants of a sweep came to. */
#include "cmd/log/job.h"
#include "cmd/log/sweep_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep_command {
    const char *by;
    const char *pareto; /* two metrics, a comma between them */
    uint64_t top;
    bool want_policy;
    uint64_t policy;

    struct log_job job; /* without a decision log */
    struct log_print *print;
    struct dfopt_sweep_table t;
    struct sweep_aim by_aim, first, second;
    size_t *order, *front; /* owned */
    size_t n_front;
    struct sweep_effect *effects; /* owned */
};

static const char *name_of(const struct sweep_command *c,
                           const struct sweep_aim *aim)
{
    return c->t.metrics[aim->metric].name;
}

static const char *setting_of(const struct sweep_command *c, size_t variant,
                              size_t parameter)
{
    return c->t.settings[variant * c->t.n_parameters + parameter];
}

/* ---- text ---- */

static void put_z(struct sweep_command *c, const char *text)
{
    log_put_text(c->print, text, strlen(text));
}

/* What a list of variants shows beside the metrics that it is about. */
static const char *const shown[] = {"unattended_severity", "plans", "reversals",
                                    "episodes_planned", "onset_windows_mean"};
#define SHOWN       (sizeof shown / sizeof *shown)
#define COLUMNS_MAX (2 + SHOWN)

struct columns {
    struct sweep_aim of[COLUMNS_MAX];
    size_t n;
};

static void add_column(struct columns *c, const struct sweep_aim *aim)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->of[i].metric == aim->metric)
            return;
    c->of[c->n++] = *aim;
}

static void put_cell(struct sweep_command *c, size_t width, double v)
{
    const size_t start = c->print->out.len;
    log_put_real(c->print, v);
    log_pad(c->print, start, width);
}

static void put_settings(struct sweep_command *c, size_t variant)
{
    const char *between = "";
    for (size_t p = 0; p < c->t.n_parameters; p++) {
        if (!*setting_of(c, variant, p))
            continue;
        put_z(c, between);
        put_z(c, c->t.paths[p]);
        put_z(c, "=");
        put_z(c, setting_of(c, variant, p));
        between = " ";
    }
    log_put(c->print, "%s\n", *between ? "" : "the base policy");
}

/* `second` may be NULL. */
static void put_variants(struct sweep_command *c, const struct sweep_aim *first,
                         const struct sweep_aim *second, const size_t *variants,
                         size_t n)
{
    struct columns columns = {.n = 0};
    struct sweep_aim other;
    add_column(&columns, first);
    if (second)
        add_column(&columns, second);
    for (size_t i = 0; i < SHOWN; i++)
        if (sweep_aim_find(&c->t, shown[i], &other))
            add_column(&columns, &other);
    log_put(c->print, "  variant ");
    for (size_t k = 0; k < columns.n; k++)
        log_put(c->print, "%s ", name_of(c, &columns.of[k]));
    log_put(c->print, "settings\n");
    for (size_t i = 0; i < n; i++) {
        log_put(c->print, "  %-8zu", variants[i]);
        for (size_t k = 0; k < columns.n; k++)
            put_cell(c, strlen(name_of(c, &columns.of[k])),
                     sweep_value(&c->t, &columns.of[k], variants[i]));
        put_settings(c, variants[i]);
    }
}

static void put_effect(struct sweep_command *c, const struct sweep_effect *e)
{
    log_put(c->print, "  ");
    put_z(c, c->t.paths[e->parameter]);
    log_put(c->print, ": %.1f %%\n", 100 * e->share);
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct sweep_group *group = &e->groups[g];
        log_put(c->print, "    ");
        const size_t start = c->print->out.len;
        put_z(c, group->from);
        if (strcmp(group->from, group->to) != 0) {
            log_put(c->print, " to ");
            put_z(c, group->to);
        }
        log_pad(c->print, start, 28);
        log_put(c->print, "%6zu variants, mean ", group->n);
        log_put_real(c->print, group->mean);
        log_put(c->print, "\n");
    }
}

static void title(struct sweep_command *c, const char *before, const char *name,
                  const char *behind)
{
    log_put(c->print, "\n");
    log_color(c->print, LOG_BOLD);
    log_put(c->print, "%s %s%s", before, name, behind);
    log_color(c->print, LOG_PLAIN);
    log_put(c->print, "\n");
}

static void put_text(struct sweep_command *c)
{
    const struct dfopt_sweep_table *t = &c->t;
    char second[80];
    put_z(c, c->job.args.file[0]);
    log_put(c->print, ": %zu variants over %" PRId64 " findings, %zu parameter%s\n",
            t->n, t->findings, t->n_parameters, t->n_parameters == 1 ? "" : "s");
    title(c, "Best by", name_of(c, &c->by_aim),
          c->by_aim.more ? " (more is better)" : " (less is better)");
    put_variants(c, &c->by_aim, NULL, c->order,
                 t->n < c->top ? t->n : (size_t)c->top);
    snprintf(second, sizeof second, " and %s", name_of(c, &c->second));
    title(c, "Not beaten in both of", name_of(c, &c->first), second);
    put_variants(c, &c->first, &c->second, c->front, c->n_front);
    title(c, "What moves", name_of(c, &c->by_aim), ": share of its variance");
    for (size_t k = 0; k < t->n_parameters; k++)
        put_effect(c, &c->effects[k]);
}

/* ---- JSON ---- */

static void json_z(struct sweep_command *c, const char *text)
{
    log_json_text(c->print, text, strlen(text));
}

/* A setting is JSON already. */
static void json_setting(struct sweep_command *c, const char *setting)
{
    log_put_bytes(c->print, setting, strlen(setting));
}

static void json_variant(struct sweep_command *c, size_t variant)
{
    const struct dfopt_sweep_table *t = &c->t;
    bool first = true;
    log_put(c->print, "{\"variant\":%zu,\"settings\":{", variant);
    for (size_t p = 0; p < t->n_parameters; p++) {
        if (!*setting_of(c, variant, p))
            continue;
        log_put(c->print, "%s", first ? "" : ",");
        json_z(c, t->paths[p]);
        log_put(c->print, ":");
        json_setting(c, setting_of(c, variant, p));
        first = false;
    }
    log_put(c->print, "},\"metrics\":");
    for (size_t m = 0; m < t->n_metrics; m++) {
        const double v = t->values[m * t->n + variant];
        log_json_key(c->print, t->metrics[m].name, m == 0);
        if (t->metrics[m].kind == DFOPT_SWEEP_COUNT)
            log_put(c->print, "%.0f", v);
        else
            log_json_real(c->print, v);
    }
    log_put(c->print, "}}");
}

static void json_variants(struct sweep_command *c, const size_t *variants, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        log_put(c->print, "%s", i ? "," : "");
        json_variant(c, variants[i]);
    }
}

static void json_effect(struct sweep_command *c, const struct sweep_effect *e)
{
    log_json_key(c->print, "parameter", true);
    json_z(c, c->t.paths[e->parameter]);
    log_json_key(c->print, "share", false);
    log_json_real(c->print, e->share);
    log_put(c->print, ",\"groups\":[");
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct sweep_group *group = &e->groups[g];
        log_put(c->print, "%s{\"from\":", g ? "," : "");
        json_setting(c, group->from);
        log_json_key(c->print, "to", false);
        json_setting(c, group->to);
        log_put(c->print, ",\"variants\":%zu,\"mean\":", group->n);
        log_json_real(c->print, group->mean);
        log_put(c->print, "}");
    }
    log_put(c->print, "]}");
}

static void put_json(struct sweep_command *c)
{
    const struct dfopt_sweep_table *t = &c->t;
    log_put(c->print, "{\"variants\":%zu,\"findings\":%" PRId64, t->n, t->findings);
    log_put(c->print, ",\"by\":\"%s\",\"best\":[", name_of(c, &c->by_aim));
    json_variants(c, c->order, t->n < c->top ? t->n : (size_t)c->top);
    log_put(c->print, "],\"pareto_of\":[\"%s\",\"%s\"],\"pareto\":[",
            name_of(c, &c->first), name_of(c, &c->second));
    json_variants(c, c->front, c->n_front);
    log_put(c->print, "],\"effects\":[");
    for (size_t k = 0; k < t->n_parameters; k++) {
        log_put(c->print, "%s", k ? "," : "");
        json_effect(c, &c->effects[k]);
    }
    log_put(c->print, "]}\n");
}

/* ---- the command ---- */

static enum dfopt_err find_metric(struct sweep_command *c, const char *text,
                                  size_t len, struct sweep_aim *out)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : 63), text);
    return sweep_aim_find(&c->t, name, out)
               ? DFOPT_OK
               : dfopt_error_set(&c->job.err, DFOPT_ERR_ARG,
                                 "no metric '%s'; --json shows them all", name);
}

static enum dfopt_err show(struct sweep_command *c)
{
    const char *comma = strchr(c->pareto, ',');
    enum dfopt_err e =
        dfopt_sweep_table_read(&c->t, c->job.args.file[0], &c->job.err);
    if (!e)
        e = find_metric(c, c->by, strlen(c->by), &c->by_aim);
    if (!e)
        e = find_metric(c, c->pareto, (size_t)(comma - c->pareto), &c->first);
    if (!e)
        e = find_metric(c, comma + 1, strlen(comma + 1), &c->second);
    if (e)
        return e;
    c->order = sweep_order(&c->t, &c->by_aim);
    c->front = sweep_pareto(&c->t, &c->first, &c->second, &c->n_front);
    c->effects = sweep_effects(&c->t, &c->by_aim);
    if (!c->order || !c->front || !c->effects)
        return DFOPT_ERR_NOMEM;
    if (c->job.args.json)
        put_json(c);
    else
        put_text(c);
    return DFOPT_OK;
}

enum { KEY_BY = 0x500, KEY_TOP, KEY_PARETO, KEY_POLICY };

static error_t parse_own(int key, char *text, struct argp_state *state)
{
    struct sweep_command *c = state->input;
    switch (key) {
    case KEY_BY:
        c->by = text;
        return 0;
    case KEY_TOP:
        c->top = log_args_number(state, "top", text, UINT32_MAX);
        return 0;
    case KEY_PARETO:
        if (!strchr(text, ',') || strchr(text, ',') != strrchr(text, ','))
            argp_error(state, "--pareto takes two metrics, as METRIC,METRIC");
        c->pareto = text;
        return 0;
    case KEY_POLICY:
        c->policy = log_args_number(state, "policy", text, UINT32_MAX);
        c->want_policy = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option own_options[] = {
    {"by", KEY_BY, "METRIC", 0,
     "Sort by it, and say what moves it (default unattended_severity); min:METRIC "
     "and max:METRIC say which way is better",
     0},
    {"top", KEY_TOP, "N", 0, "Show so many of the best (default 10)", 0},
    {"pareto", KEY_PARETO, "METRIC,METRIC", 0,
     "Show the variants that no other beats in both (default "
     "plans,unattended_severity)",
     0},
    {"policy", KEY_POLICY, "N", 0,
     "Print the policy of variant N, as a policy file, and nothing else", 0},
    {.name = NULL}};

int log_sweep(int argc, char **argv)
{
    static const struct argp argp = {
        .options = own_options,
        .parser = parse_own,
        .args_doc = "FILE",
        .doc = "Tells what the variants of a sweep came to: the best by a metric, "
               "those that no other beats in two, and what each parameter does."};
    struct sweep_command c = {.by = "unattended_severity",
                              .pareto = "plans,unattended_severity",
                              .top = 10,
                              .job = {.args = {.n_files = 1}}};
    log_args_parse(&c.job.args, &argp, &c, argc, argv);
    c.print = &c.job.print;
    c.print->color = c.job.args.color;
    enum dfopt_err e = c.want_policy
                           ? dfopt_sweep_policy_read(c.job.args.file[0], c.policy,
                                                     &c.print->out, &c.job.err)
                           : show(&c);
    dfopt_sweep_table_free(&c.t);
    free(c.order);
    free(c.front);
    free(c.effects);
    return log_end(&c.job, e);
}
