/* dfopt-log sweep: shows the results of a sweep's variants. */
#include "cmd/log/common.h"
#include "cmd/log/sweep_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep_command {
    const char *by;
    const char *pareto; /* two metrics, separated by a comma */
    uint64_t top;
    uint64_t policy; /* of a variant, or NO_VARIANT */

    struct dl_job job; /* without a decision log */
    struct dl_print *print;
    struct dfopt_sweep_table t;
    struct dl_sweep_aim by_aim, first, second;
    size_t *order, *front; /* owned */
    size_t n_front;
    struct dl_sweep_effect *effects; /* owned */
};

static const char *name_of(const struct sweep_command *c,
                           const struct dl_sweep_aim *aim)
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
    dl_put_text(c->print, text, strlen(text));
}

/* What a list of variants shows besides its metrics. */
static const char *const shown[] = {"unattended_severity", "plans", "reversals",
                                    "episodes_planned", "onset_windows_mean"};
#define SHOWN       (sizeof shown / sizeof *shown)
#define COLUMNS_MAX (2 + SHOWN)

struct columns {
    struct dl_sweep_aim of[COLUMNS_MAX];
    size_t n;
};

static void add_column(struct columns *c, const struct dl_sweep_aim *aim)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->of[i].metric == aim->metric)
            return;
    c->of[c->n++] = *aim;
}

static void put_cell(struct sweep_command *c, size_t width, double v)
{
    const size_t start = c->print->out.len;
    dl_put_real(c->print, v);
    dl_pad(c->print, start, width);
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
    dl_put(c->print, "%s\n", *between ? "" : "the base policy");
}

/* `second` may be NULL. */
static void put_variants(struct sweep_command *c, const struct dl_sweep_aim *first,
                         const struct dl_sweep_aim *second, const size_t *variants,
                         size_t n)
{
    struct columns columns = {.n = 0};
    struct dl_sweep_aim other;
    add_column(&columns, first);
    if (second)
        add_column(&columns, second);
    for (size_t i = 0; i < SHOWN; i++)
        if (dl_sweep_aim_find(&c->t, shown[i], &other))
            add_column(&columns, &other);
    dl_put(c->print, "  variant ");
    for (size_t k = 0; k < columns.n; k++)
        dl_put(c->print, "%s ", name_of(c, &columns.of[k]));
    dl_put(c->print, "settings\n");
    for (size_t i = 0; i < n; i++) {
        dl_put(c->print, "  %-8zu", variants[i]);
        for (size_t k = 0; k < columns.n; k++)
            put_cell(c, strlen(name_of(c, &columns.of[k])),
                     dl_sweep_value(&c->t, &columns.of[k], variants[i]));
        put_settings(c, variants[i]);
    }
}

static void put_effect(struct sweep_command *c, const struct dl_sweep_effect *e)
{
    dl_put(c->print, "  ");
    put_z(c, c->t.paths[e->parameter]);
    dl_put(c->print, ": %.1f %%\n", 100 * e->share);
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct dl_sweep_group *group = &e->groups[g];
        dl_put(c->print, "    ");
        const size_t start = c->print->out.len;
        put_z(c, group->from);
        if (strcmp(group->from, group->to) != 0) {
            dl_put(c->print, " to ");
            put_z(c, group->to);
        }
        dl_pad(c->print, start, 28);
        dl_put(c->print, "%6zu variants, mean ", group->n);
        dl_put_real(c->print, group->mean);
        dl_put(c->print, "\n");
    }
}

static void title(struct sweep_command *c, const char *before, const char *name,
                  const char *behind)
{
    dl_put(c->print, "\n");
    dl_color(c->print, DL_BOLD);
    dl_put(c->print, "%s %s%s", before, name, behind);
    dl_color(c->print, DL_PLAIN);
    dl_put(c->print, "\n");
}

static void put_text(struct sweep_command *c)
{
    const struct dfopt_sweep_table *t = &c->t;
    char second[80];
    put_z(c, c->job.args.file[0]);
    dl_put(c->print, ": %zu variants over %" PRId64 " findings, %zu parameter%s\n",
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
    put_z(c, "\nThe recording does not react to a variant's plans: the metrics "
             "tell how a\n"
             "policy acts on what was observed, not how fast the job would run. "
             "Outcomes of\n"
             "trials are the recording's own.\n");
}

/* ---- JSON ---- */

static void json_setting(struct dfopt_put *put, const char *name,
                         const char *setting)
{
    dfopt_put_key(put, name);
    dfopt_put_raw(put, setting); /* already JSON */
}

static void json_variant(struct sweep_command *c, size_t variant)
{
    const struct dfopt_sweep_table *t = &c->t;
    struct dfopt_put *put = &c->print->put;
    dfopt_put_next(put);
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "variant", variant);
    dfopt_put_key(put, "settings");
    dfopt_put_raw(put, "{");
    for (size_t p = 0; p < t->n_parameters; p++) {
        if (!*setting_of(c, variant, p))
            continue;
        dfopt_put_next(put);
        dfopt_put_z(put, t->paths[p]);
        dfopt_put_raw(put, ":");
        dfopt_put_raw(put, setting_of(c, variant, p));
    }
    dfopt_put_raw(put, "},\"metrics\":{");
    for (size_t m = 0; m < t->n_metrics; m++) {
        const double v = t->values[m * t->n + variant];
        dfopt_put_key(put, t->metrics[m].name);
        if (t->metrics[m].kind == DFOPT_SWEEP_COUNT)
            dl_put(c->print, "%.0f", v);
        else
            dfopt_put_finite(put, v);
    }
    dfopt_put_raw(put, "}}");
}

static void json_variants(struct sweep_command *c, const char *name,
                          const size_t *variants, size_t n)
{
    dfopt_put_key(&c->print->put, name);
    dfopt_put_raw(&c->print->put, "[");
    for (size_t i = 0; i < n; i++)
        json_variant(c, variants[i]);
    dfopt_put_raw(&c->print->put, "]");
}

static void json_effect(struct sweep_command *c, const struct dl_sweep_effect *e)
{
    struct dfopt_put *put = &c->print->put;
    dfopt_put_next(put);
    dfopt_put_raw(put, "{");
    dfopt_member_text(put, "parameter", c->t.paths[e->parameter]);
    dfopt_member_real(put, "share", e->share);
    dfopt_put_key(put, "groups");
    dfopt_put_raw(put, "[");
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct dl_sweep_group *group = &e->groups[g];
        dfopt_put_next(put);
        dfopt_put_raw(put, "{");
        json_setting(put, "from", group->from);
        json_setting(put, "to", group->to);
        dfopt_member_uint(put, "variants", group->n);
        dfopt_member_real(put, "mean", group->mean);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "]}");
}

static void put_json(struct sweep_command *c)
{
    const struct dfopt_sweep_table *t = &c->t;
    struct dfopt_put *put = &c->print->put;
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "variants", t->n);
    dfopt_member_int(put, "findings", t->findings);
    dfopt_member_text(put, "by", name_of(c, &c->by_aim));
    json_variants(c, "best", c->order, t->n < c->top ? t->n : (size_t)c->top);
    dfopt_put_key(put, "pareto_of");
    dfopt_put_raw(put, "[");
    dfopt_put_z(put, name_of(c, &c->first));
    dfopt_put_next(put);
    dfopt_put_z(put, name_of(c, &c->second));
    dfopt_put_raw(put, "]");
    json_variants(c, "pareto", c->front, c->n_front);
    dfopt_put_key(put, "effects");
    dfopt_put_raw(put, "[");
    for (size_t k = 0; k < t->n_parameters; k++)
        json_effect(c, &c->effects[k]);
    dfopt_put_raw(put, "]}\n");
}

/* ---- the command ---- */

static enum dfopt_err find_metric(struct sweep_command *c, const char *text,
                                  size_t len, struct dl_sweep_aim *out)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : 63), text);
    return dl_sweep_aim_find(&c->t, name, out)
               ? DFOPT_OK
               : dfopt_error_set(&c->job.err, DFOPT_ERR_ARG,
                                 "unknown metric '%s'; --json lists them all",
                                 name);
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
    c->order = dl_sweep_order(&c->t, &c->by_aim);
    c->front = dl_sweep_pareto(&c->t, &c->first, &c->second, &c->n_front);
    c->effects = dl_sweep_effects(&c->t, &c->by_aim);
    if (!c->order || !c->front || !c->effects)
        return DFOPT_ERR_NOMEM;
    if (c->job.args.json)
        put_json(c);
    else
        put_text(c);
    return DFOPT_OK;
}

static error_t take_pareto(struct argp_state *state, const char *text, void *into)
{
    if (!strchr(text, ',') || strchr(text, ',') != strrchr(text, ','))
        argp_error(state, "--pareto takes two metrics, as METRIC,METRIC");
    ((struct sweep_command *)into)->pareto = text;
    return 0;
}

#define NO_VARIANT UINT64_MAX

#define AT(member) DFOPT_OPTION_AT(struct sweep_command, member)

static const struct dfopt_option options[] = {
    {"by", DFOPT_OPTION_TEXT, "METRIC",
     "Rank variants by METRIC and show which parameters affect it (default "
     "unattended_severity); min:METRIC or max:METRIC sets the direction",
     AT(by)},
    {"top", DFOPT_OPTION_COUNT, "N", "Show the best N variants (default 10)",
     AT(top), .hi = UINT32_MAX},
    {"pareto", DFOPT_OPTION_CALL, "METRIC,METRIC",
     "Show the Pareto front of two metrics (default plans,unattended_severity)",
     .call = take_pareto},
    {"policy", DFOPT_OPTION_COUNT, "N",
     "Print only the policy of variant N, as a policy file", AT(policy),
     .hi = UINT32_MAX},
    {.name = NULL}};

int dl_sweep(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Show the results of a sweep: the best variants by a metric, the "
               "Pareto front of two metrics, and the effect of each parameter.\n"};
    struct sweep_command c = {.by = "unattended_severity",
                              .pareto = "plans,unattended_severity",
                              .top = 10,
                              .policy = NO_VARIANT,
                              .job = {.args = {.n_files = 1}}};
    dl_args_parse(&c.job.args, &command, &c, argc, argv);
    c.print = &c.job.print;
    dl_print_init(c.print, NULL, c.job.args.color);
    enum dfopt_err e = c.policy != NO_VARIANT
                           ? dfopt_sweep_policy_read(c.job.args.file[0], c.policy,
                                                     &c.print->out, &c.job.err)
                           : show(&c);
    dfopt_sweep_table_free(&c.t);
    free(c.order);
    free(c.front);
    free(c.effects);
    return dl_end(&c.job, e);
}
