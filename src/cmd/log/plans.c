/* dfopt-log plans: the plans of a run, one a line, and what became of them. */
#include "cmd/log/filter.h"
#include "cmd/log/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct answer { /* to a plan: of an ack, or of the time that has passed */
    uint64_t plan_id;
    uint32_t fate; /* enum dfopt_ack_outcome, or GIVEN_UP */
    uint32_t row;  /* the first of several answers counts */
};

#define GIVEN_UP UINT32_MAX

static int by_plan(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->plan_id != y->plan_id)
        return x->plan_id < y->plan_id ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Of a row of the kind; false: of no plan that was waited for. */
static bool answer_of(enum log_kind kind, const void *row, struct answer *answer)
{
    const struct dfopt_declog_ack_row *a = row;
    const struct dfopt_timeout_row *t = row;
    if (kind == LOG_TIMEOUT) {
        *answer = (struct answer){.plan_id = t->plan_id, .fate = GIVEN_UP};
        return true;
    }
    *answer = (struct answer){.plan_id = a->plan_id, .fate = a->outcome};
    return a->outcome != DFOPT_ACK_OUTCOME_UNMATCHED;
}

/* All answers by plan: 16 bytes each. */
static enum dfopt_err read_answers(struct log_job *j, struct dfopt_buf *answers)
{
    struct log_merge m;
    enum dfopt_err e = log_merge_init(
        &m, j->reader, LOG_KIND_BIT(LOG_ACK) | LOG_KIND_BIT(LOG_TIMEOUT), 0,
        &j->err);
    while (!e) {
        enum log_kind kind;
        const void *row;
        struct answer answer;
        e = log_merge_row(&m, &kind, &row, &j->err);
        if (e || !row)
            break;
        if (answer_of(kind, row, &answer)) {
            answer.row = (uint32_t)DFOPT_ROWS(answers, struct answer);
            e = dfopt_buf_add(answers, &answer, sizeof answer);
        }
        log_merge_step(&m, kind);
    }
    log_merge_free(&m);
    if (answers->len > 0)
        qsort(answers->data, DFOPT_ROWS(answers, struct answer),
              sizeof(struct answer), by_plan);
    return e;
}

/* What became of a plan: relayed, assumed, an ack's outcome, given up, waiting. */
static const char *fate_of(const struct log_job *j, const struct dfopt_buf *answers,
                           const struct dfopt_plan *p)
{
    const struct answer *a = DFOPT_ROW(answers, struct answer);
    size_t low = 0, high = DFOPT_ROWS(answers, struct answer), n = high;
    if (p->relay_id != DFOPT_SYM_NONE)
        return "relayed";
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a[middle].plan_id < p->plan_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < n && a[low].plan_id == p->plan_id)
        return a[low].fate == GIVEN_UP ? "given_up"
                                       : dfopt_ack_outcome_name(a[low].fate);
    return strcmp(j->run->acks_mode, "assumed") == 0 ? "assumed" : "waiting";
}

/* ---- one plan ---- */

static void put_cell_sym(struct log_print *p, dfopt_sym s, size_t width)
{
    size_t start = p->out.len;
    log_put_sym(p, s);
    log_pad(p, start, width);
}

static void plan_text(struct log_print *p, const struct dfopt_plan *plan,
                      const char *fate)
{
    char id[DFOPT_PLAN_ID_SIZE];
    size_t start = p->out.len;
    if (plan->relay_id != DFOPT_SYM_NONE) {
        log_put_sym(p, plan->relay_id);
    } else {
        dfopt_plan_id_text(plan->plan_id, id);
        log_put(p, "%s", id);
    }
    log_pad(p, start, DFOPT_PLAN_ID_SIZE - 1);
    log_put(p, "%6" PRId64 " ", plan->window);
    put_cell_sym(p, plan->knob, 20);
    start = p->out.len;
    log_put_value(p, plan->old_value);
    log_put(p, " -> ");
    log_put_value(p, plan->new_value);
    log_pad(p, start, 14);
    start = p->out.len;
    log_put_targets(p, plan);
    log_pad(p, start, 16);
    log_color(p, strcmp(fate, "rejected") == 0      ? LOG_RED
                 : fate[0] == 'w' || fate[0] == 'g' ? LOG_YELLOW
                                                    : LOG_GREEN);
    log_put(p, "%-9s", fate);
    log_color(p, LOG_PLAIN);
    log_put(p, " %5.3f ", plan->severity);
    log_put_sym(p, plan->tag);
    log_put(p, "\n");
}

static enum dfopt_err plan_json(struct log_job *j, const void *row,
                                const char *fate)
{
    enum dfopt_err e = log_row_json(&j->print, j->reader, &log_tables[LOG_PLAN],
                                    row, false, &j->err);
    if (!e && j->print.out.len >= 2) {
        j->print.out.len -= 2; /* "}\n" */
        log_put(&j->print, ",\"fate\":\"%s\"}\n", fate);
    }
    return e;
}

/* ---- the command ---- */

static bool wanted(const struct log_filter *f, const struct dfopt_dict *dict,
                   const struct dfopt_plan *p)
{
    return (f->knob_sym == DFOPT_SYM_NONE || p->knob == f->knob_sym) &&
           (f->tag_sym == DFOPT_SYM_NONE || p->tag == f->tag_sym) &&
           log_filter_window(f, p->window) && log_filter_plan(f, dict, p);
}

static enum dfopt_err print_plans(const struct log_filter *f, struct log_job *j)
{
    const struct log_table *t = &log_tables[LOG_PLAN];
    struct dfopt_buf answers = {0};
    struct dfopt_cursor c;
    const void *row = NULL;
    dfopt_cursor_init(&c, j->reader, t->table);
    enum dfopt_err e = read_answers(j, &answers);
    if (!e && !j->args.json) {
        log_color(&j->print, LOG_BOLD);
        log_put(&j->print, "%-21s %6s %-20s %-14s %-16s %-9s %5s %s\n", "plan",
                "window", "knob", "change", "on", "became", "sev.", "tag");
        log_color(&j->print, LOG_PLAIN);
    }
    while (!e && log_print_flush(&j->print, false)) {
        e = dfopt_cursor_row(&c, &row, &j->err);
        if (e || !row)
            break;
        const struct dfopt_plan *p =
            &((const struct dfopt_declog_plan_row *)row)->p;
        if (wanted(f, j->dict, p)) {
            const char *fate = fate_of(j, &answers, p);
            if (j->args.json)
                e = plan_json(j, row, fate);
            else
                plan_text(&j->print, p, fate);
        }
        c.next++;
    }
    dfopt_cursor_free(&c);
    dfopt_buf_free(&answers);
    return e;
}

static const struct argp_option options[] = {LOG_OPTION_KNOB,
                                             LOG_OPTION_NODE,
                                             LOG_OPTION_TAG,
                                             LOG_OPTION_WINDOW,
                                             {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    return log_filter_option(state->input, key, text, state);
}

int log_plans(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Lists the plans of a run, and what became of each.\v"
               "A plan became applied, rejected or cleared by its ack; waiting: "
               "there was none yet; given_up: none came in time; assumed: the run "
               "took it as applied; relayed: it "
               "is a global optimizer's.\n"};
    struct log_filter filter = {.knob = NULL};
    struct log_job job = {.args = {.n_files = 1}};
    log_args_parse(&job.args, &argp, &filter, argc, argv);
    if (!log_start(&job))
        return LOG_TROUBLE;
    enum dfopt_err e = log_filter_resolve(&filter, &job);
    return log_end(&job, e ? e : print_plans(&filter, &job));
}
