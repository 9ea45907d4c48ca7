/* planner_driver LOG [--policy FILE] [--upstream] [--assumed] [--planners N]
 *                [--relay-hostname NAME] [--claims]
 *
 * Decides an event log with the planner alone, or with N of them that share the
 * nodes, and prints what tests/spec/model.py --decisions --positions --outcomes
 * --state prints: one JSON object a line. Rows have value and threshold always, as
 * reals; null: nothing was compared. With --claims, a verdict by the objective also
 * has `certain`. */
#include "planner_driver.h"

#include "base/hostname.h"
#include "policy/policy_json.h"

static void print_row(struct driver *d, const struct dfopt_verdict_row *row,
                      const struct dfopt_outcome_row *judged)
{
    begin_event(d);
    put_sym(d, ",\"tag\":", row->tag);
    put_sym(d, ",\"knob_id\":", row->knob);
    put_sym(d, ",\"node\":", row->node);
    put_text(d, ",\"verdict\":", dfopt_verdict_name(row->verdict));
    put_real(d, ",\"value\":", row->value);
    put_real(d, ",\"threshold\":", row->threshold);
    if (judged && judged->base_n) {
        put_real(d, ",\"base\":", judged->base);
        put_int(d, ",\"base_n\":", judged->base_n);
        put_real(d, ",\"now\":", judged->now);
        put_int(d, ",\"now_n\":", judged->now_n);
        put_real(d, ",\"noise\":", judged->noise);
    }
    if (judged && judged->base_n && d->claims)
        put_bool(d, ",\"certain\":",
                 dfopt_outcome_claim(judged, d->policy.on.min_effect).certain);
    put_int(d, ",\"position\":", row->position);
    end_line(d);
}

static void print_withdrawn(struct driver *d, const struct dfopt_outcome_row *row)
{
    char id[DFOPT_PLAN_ID_SIZE];
    dfopt_plan_id_text(row->plan_id, id);
    begin_event(d);
    put_sym(d, ",\"tag\":null,\"knob_id\":", row->knob);
    put_sym(d, ",\"node\":", row->node);
    put_text(d, ",\"verdict\":\"withdrawn\",\"plan_id\":", id);
    put_int(d, ",\"position\":", DFOPT_POSITION_END);
    end_line(d);
}

static void print_plan(struct driver *d, const struct dfopt_plan *plan)
{
    const bool own = plan->relay_id == DFOPT_SYM_NONE;
    begin_event(d);
    if (own)
        put_int(d, ",\"position\":", plan->position);
    raw(d, own ? ",\"plan\":" : ",\"relay\":");
    must(dfopt_codec_plan_json(d->dict, plan, 0, &d->line) == DFOPT_OK,
         "out of memory");
    end_line(d);
    d->plans += own;
}

static void print_invalid(struct driver *d, uint32_t stream)
{
    const struct dfopt_verdict_row row = {.verdict = DFOPT_VERDICT_INVALID,
                                          .tag = DFOPT_SYM_NONE,
                                          .knob = DFOPT_SYM_NONE,
                                          .node = DFOPT_SYM_EMPTY,
                                          .value = NAN,
                                          .threshold = NAN};
    if (stream == DFOPT_STREAM_REGISTRATION || stream == DFOPT_STREAM_CONTROL) {
        begin_event(d);
        raw(d, stream == DFOPT_STREAM_CONTROL
                   ? ",\"error\":\"invalid_control\""
                   : ",\"error\":\"invalid_registration\"");
        end_line(d);
    } else if (stream != DFOPT_STREAM_OBJECTIVE ||
               d->policy.on.effect != DFOPT_EFFECT_SEVERITY) {
        print_row(d, &row, NULL);
    }
}

/* ---- the planners' decisions put together ---- */

#define BY(name, type, member)                                                     \
    static int name(const void *a, const void *b)                                  \
    {                                                                              \
        const type *x = a, *y = b;                                                 \
        return (x->member > y->member) - (x->member < y->member);                  \
    }

BY(by_verdict, struct dfopt_verdict_row, position)
BY(by_plan, struct dfopt_plan, position)

static int by_outcome(const void *a, const void *b)
{
    const struct dfopt_outcome_row *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return (x->plan_id > y->plan_id) - (x->plan_id < y->plan_id);
}

static void sort(struct dfopt_buf *rows, size_t size,
                 int (*compare)(const void *a, const void *b))
{
    if (rows->len)
        qsort(rows->data, rows->len / size, size, compare);
}

/* Into the decisions of the first planner. */
static void merge(struct driver *d)
{
    struct dfopt_decisions *all = &d->out[0];
    for (uint32_t i = 1; i < d->planners; i++) {
        add(&all->verdicts, &d->out[i].verdicts);
        if (!d->out[i].relays.len) /* they all relay the same plan */
            add(&all->plans, &d->out[i].plans);
        add(&all->outcomes, &d->out[i].outcomes);
        add(&all->acks, &d->out[i].acks);
        add(&all->commands, &d->out[i].commands);
    }
    if (d->planners == 1)
        return; /* in order already */
    sort(&all->verdicts, sizeof(struct dfopt_verdict_row), by_verdict);
    sort(&all->plans, sizeof(struct dfopt_plan), by_plan);
    sort(&all->outcomes, sizeof(struct dfopt_outcome_row), by_outcome);
}

/* An ack is what the planner says that knows its plan, or else the one that adopts
 * it. */
static uint32_t ack_outcome(const struct dfopt_decisions *all)
{
    const struct dfopt_ack_row *row =
        DFOPT_ROW(&all->acks, const struct dfopt_ack_row);
    uint32_t best = DFOPT_ACK_OUTCOME_UNMATCHED;
    for (size_t i = 0; i < DFOPT_ROWS(&all->acks, struct dfopt_ack_row); i++) {
        const uint32_t is = row[i].outcome;
        if (best == DFOPT_ACK_OUTCOME_UNMATCHED ||
            (best == DFOPT_ACK_OUTCOME_ADOPTED &&
             is != DFOPT_ACK_OUTCOME_UNMATCHED))
            best = is;
    }
    return best;
}

/* A command is what the planner says that it was for. */
static uint32_t command_outcome(const struct dfopt_decisions *all)
{
    const struct dfopt_command_row *row =
        DFOPT_ROW(&all->commands, const struct dfopt_command_row);
    uint32_t best = DFOPT_COMMAND_UNKNOWN_PLAN;
    for (size_t i = 0; i < DFOPT_ROWS(&all->commands, struct dfopt_command_row);
         i++)
        if (best == DFOPT_COMMAND_UNKNOWN_PLAN)
            best = row[i].outcome;
    return best;
}

static void print_outcome(struct driver *d)
{
    const struct dfopt_decisions *all = &d->out[0];
    if (!all->acks.len && !all->relays.len && !all->commands.len)
        return;
    begin_event(d);
    if (all->commands.len)
        put_text(d,
                 ",\"control\":", dfopt_command_outcome_name(command_outcome(all)));
    else if (all->acks.len)
        put_text(d, ",\"ack\":", dfopt_ack_outcome_name(ack_outcome(all)));
    else
        put_text(
            d, ",\"global_plan\":",
            dfopt_relay_outcome_name(
                DFOPT_ROW(&all->relays, const struct dfopt_relay_row)->outcome));
    end_line(d);
}

static void print_decisions(struct driver *d)
{
    struct dfopt_decisions *all = &d->out[0];
    merge(d);
    print_outcome(d);
    const struct dfopt_plan *plan = DFOPT_ROW(&all->plans, const struct dfopt_plan);
    for (size_t i = 0; i < DFOPT_ROWS(&all->plans, struct dfopt_plan); i++)
        print_plan(d, &plan[i]);
    const struct dfopt_verdict_row *row =
        DFOPT_ROW(&all->verdicts, const struct dfopt_verdict_row);
    const struct dfopt_outcome_row *outcome =
        DFOPT_ROW(&all->outcomes, const struct dfopt_outcome_row);
    const size_t n = DFOPT_ROWS(&all->outcomes, struct dfopt_outcome_row);
    size_t next = 0;
    for (size_t i = 0; i < DFOPT_ROWS(&all->verdicts, struct dfopt_verdict_row);
         i++) {
        must(i == 0 || row[i - 1].position < row[i].position,
             "two rows of one position");
        const bool has = next < n && outcome[next].position == row[i].position;
        must(!has || outcome[next].verdict == row[i].verdict,
             "an outcome that is not its verdict's");
        print_row(d, &row[i], has ? &outcome[next] : NULL);
        next += has;
    }
    for (; next < n; next++) {
        must(outcome[next].verdict == DFOPT_VERDICT_WITHDRAWN,
             "an outcome without a verdict");
        print_withdrawn(d, &outcome[next]);
    }
    for (uint32_t i = 0; i < d->planners; i++)
        dfopt_decisions_clear(&d->out[i]);
}

/* ---- events ---- */

static uint32_t owner_of(const struct driver *d, dfopt_sym node)
{
    size_t len;
    const char *text = dfopt_dict_text(d->dict, node, &len);
    uint32_t sum = 0;
    len = dfopt_hostname_label(text, len); /* all forms of a name have one owner */
    for (size_t i = 0; i < len; i++)
        sum += (unsigned char)dfopt_hostname_fold(text[i]);
    return sum % d->planners;
}

static bool owns(void *arg, dfopt_sym node)
{
    const struct share *s = arg;
    return owner_of(s->d, node) == s->index;
}

static enum dfopt_err decide_by(struct driver *d, uint32_t i,
                                const struct dfopt_event *e)
{
    struct dfopt_planner *p = d->planner[i];
    switch (e->stream) {
    case DFOPT_STREAM_REGISTRATION:
        return dfopt_planner_register(p, d->seq, &e->registration, &d->out[i]);
    case DFOPT_STREAM_ACK:
        return dfopt_planner_ack(p, d->seq, &e->ack, &d->out[i]);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return dfopt_planner_global_plan(p, d->seq, &e->global_plan, &d->out[i]);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_planner_objective(p, d->seq, &e->objective, &d->out[i]);
    case DFOPT_STREAM_CONTROL:
        return dfopt_planner_command(p, d->seq, &e->command, e->policy, &d->out[i]);
    default:
        return dfopt_planner_finding(p, d->seq, &e->finding, &d->out[i]);
    }
}

static void decide(struct driver *d, const struct dfopt_event *e)
{
    dfopt_sym node = DFOPT_SYM_EMPTY;
    if (e->stream == DFOPT_STREAM_OBJECTIVE)
        node = e->objective.node;
    else if (e->stream == DFOPT_STREAM_FINDING &&
             !dfopt_planner_concerns_job(d->planner[0], &e->finding))
        node = e->finding.node;
    if (d->policy.limits.given) /* which count the plans of all nodes */
        node = DFOPT_SYM_EMPTY;
    for (uint32_t i = 0; i < d->planners; i++)
        if (node == DFOPT_SYM_EMPTY || owner_of(d, node) == i)
            must(decide_by(d, i, e) == DFOPT_OK, "out of memory");
    print_decisions(d);
}

static void take_line(struct driver *d, const char *line, size_t len)
{
    struct dfopt_event event;
    struct dfopt_error why;
    enum dfopt_err e = dfopt_codec_decode(d->codec, -1, line, len, &event, &why);
    must(e != DFOPT_ERR_NOMEM, "out of memory");
    if (!e && event.stream == DFOPT_STREAM_REGISTRATION)
        e = dfopt_registration_check(&event.registration, &d->policy, &why);
    if (e)
        print_invalid(d, event.stream);
    else
        decide(d, &event);
    dfopt_event_clear(&event);
    d->seq++;
}

static bool is_blank(const char *line, size_t len)
{
    return strspn(line, " \t\r\n\v\f") >= len;
}

static void take_log(struct driver *d, const char *path)
{
    FILE *in = fopen(path, "rb");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    must(in != NULL, "cannot open the log");
    while ((len = getline(&line, &size, in)) >= 0)
        if (!is_blank(line, (size_t)len)) {
            len -= line[len - 1] == '\n';
            take_line(d, line, (size_t)len);
        }
    free(line);
    fclose(in);
}

/* ---- the program ---- */

static void read_policy(struct driver *d, const char *path)
{
    struct dfopt_buf text = {0};
    struct dfopt_error err = {0};
    char some[4096];
    size_t n;
    FILE *in = fopen(path, "rb");
    must(in != NULL, "cannot open the policy");
    while ((n = fread(some, 1, sizeof some, in)) > 0)
        must(dfopt_buf_add(&text, some, n) == DFOPT_OK, "out of memory");
    fclose(in);
    must(dfopt_policy_read(d->dict, text.data, text.len, &d->policy, &err) ==
             DFOPT_OK,
         err.text);
    dfopt_buf_free(&text);
}

static const char *value_of(int argc, char **argv, const char *option)
{
    for (int i = 2; i + 1 < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return NULL;
}

static bool has(int argc, char **argv, const char *option)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

static void start(struct driver *d, int argc, char **argv)
{
    const char *policy = value_of(argc, argv, "--policy");
    const char *planners = value_of(argc, argv, "--planners");
    const char *host = value_of(argc, argv, "--relay-hostname");
    must(dfopt_dict_create(&d->dict, false) == DFOPT_OK, "out of memory");
    const struct dfopt_codec_limits limits = {
        .preset = has(argc, argv, "--upstream") ? DFOPT_PRESET_UPSTREAM
                                                : DFOPT_PRESET_DEFAULT};
    must(dfopt_codec_create(&d->codec, d->dict, &limits) == DFOPT_OK,
         "out of memory");
    dfopt_policy_preset(&d->policy, (enum dfopt_preset)limits.preset);
    if (policy)
        read_policy(d, policy);
    dfopt_codec_metrics(d->codec, &d->policy.metrics);
    d->claims = has(argc, argv, "--claims");
    d->planners = planners ? (uint32_t)atoi(planners) : 1;
    must(d->planners >= 1 && d->planners <= MOST, "--planners is out of range");
    for (uint32_t i = 0; i < d->planners; i++) {
        d->share[i] = (struct share){d, i};
        const struct dfopt_planner_config config = {
            .policy = &d->policy,
            .assumed_acks = has(argc, argv, "--assumed"),
            .relay_hostname =
                host ? dfopt_dict_intern_z(d->dict, host) : DFOPT_SYM_EMPTY,
            .owns = d->planners > 1 ? owns : NULL,
            .owns_arg = &d->share[i],
            .silent_job = i > 0};
        must(dfopt_planner_create(&d->planner[i], d->dict, &config) == DFOPT_OK,
             "out of memory");
    }
}

int main(int argc, char **argv)
{
    static struct driver d;
    must(argc > 1, "usage: planner_driver LOG [options]");
    start(&d, argc, argv);
    take_log(&d, argv[1]);
    print_final(&d);
    fprintf(stderr, "events=%llu plans=%llu\n", (unsigned long long)d.seq,
            (unsigned long long)d.plans);
    for (uint32_t i = 0; i < d.planners; i++) {
        dfopt_planner_destroy(d.planner[i]);
        dfopt_decisions_free(&d.out[i]);
    }
    dfopt_buf_free(&d.line);
    dfopt_policy_clear(&d.policy);
    dfopt_codec_destroy(d.codec);
    dfopt_dict_destroy(d.dict);
    return 0;
}
