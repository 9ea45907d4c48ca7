/* dfopt-log summary: gathers what a log says of a run (log_gather.c) and puts
 * it on one screen, or into one JSON object. */
#include "cli/log_args.h"
#include "cli/log_gather.h"
#include "codec/codec.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a verdict means, in a few words. */
static const char *const meanings[DFOPT_VERDICT_COUNT] = {
    [DFOPT_VERDICT_INVALID] = "the record could not be used",
    [DFOPT_VERDICT_TREND] = "the finding is improving already",
    [DFOPT_VERDICT_NO_KNOBS] = "no knob is registered",
    [DFOPT_VERDICT_SUPPRESSED] = "a global finding suppresses the tag",
    [DFOPT_VERDICT_NO_RESPONSE] = "no knob answers to the tag",
    [DFOPT_VERDICT_PENDING] = "a plan is waiting for its acknowledgement",
    [DFOPT_VERDICT_SEVERITY] = "not severe enough",
    [DFOPT_VERDICT_PERSISTENCE] = "not persistent enough",
    [DFOPT_VERDICT_COOLDOWN_TIME] = "too soon after the last action",
    [DFOPT_VERDICT_COOLDOWN_INEFFECTIVE] = "the last action has not helped enough",
    [DFOPT_VERDICT_UNSUPPORTED] = "the step cannot be computed",
    [DFOPT_VERDICT_NO_EVIDENCE] = "the metrics for the step are missing",
    [DFOPT_VERDICT_NO_CHANGE] = "the step changes nothing",
    [DFOPT_VERDICT_PLANNED] = "a plan was made",
};

#define SCREEN_KNOBS 12 /* lines of the text form; the JSON form has all */
#define LAST_PLANS   5

struct summary {
    const char *path;
    struct dfopt_declog_reader *reader;
    const struct dfopt_declog_run *run;
    const struct dfopt_dict *dict;
    struct log_facts facts;
    struct dfopt_declog_plan_row plans[LAST_PLANS]; /* the last ones */
    size_t n_plans;
    struct dfopt_buf out;
    enum dfopt_err e; /* the first failure of an append */
};

/* Appends; failures are kept in s->e, and looked at once, at the end. */
#define PUT(s, ...)                                                                \
    do {                                                                           \
        if (!(s)->e)                                                               \
            (s)->e = dfopt_buf_printf(&(s)->out, __VA_ARGS__);                     \
    } while (0)

static void put_value(struct summary *s, struct dfopt_value v)
{
    if (!s->e)
        s->e = dfopt_codec_value_json(s->dict, v, &s->out);
}

static void put_sym(struct summary *s, dfopt_sym sym)
{
    if (!s->e)
        s->e = log_json_sym(s->dict, sym, &s->out);
}

static void put_text(struct summary *s, const char *text)
{
    if (!s->e)
        s->e = log_json_text(text, &s->out);
}

static void put_real(struct summary *s, double d)
{
    if (!s->e)
        s->e = log_json_real(d, &s->out);
}

/* A value, cut or filled to a width. */
static void put_value_column(struct summary *s, struct dfopt_value v, int width)
{
    struct dfopt_buf text = {0};
    if (!s->e && v.kind == DFOPT_KIND_NULL)
        s->e = dfopt_buf_add(&text, "-", 1);
    else if (!s->e)
        s->e = dfopt_codec_value_json(s->dict, v, &text);
    if (!s->e)
        PUT(s, "%-*.*s ", width, text.len < (size_t)width ? (int)text.len : width,
            text.data);
    dfopt_buf_free(&text);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t rows(const struct summary *s, enum dfopt_declog_table t)
{
    return dfopt_declog_reader_rows(s->reader, t);
}

static uint64_t all_verdicts(const struct summary *s)
{
    return rows(s, DFOPT_TABLE_VERDICTS);
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

/* ---- for a person ---- */

static void run_text(struct summary *s)
{
    const struct dfopt_declog_run *run = s->run;
    PUT(s, "Decision log  %s\n", s->path);
    PUT(s, "  %s; created %s; run %s\n",
        run->complete ? "complete"
                      : "NOT complete: being written, or stopped short",
        run->created, or_dash(run->run_id));
    PUT(s, "  dfopt-mpi %s, HDF5 %s, %" PRId64 " ranks, transport %s\n",
        or_dash(run->program_version), run->hdf5_version, run->ranks,
        or_dash(run->transport));
    PUT(s, "  preset %s, acks %s, detail %s\n", or_dash(run->preset),
        or_dash(run->acks_mode), run->detail);
}

static void counts_text(struct summary *s)
{
    PUT(s,
        "\nEvents        %" PRIu64 " (findings %" PRIu64 ", rejects %" PRIu64
        ", registrations %" PRIu64 ", acks %" PRIu64 ", global plans %" PRIu64
        ")\n",
        s->run->last.at.next_seq, rows(s, DFOPT_TABLE_FINDINGS),
        rows(s, DFOPT_TABLE_REJECTS), rows(s, DFOPT_TABLE_REGISTRATIONS),
        rows(s, DFOPT_TABLE_ACKS), rows(s, DFOPT_TABLE_GLOBAL_PLANS));
    if (rows(s, DFOPT_TABLE_ACKS) > 0) {
        PUT(s, "  acks       ");
        for (uint32_t i = 0; i < LOG_ACK_OUTCOMES; i++)
            PUT(s, "  %s %" PRIu64, dfopt_ack_outcome_name(i), s->facts.acks[i]);
        PUT(s, "\n");
    }
    if (rows(s, DFOPT_TABLE_GLOBAL_PLANS) > 0) {
        PUT(s, "  global plans");
        for (uint32_t i = 0; i < LOG_RELAY_OUTCOMES; i++)
            if (s->facts.relays[i] > 0)
                PUT(s, "  %s %" PRIu64, dfopt_relay_outcome_name(i),
                    s->facts.relays[i]);
        PUT(s, "\n");
    }
}

static void verdicts_text(struct summary *s)
{
    uint64_t all = all_verdicts(s);
    PUT(s, "\nVerdicts      %" PRIu64 "\n", all);
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        if (s->facts.verdicts[v] > 0)
            PUT(s, "  %-21s %10" PRIu64 " %5.1f%%  %s\n", dfopt_verdict_name(v),
                s->facts.verdicts[v], share(s->facts.verdicts[v], all),
                meanings[v]);
    if (all == 0 && strcmp(s->run->detail, "plans") == 0)
        PUT(s, "  (not kept: detail is plans)\n");
}

static void knobs_text(struct summary *s)
{
    size_t n = s->facts.n_knobs;
    PUT(s, "\nKnobs         %zu\n", n);
    if (n == 0)
        return;
    PUT(s, "  %-26s %-10s %-10s %-17s %7s %7s %7s\n", "knob", "first", "last",
        "range", "up", "down", "other");
    for (size_t i = 0; i < n && i < SCREEN_KNOBS; i++) {
        const struct log_knob *k = &s->facts.knobs[i];
        char range[64] = "-";
        if (k->low <= k->high)
            snprintf(range, sizeof range, "%g .. %g", k->low, k->high);
        PUT(s, "  %-26s ", dfopt_dict_text(s->dict, k->knob, NULL));
        put_value_column(s, k->first, 10);
        put_value_column(s, k->last, 10);
        PUT(s, "%-17s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", range, k->up,
            k->down, k->other);
    }
    if (n > SCREEN_KNOBS)
        PUT(s, "  ... and %zu more (--json has all)\n", n - SCREEN_KNOBS);
}

/* The verdicts that kept a knob from moving, the most frequent first. */
static size_t reasons_of(const struct log_knob *k,
                         uint32_t order[DFOPT_VERDICT_COUNT])
{
    size_t n = 0;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++) {
        if (v == DFOPT_VERDICT_PLANNED || k->verdicts[v] == 0)
            continue;
        size_t at = n++;
        for (; at > 0 && k->verdicts[order[at - 1]] < k->verdicts[v]; at--)
            order[at] = order[at - 1];
        order[at] = v;
    }
    return n;
}

static void reasons_text(struct summary *s)
{
    bool any = false;
    for (size_t i = 0; i < s->facts.n_knobs && i < SCREEN_KNOBS; i++) {
        uint32_t order[DFOPT_VERDICT_COUNT];
        size_t n = reasons_of(&s->facts.knobs[i], order);
        if (n == 0)
            continue;
        if (!any)
            PUT(s, "\nWhy knobs did not move\n");
        any = true;
        PUT(s, "  %-26s", dfopt_dict_text(s->dict, s->facts.knobs[i].knob, NULL));
        for (size_t j = 0; j < n; j++)
            PUT(s, "%s%s %" PRIu64, j ? ", " : " ", dfopt_verdict_name(order[j]),
                s->facts.knobs[i].verdicts[order[j]]);
        PUT(s, "\n");
    }
}

static const char *plan_id_of(const struct summary *s, const struct dfopt_plan *p,
                              char text[DFOPT_PLAN_ID_SIZE])
{
    if (p->relay_id != DFOPT_SYM_NONE)
        return dfopt_dict_text(s->dict, p->relay_id, NULL);
    dfopt_plan_id_text(p->plan_id, text);
    return text;
}

static enum dfopt_err rationale_of(struct summary *s, size_t i, const char **text,
                                   size_t *len, struct dfopt_error *err)
{
    struct dfopt_declog_text at = s->plans[i].rationale;
    *len = (size_t)(at.end - at.start);
    return dfopt_declog_reader_text(s->reader, DFOPT_POOL_RATIONALE, at, text, err);
}

static enum dfopt_err plans_text(struct summary *s, struct dfopt_error *err)
{
    PUT(s, "\nPlans         %" PRIu64 "%s\n", rows(s, DFOPT_TABLE_PLANS),
        s->n_plans ? "; the last of them:" : "");
    for (size_t i = 0; i < s->n_plans; i++) {
        const struct dfopt_plan *p = &s->plans[i].p;
        char id[DFOPT_PLAN_ID_SIZE];
        const char *text, *node = dfopt_dict_text(s->dict, p->node, NULL);
        size_t len;
        enum dfopt_err e = rationale_of(s, i, &text, &len, err);
        if (e)
            return e;
        PUT(s, "  %s  %s ", plan_id_of(s, p, id),
            dfopt_dict_text(s->dict, p->knob, NULL));
        put_value(s, p->old_value);
        PUT(s, " -> ");
        put_value(s, p->new_value);
        PUT(s, " on %s\n    %.*s\n", *node ? node : "the whole job", (int)len,
            text);
    }
    return s->e;
}

/* ---- for a program ---- */

static void run_json(struct summary *s)
{
    const struct dfopt_declog_run *run = s->run;
    const struct {
        const char *name, *text;
    } texts[] = {{"file", s->path},
                 {"created", run->created},
                 {"hdf5_version", run->hdf5_version},
                 {"detail", run->detail},
                 {"program_version", run->program_version},
                 {"mpi_library", run->mpi_library},
                 {"transport", run->transport},
                 {"command_line", run->command_line},
                 {"preset", run->preset},
                 {"acks_mode", run->acks_mode},
                 {"run_id", run->run_id}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        PUT(s, "%s\"%s\":", i ? "," : "{", texts[i].name);
        put_text(s, texts[i].text);
    }
    PUT(s,
        ",\"format_version\":%" PRId64 ",\"ranks\":%" PRId64
        ",\"complete\":%s,\"commits\":%" PRIu64 ",\"events\":%" PRIu64,
        run->format_version, run->ranks, run->complete ? "true" : "false",
        run->commits, run->last.at.next_seq);
}

/* ,"name":{"of 0":n, ...} */
static void counts_json(struct summary *s, const char *name, const uint64_t *counts,
                        uint32_t n, const char *(*name_of)(uint32_t))
{
    PUT(s, ",\"%s\":{", name);
    for (uint32_t i = 0; i < n; i++)
        PUT(s, "%s\"%s\":%" PRIu64, i ? "," : "", name_of(i), counts[i]);
    PUT(s, "}");
}

static void knobs_json(struct summary *s)
{
    PUT(s, ",\"knobs\":[");
    for (size_t i = 0; i < s->facts.n_knobs; i++) {
        const struct log_knob *k = &s->facts.knobs[i];
        bool seen = k->low <= k->high;
        PUT(s, "%s{\"knob\":", i ? "," : "");
        put_sym(s, k->knob);
        PUT(s, ",\"first\":");
        put_value(s, k->first);
        PUT(s, ",\"last\":");
        put_value(s, k->last);
        PUT(s, ",\"lowest\":");
        put_real(s, seen ? k->low : NAN);
        PUT(s, ",\"highest\":");
        put_real(s, seen ? k->high : NAN);
        PUT(s, ",\"up\":%" PRIu64 ",\"down\":%" PRIu64 ",\"other\":%" PRIu64, k->up,
            k->down, k->other);
        counts_json(s, "verdicts", k->verdicts, DFOPT_VERDICT_COUNT,
                    dfopt_verdict_name);
        PUT(s, "}");
    }
    PUT(s, "]");
}

static enum dfopt_err plans_json(struct summary *s, struct dfopt_error *err)
{
    PUT(s, ",\"last_plans\":[");
    for (size_t i = 0; i < s->n_plans; i++) {
        const struct dfopt_plan *p = &s->plans[i].p;
        char id[DFOPT_PLAN_ID_SIZE];
        const char *text;
        size_t len;
        enum dfopt_err e = rationale_of(s, i, &text, &len, err);
        if (e)
            return e;
        PUT(s, "%s{\"seq\":%" PRIu64 ",\"plan_id\":", i ? "," : "", p->seq);
        put_text(s, plan_id_of(s, p, id));
        PUT(s, ",\"knob\":");
        put_sym(s, p->knob);
        PUT(s, ",\"node\":");
        put_sym(s, p->node);
        PUT(s, ",\"old\":");
        put_value(s, p->old_value);
        PUT(s, ",\"new\":");
        put_value(s, p->new_value);
        PUT(s, ",\"rationale\":");
        if (!s->e)
            s->e = dfopt_codec_text_json(text, len, &s->out);
        PUT(s, "}");
    }
    PUT(s, "]");
    return s->e;
}

static enum dfopt_err all_json(struct summary *s, struct dfopt_error *err)
{
    run_json(s);
    PUT(s,
        ",\"findings\":%" PRIu64 ",\"rejects\":%" PRIu64
        ",\"registrations\":%" PRIu64 ",\"plans\":%" PRIu64
        ",\"suppressions\":%" PRIu64,
        rows(s, DFOPT_TABLE_FINDINGS), rows(s, DFOPT_TABLE_REJECTS),
        rows(s, DFOPT_TABLE_REGISTRATIONS), rows(s, DFOPT_TABLE_PLANS),
        rows(s, DFOPT_TABLE_SUPPRESSIONS));
    counts_json(s, "acks", s->facts.acks, LOG_ACK_OUTCOMES, dfopt_ack_outcome_name);
    counts_json(s, "global_plans", s->facts.relays, LOG_RELAY_OUTCOMES,
                dfopt_relay_outcome_name);
    counts_json(s, "verdicts", s->facts.verdicts, DFOPT_VERDICT_COUNT,
                dfopt_verdict_name);
    knobs_json(s);
    enum dfopt_err e = plans_json(s, err);
    PUT(s, "}\n");
    return e;
}

static enum dfopt_err all_text(struct summary *s, struct dfopt_error *err)
{
    run_text(s);
    counts_text(s);
    verdicts_text(s);
    knobs_text(s);
    reasons_text(s);
    return plans_text(s, err);
}

/* ---- the command ---- */

static enum dfopt_err read_last_plans(struct summary *s, struct dfopt_error *err)
{
    uint64_t n = rows(s, DFOPT_TABLE_PLANS);
    s->n_plans = n < LAST_PLANS ? (size_t)n : LAST_PLANS;
    return dfopt_declog_reader_read(s->reader, DFOPT_TABLE_PLANS, n - s->n_plans,
                                    s->n_plans, s->plans, err);
}

int log_summary(int argc, char **argv)
{
    static const struct argp argp = {
        .args_doc = "FILE",
        .doc = "Tells on one screen what a run decided, and why."};
    struct summary s = {.path = NULL};
    struct dfopt_error err = {.code = DFOPT_OK};
    struct log_args args = {.n_files = 1};
    log_args_parse(&args, &argp, NULL, argc, argv);
    s.path = args.file[0];
    s.reader = log_open(s.path);
    if (!s.reader)
        return LOG_TROUBLE;
    s.run = dfopt_declog_reader_run(s.reader);
    s.dict = dfopt_declog_reader_dict(s.reader);
    enum dfopt_err e = log_gather(s.reader, &s.facts, &err);
    if (!e)
        e = read_last_plans(&s, &err);
    if (!e)
        e = args.json ? all_json(&s, &err) : all_text(&s, &err);
    if (!e)
        e = s.e;
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&err, e, "%s: out of memory", s.path);
    int status = e ? log_trouble(&err)
                   : (log_write(&s.out) == LOG_OUT_FAILED ? LOG_TROUBLE : LOG_OK);
    log_facts_free(&s.facts);
    dfopt_buf_free(&s.out);
    dfopt_declog_reader_close(s.reader);
    return status;
}
