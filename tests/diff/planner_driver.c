/* planner_driver LOG [--policy FILE] [--upstream] [--assumed] [--planners N]
 *                [--relay-hostname NAME]
 *
 * Decides an event log with the planner alone, or with N of them that share the
 * nodes, and prints what tests/spec/model.py --decisions --positions --outcomes
 * --state prints: one JSON object a line. Rows have value and threshold always, as
 * reals; null: nothing was compared. */
#include "codec/codec.h"
#include "policy/policy_json.h"
#include "json/write.h"
#include "planner/control.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

struct driver {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    struct dfopt_planner *planner[MOST];
    struct dfopt_decisions out[MOST];
    struct share {
        struct driver *d;
        uint32_t index;
    } share[MOST];
    uint32_t planners;
    uint64_t seq, events, plans;
    struct dfopt_buf line;
    struct dfopt_put put;
};

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "planner_driver: %s\n", what);
        exit(2);
    }
}

/* ---- output ---- */

static void raw(struct driver *d, const char *json)
{
    dfopt_put_raw(&d->put, json);
}

static void begin_line(struct driver *d)
{
    dfopt_buf_clear(&d->line);
    d->put = dfopt_put_start(&d->line, d->dict);
}

static void end_line(struct driver *d)
{
    raw(d, "}\n");
    must(dfopt_put_end(&d->put) == DFOPT_OK, "out of memory");
    fwrite(d->line.data, 1, d->line.len, stdout);
}

static void begin_event(struct driver *d)
{
    begin_line(d);
    raw(d, "{\"event\":");
    dfopt_put_int(&d->put, (int64_t)d->seq);
}

static void put_sym(struct driver *d, const char *key, dfopt_sym s)
{
    raw(d, key);
    if (s == DFOPT_SYM_NONE)
        raw(d, "null");
    else
        dfopt_put_sym(&d->put, s);
}

static void put_int(struct driver *d, const char *key, int64_t i)
{
    raw(d, key);
    dfopt_put_int(&d->put, i);
}

static void put_real(struct driver *d, const char *key, double x)
{
    raw(d, key);
    if (isnan(x))
        raw(d, "null");
    else
        dfopt_put_real(&d->put, x);
}

static void put_value(struct driver *d, const char *key, struct dfopt_value v)
{
    raw(d, key);
    dfopt_put_value(&d->put, v);
}

static void put_bool(struct driver *d, const char *key, bool b)
{
    raw(d, key);
    raw(d, b ? "true" : "false");
}

static void put_text(struct driver *d, const char *key, const char *text)
{
    raw(d, key);
    dfopt_put_text(&d->put, text, strlen(text));
}

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
    if (stream == DFOPT_STREAM_REGISTRATION) {
        begin_event(d);
        raw(d, ",\"error\":\"invalid_registration\"");
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

static void add(struct dfopt_buf *to, const struct dfopt_buf *from)
{
    must(dfopt_buf_add(to, from->data, from->len) == DFOPT_OK, "out of memory");
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

static void print_outcome(struct driver *d)
{
    const struct dfopt_decisions *all = &d->out[0];
    if (!all->acks.len && !all->relays.len)
        return;
    begin_event(d);
    if (all->acks.len)
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
    for (size_t i = 0; i < len; i++)
        sum += (unsigned char)text[i];
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

/* ---- the state ---- */

static const char *direction_name(uint32_t direction)
{
    return direction == DFOPT_MOVE_RELEASE ? "release"
           : direction == DFOPT_MOVE_TRADE ? "trade"
                                           : dfopt_direction_name(direction);
}

static dfopt_sym knob_name(const struct dfopt_planner *p, uint32_t knob)
{
    return p->registry.knobs[knob].id;
}

static void put_series(struct driver *d, const struct dfopt_series *r)
{
    raw(d, ",\"ring\":[");
    for (uint32_t i = 0; r && i < r->n; i++) {
        put_int(d, i ? ",[" : "[", r->window[i]);
        put_real(d, ",", r->value[i]);
        raw(d, "]");
    }
    raw(d, "],\"diffs\":[");
    for (uint32_t i = 0; r && i < r->n_diffs; i++)
        put_real(d, i ? "," : "", r->diff[i]);
    raw(d, "]");
}

static void put_adjustments(struct driver *d, const struct dfopt_planner *p,
                            const struct dfopt_site *s)
{
    raw(d, ",\"adjustments\":{");
    for (const struct dfopt_adjustment *a = s->first; a; a = a->next) {
        put_sym(d, a == s->first ? "" : ",", knob_name(p, a->knob));
        put_value(d, ":{\"base\":", a->base);
        put_value(d, ",\"prev\":", a->prev);
        put_value(d, ",\"delta\":", a->delta);
        put_bool(d, ",\"proven\":", a->proven);
        put_int(d, ",\"inconclusive\":", a->inconclusive);
        put_value(d, ",\"anchor\":", a->anchor);
        put_bool(d, ",\"hurt\":", a->hurt);
        raw(d, "}");
    }
    raw(d, "},\"backoffs\":[");
    const char *before = "[";
    for (const struct dfopt_adjustment *a = s->first; a; a = a->next)
        for (uint32_t i = 0; i < DFOPT_MOVE_COUNT; i++)
            if (a->failures[i]) {
                put_sym(d, before, knob_name(p, a->knob));
                put_text(d, ",", direction_name(i));
                put_int(d, ",", a->until[i]);
                put_int(d, ",", a->failures[i]);
                raw(d, "]");
                before = ",[";
            }
    raw(d, "]");
}

static void put_trial(struct driver *d, const struct dfopt_planner *p,
                      const struct dfopt_trial *t)
{
    static const char *const kinds[] = {"demand", "trade", "release", "rollback"};
    raw(d, ",\"trial\":");
    if (!t) {
        raw(d, "null");
        return;
    }
    put_text(d, "{\"kind\":", kinds[t->kind]);
    put_int(d, ",\"window\":", t->window);
    put_int(d, ",\"effect\":", t->effect);
    put_int(d, ",\"before\":", t->before);
    if (t->base_n) {
        put_real(d, ",\"base\":[", t->base);
        put_int(d, ",", t->base_n);
        raw(d, "]");
    } else {
        raw(d, ",\"base\":null");
    }
    put_int(d, ",\"seen\":", t->seen);
    put_int(d, ",\"last\":", t->last);
    raw(d, ",\"moves\":{");
    for (uint32_t i = 0; i < t->n_moves; i++) {
        const struct dfopt_move *m = &t->moves[i];
        put_sym(d, i ? "," : "", knob_name(p, m->knob));
        put_value(d, ":[", m->old);
        put_value(d, ",", m->new);
        put_bool(d, ",", m->answered);
        put_text(d, ",", direction_name(m->direction));
        raw(d, "]");
    }
    raw(d, "}}");
}

static void put_site(struct driver *d, const struct dfopt_planner *p, uint32_t node)
{
    const struct dfopt_site *s = p->slots.nodes[node].site;
    put_int(d, "{\"clock\":", s->clock);
    put_series(d, s->series);
    put_int(d, ",\"goal\":", s->goal);
    put_int(d, ",\"since\":", s->since);
    if (s->reference_n) {
        put_real(d, ",\"reference\":[", s->reference);
        put_int(d, ",", s->reference_n);
        raw(d, "]");
    } else {
        raw(d, ",\"reference\":null");
    }
    put_bool(d, ",\"isolate\":", s->isolate);
    put_int(d, ",\"rest\":", s->rest);
    raw(d, ",\"epoch_delay\":");
    if (s->epoch_delay < 0)
        raw(d, "null");
    else
        dfopt_put_int(&d->put, s->epoch_delay);
    raw(d, ",\"demand\":{");
    for (uint32_t i = 0; i < s->n_demand; i++) {
        put_sym(d, i ? "," : "", s->demand[i].tag);
        put_int(d, ":[", s->demand[i].first);
        put_int(d, ",", s->demand[i].last);
        raw(d, "]");
    }
    raw(d, "},\"views\":{");
    for (uint32_t i = 0; node == DFOPT_JOB_NODE && i < p->n_views; i++) {
        put_sym(d, i ? "," : "", p->views[i].type);
        put_int(d, ":", p->views[i].window);
    }
    raw(d, "}");
    put_adjustments(d, p, s);
    put_trial(d, p, s->trial);
    raw(d, "}");
}

static void put_sites(struct driver *d)
{
    const char *before = "";
    raw(d, ",\"sites\":{");
    for (uint32_t i = 0; i < d->planners; i++)
        for (uint32_t node = i ? 1 : 0; node < d->planner[i]->slots.n_nodes; node++)
            if (d->planner[i]->slots.nodes[node].site) {
                put_sym(d, before,
                        dfopt_slots_node_name(&d->planner[i]->slots, node));
                raw(d, ":");
                put_site(d, d->planner[i], node);
                before = ",";
            }
    raw(d, "}");
}

/* Whether all planners have the same state of the job's site. */
static bool jobs_agree(struct driver *d)
{
    struct dfopt_buf first = {0};
    bool agree = true;
    for (uint32_t i = 0; i < d->planners; i++) {
        if (!d->planner[i]->slots.nodes[DFOPT_JOB_NODE].site)
            continue;
        begin_line(d);
        put_site(d, d->planner[i], DFOPT_JOB_NODE);
        if (!first.len)
            add(&first, &d->line);
        agree &= first.len == d->line.len &&
                 memcmp(first.data, d->line.data, first.len) == 0;
    }
    dfopt_buf_free(&first);
    return agree;
}

static void print_final(struct driver *d)
{
    struct dfopt_buf rows = {0}, suppressions = {0};
    must(jobs_agree(d), "the planners' states of the job differ");
    for (uint32_t i = 0; i < d->planners; i++)
        must(dfopt_planner_state(d->planner[i], i == 0, &rows, &suppressions) ==
                 DFOPT_OK,
             "out of memory");
    begin_line(d);
    raw(d, "{\"final\":");
    must(dfopt_codec_state_json(
             d->dict, DFOPT_ROW(&rows, struct dfopt_state_row),
             DFOPT_ROWS(&rows, struct dfopt_state_row),
             DFOPT_ROW(&suppressions, struct dfopt_suppression_state),
             DFOPT_ROWS(&suppressions, struct dfopt_suppression_state),
             &d->line) == DFOPT_OK,
         "out of memory");
    if (d->policy.on.effect != DFOPT_EFFECT_SEVERITY) {
        d->line.len--; /* into the object */
        put_sites(d);
        raw(d, "}");
    }
    end_line(d);
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
}

/* ---- the program ---- */

static void read_policy(struct driver *d, const char *path)
{
    struct dfopt_buf text = {0};
    struct dfopt_error err = {0};
    char piece[4096];
    size_t n;
    FILE *in = fopen(path, "rb");
    must(in != NULL, "cannot open the policy");
    while ((n = fread(piece, 1, sizeof piece, in)) > 0)
        must(dfopt_buf_add(&text, piece, n) == DFOPT_OK, "out of memory");
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
    must(dfopt_codec_create(&d->codec, d->dict, NULL) == DFOPT_OK, "out of memory");
    dfopt_policy_preset(&d->policy, has(argc, argv, "--upstream")
                                        ? DFOPT_PRESET_UPSTREAM
                                        : DFOPT_PRESET_DEFAULT);
    if (policy)
        read_policy(d, policy);
    dfopt_codec_metrics(d->codec, &d->policy.metrics);
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
