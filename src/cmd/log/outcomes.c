/* Rows of /outcomes, /acks and /timeouts, by plan. */
#include "cmd/log/outcomes.h"
#include "cmd/log/merge.h"
#include "cmd/log/switches.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *dl_end_name(uint32_t end)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        DL_END_LIST(NAME)
#undef NAME
    };
    return end < DL_ENDS ? names[end] : "?";
}

enum dl_color dl_end_color(enum dl_end_of end)
{
    return end == DL_END_KEPT ? DL_GREEN
           : end == DL_END_TAKEN_BACK || end == DL_END_REJECTED ||
                   end == DL_END_WITHDRAWN
               ? DL_RED
           : end == DL_END_OPEN || end == DL_END_UNANSWERED ? DL_YELLOW
                                                            : DL_PLAIN;
}

/* ---- reading ---- */

/* Both structs begin with the plan's id, and have its row. */
static int by_plan(uint64_t a, uint64_t b, uint32_t row_a, uint32_t row_b)
{
    if (a != b)
        return a < b ? -1 : 1;
    return (row_a > row_b) - (row_a < row_b);
}

static int order_answers(const void *a, const void *b)
{
    const struct dl_answer *x = a, *y = b;
    return by_plan(x->plan_id, y->plan_id, x->row, y->row);
}

static int order_outcomes(const void *a, const void *b)
{
    const struct dl_outcome *x = a, *y = b;
    return by_plan(x->plan_id, y->plan_id, x->row, y->row);
}

/* The rows of one trial are adjacent: same event, same site. */
struct reading {
    struct dl_outcomes *to;
    uint64_t seq;
    dfopt_sym node;
    size_t first; /* of this trial's rows */
};

static enum dfopt_err add_outcome(struct reading *in,
                                  const struct dfopt_declog_outcome_row *r)
{
    struct dfopt_buf *rows = &in->to->rows;
    const size_t n = DFOPT_ROWS(rows, struct dl_outcome);
    const bool alone = r->o.verdict == DFOPT_VERDICT_WITHDRAWN;
    const struct dl_outcome fresh = {
        .plan_id = r->o.plan_id,
        .window = r->o.window,
        .verdict = r->o.verdict,
        .row = (uint32_t)n,
        .moves = 1,
        .kept = r->o.kept != 0,
        .claim = {r->o.gain, r->standard_error, r->certain != 0}};
    enum dfopt_err e = dfopt_buf_add(rows, &fresh, sizeof fresh);
    if (e)
        return e;
    if (alone || n == 0 || r->o.seq != in->seq || r->o.node != in->node)
        in->first = n;
    in->seq = alone ? UINT64_MAX : r->o.seq;
    in->node = r->o.node;
    for (size_t i = in->first; i <= n; i++)
        DFOPT_ROW(rows, struct dl_outcome)[i].moves = (uint32_t)(n - in->first + 1);
    return DFOPT_OK;
}

static enum dfopt_err add_answer(struct dl_outcomes *o, uint64_t plan_id,
                                 uint32_t fate)
{
    const struct dl_answer a = {
        plan_id, fate, (uint32_t)DFOPT_ROWS(&o->answers, struct dl_answer)};
    return dfopt_buf_add(&o->answers, &a, sizeof a);
}

static enum dfopt_err see(void *arg, enum dl_kind kind, const void *row)
{
    struct reading *in = arg;
    struct dl_outcomes *o = in->to;
    const struct dfopt_declog_ack_row *a = row;
    const struct dfopt_timeout_row *t = row;
    if (kind == DL_TIMEOUT)
        return add_answer(o, t->plan_id, DL_GIVEN_UP);
    if (kind == DL_ACK) {
        const enum dfopt_err e = dl_processes_ack(&o->processes, a);
        return e || a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED
                   ? e
                   : add_answer(o, a->plan_id, a->outcome);
    }
    return add_outcome(in, row);
}

static void sort_rows(struct dl_outcomes *o)
{
    if (o->answers.len > 0)
        qsort(o->answers.data, DFOPT_ROWS(&o->answers, struct dl_answer),
              sizeof(struct dl_answer), order_answers);
    if (o->rows.len > 0)
        qsort(o->rows.data, DFOPT_ROWS(&o->rows, struct dl_outcome),
              sizeof(struct dl_outcome), order_outcomes);
}

enum dfopt_err dl_outcomes_read(struct dl_outcomes *o,
                                struct dfopt_declog_reader *r,
                                struct dfopt_error *err)
{
    const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
    struct reading in = {.to = o};
    struct dl_merge m;
    o->reader = r;
    o->processes.reader = r;
    struct dl_switches on;
    enum dfopt_err e = dl_switches_read(&on, run);
    if (e)
        return e;
    o->judged = run->format_version >= 3 && on.controls;
    o->assumed = strcmp(run->acks_mode, "assumed") == 0;
    e = dl_merge_init(&m, r,
                      DL_KIND_BIT(DL_ACK) | DL_KIND_BIT(DL_TIMEOUT) |
                          DL_KIND_BIT(DL_OUTCOME),
                      0, err);
    if (!e)
        e = dl_merge_each(&m, NULL, see, &in, err);
    dl_merge_free(&m);
    sort_rows(o);
    return e ? e : dl_processes_end(&o->processes);
}

void dl_outcomes_free(struct dl_outcomes *o)
{
    dfopt_buf_free(&o->answers);
    dfopt_buf_free(&o->rows);
    dl_processes_free(&o->processes);
}

/* ---- looking up ---- */

/* The first of a plan's rows; NULL: there is none. */
static const void *find(const struct dfopt_buf *rows, size_t size, uint64_t plan_id)
{
    const char *data = rows->data;
    size_t low = 0, n = rows->len / size, high = n;
    uint64_t id = 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        memcpy(&id, data + middle * size, sizeof id);
        if (id < plan_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n)
        return NULL;
    memcpy(&id, data + low * size, sizeof id);
    return id == plan_id ? data + low * size : NULL;
}

_Static_assert(offsetof(struct dl_answer, plan_id) == 0, "find() goes by it");
_Static_assert(offsetof(struct dl_outcome, plan_id) == 0, "find() goes by it");

const struct dl_outcome *dl_outcome_of(const struct dl_outcomes *o,
                                       uint64_t plan_id)
{
    return plan_id ? find(&o->rows, sizeof(struct dl_outcome), plan_id) : NULL;
}

const struct dl_answer *dl_answer_of(const struct dl_outcomes *o, uint64_t plan_id)
{
    return plan_id ? find(&o->answers, sizeof(struct dl_answer), plan_id) : NULL;
}

static bool begins(const char *text, uint64_t len, const char *begin)
{
    return len >= strlen(begin) && memcmp(text, begin, strlen(begin)) == 0;
}

enum dfopt_err dl_end_by_rationale(struct dfopt_declog_reader *r,
                                   struct dfopt_declog_text rationale,
                                   enum dl_end_of otherwise, enum dl_end_of *end,
                                   struct dfopt_error *err)
{
    const uint64_t len = rationale.end - rationale.start;
    const char *text = "";
    enum dfopt_err e =
        dfopt_declog_reader_text(r, DFOPT_POOL_RATIONALE, rationale, &text, err);
    if (e)
        return e;
    const bool operator= begins(text, len, "operator: set by ") ||
        begins(text, len, "operator: restored by ");
    *end = begins(text, len, "rollback: ") ? DL_END_ROLLBACK :
           operator                        ? DL_END_OPERATOR
                                           : otherwise;
    return DFOPT_OK;
}

enum dfopt_err dl_plan_end(const struct dl_outcomes *o,
                           const struct dfopt_declog_plan_row *plan,
                           enum dl_end_of *end, struct dfopt_error *err)
{
    const struct dl_outcome *row = dl_outcome_of(o, plan->p.plan_id);
    const struct dl_answer *answer = dl_answer_of(o, plan->p.plan_id);
    enum dfopt_err e = DFOPT_OK;
    *end = DL_END_NONE;
    if (!o->judged || plan->p.relay_id != DFOPT_SYM_NONE)
        return DFOPT_OK;
    if (answer && answer->fate == DFOPT_ACK_OUTCOME_REJECTED)
        *end = DL_END_REJECTED;
    else if (row)
        *end = row->verdict == DFOPT_VERDICT_WITHDRAWN ? DL_END_WITHDRAWN
               : row->kept                             ? DL_END_KEPT
                                                       : DL_END_TAKEN_BACK;
    else
        e = dl_end_by_rationale(
            o->reader, plan->rationale,
            answer || o->assumed ? DL_END_OPEN : DL_END_UNANSWERED, end, err);
    return e;
}

/* ---- counting ---- */

enum dfopt_err dl_tally_read(struct dl_tally *t, const struct dl_outcomes *o,
                             struct dfopt_error *err)
{
    struct dfopt_cursor c;
    const void *row = NULL;
    dfopt_cursor_init(&c, o->reader, DFOPT_TABLE_PLANS);
    enum dfopt_err e = dfopt_cursor_row(&c, &row, err);
    while (!e && row) {
        const struct dfopt_declog_plan_row *plan = row;
        const struct dl_outcome *r = dl_outcome_of(o, plan->p.plan_id);
        enum dl_end_of end;
        e = dl_plan_end(o, plan, &end, err);
        if (e)
            break;
        t->plans++;
        t->ends[end]++;
        if (end == DL_END_KEPT && r && r->claim.certain)
            (*(r->claim.gain > 0 ? &t->gains : &t->losses))++;
        c.next++;
        e = dfopt_cursor_row(&c, &row, err);
    }
    dfopt_cursor_free(&c);
    return e;
}

void dl_tally_json(struct dfopt_put *put, const struct dl_tally *t)
{
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "all", t->plans);
    for (uint32_t i = 0; i < DL_ENDS; i++)
        dfopt_member_uint(put, dl_end_name(i), t->ends[i]);
    dfopt_member_uint(put, "certain_gains", t->gains);
    dfopt_member_uint(put, "certain_losses", t->losses);
    dfopt_put_raw(put, "}");
}

/* ---- words ---- */

void dl_put_level(struct dl_print *p, double level)
{
    if (!isfinite(level))
        dl_put(p, "-");
    else if (fabs(level) >= 1000 && fabs(level) < 1e15)
        dl_put(p, "%.0f", level);
    else
        dl_put(p, "%.4g", level);
}

void dl_put_claim(struct dl_print *p, const struct dl_claim *c)
{
    const double gain = 100 * c->gain, twice = 200 * c->error;
    const bool known = isfinite(twice);
    const int digits = (known ? twice >= 2 : fabs(gain) >= 10) ? 0 : 1;
    if (fabs(gain) < (digits ? 0.05 : 0.5))
        dl_put(p, "0 %%"); /* not -0 */
    else
        dl_put(p, "%+.*f %%", digits, gain);
    if (known)
        dl_put(p, " +- %.*f %%", digits, twice);
    dl_put(p, c->certain ? ", certain" : ", effect not certain");
}

void dl_put_end(struct dl_print *p, enum dl_end_of end, const struct dl_outcome *o)
{
    const char *name = dl_end_name(end);
    for (; *name; name++)
        dl_put(p, "%c", *name == '_' ? ' ' : *name);
    if (!o || (end != DL_END_KEPT && end != DL_END_TAKEN_BACK))
        return;
    if (isfinite(o->claim.gain)) {
        dl_put(p, " ");
        dl_put_claim(p, &o->claim);
    } else if (o->verdict == DFOPT_VERDICT_VOID ||
               o->verdict == DFOPT_VERDICT_RESTART) {
        dl_put(p, ", not judged");
    } else if (o->verdict == DFOPT_VERDICT_GUARD) {
        dl_put(p, " by a guard");
    } else {
        dl_put(p, ", by findings: %s", dfopt_verdict_name(o->verdict));
    }
    if (o->moves > 1)
        dl_put(p, " (%" PRIu32 " knobs together)", o->moves);
}
