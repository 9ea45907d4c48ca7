/* dfopt-log follow: prints a running job's decisions as its log is committed. */
#include "cmd/log/common.h"
#include "cmd/log/merge.h"
#include "declog/liveness.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FOLLOW_COMPLETE = 0, FOLLOW_TROUBLE = 1, FOLLOW_ENDED = 2 };

#define POLL_MS    200
#define QUIET_MS   1000 /* without a commit, before checking on the writer */
#define TRIES      10   /* retries: reading during a write may fail briefly */
#define LINES      10
#define IDLE_MAX_S (INT64_C(86400) * 365)

struct follow {
    struct dl_job job;
    bool verdicts;
    uint64_t lines;
    double idle_timeout; /* seconds; 0: none */
    struct dl_merge merge;
    int64_t last_ms; /* when the last commit was seen */
    int failures;    /* consecutive */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one row ---- */

static void put_on(struct dl_print *p, dfopt_sym node)
{
    dl_put(p, " on ");
    if (node == DFOPT_SYM_EMPTY)
        dl_put(p, "the whole job");
    else
        dl_put_sym(p, node);
}

static void plan_text(struct dl_print *p, const struct dfopt_plan *plan)
{
    dl_color(p, DL_GREEN);
    dl_put(p, "plan");
    dl_color(p, DL_PLAIN);
    dl_put(p, "     window %" PRId64 ": ", plan->window);
    dl_put_sym(p, plan->knob);
    dl_put(p, " ");
    dl_put_change(p, plan);
    dl_put(p, " on ");
    dl_put_targets(p, plan);
    dl_put(p, " for ");
    dl_put_sym(p, plan->finding_type);
    dl_put(p, " of severity %.3f, ", plan->severity);
    if (plan->relay_id != DFOPT_SYM_NONE)
        dl_put_sym(p, plan->relay_id);
    else
        dl_put_plan_id(p, plan->plan_id);
    dl_put(p, "\n");
}

/* An ack that matches no plan has only the id that it gave. */
static void put_unmatched(struct follow *f, const struct dfopt_declog_ack_row *a)
{
    struct dl_print *p = &f->job.print;
    const char *id = "";
    const size_t len = (size_t)(a->given_plan_id.end - a->given_plan_id.start);
    if (dfopt_declog_reader_text(f->job.reader, DFOPT_POOL_PLAN_ID,
                                 a->given_plan_id, &id, &f->job.err))
        return;
    dl_put_sym(p, a->knob);
    dl_put(p, ", ");
    dl_put_bytes(p, len ? id : "no id", len ? len : strlen("no id"));
    dl_put(p, ": no such plan in flight\n");
}

static void ack_text(struct follow *f, const struct dfopt_declog_ack_row *a)
{
    struct dl_print *p = &f->job.print;
    dl_color(p, a->outcome == DFOPT_ACK_OUTCOME_APPLIED ? DL_GREEN : DL_YELLOW);
    dl_put(p, "ack");
    dl_color(p, DL_PLAIN);
    dl_put(p, "      %s: ", dfopt_ack_outcome_name(a->outcome));
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED) {
        put_unmatched(f, a);
        return;
    }
    dl_put_sym(p, a->knob);
    put_on(p, a->node);
    dl_put(p, " is ");
    dl_put_value(p, a->value);
    dl_put(p, ", ");
    dl_put_plan_id(p, a->plan_id);
    dl_put(p, "\n");
}

static void verdict_text(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    dl_put(p, "verdict  %s", dfopt_verdict_name(v->verdict));
    if (v->knob != DFOPT_SYM_NONE) {
        dl_put(p, " ");
        dl_put_sym(p, v->knob);
        put_on(p, v->node);
    }
    if (v->tag != DFOPT_SYM_NONE) {
        dl_put(p, " for ");
        dl_put_sym(p, v->tag);
    }
    dl_put(p, ": ");
    dl_put_real(p, v->value);
    dl_put(p, " against ");
    dl_put_real(p, v->threshold);
    dl_put(p, ", event %" PRIu64 "\n", v->seq);
}

static enum dfopt_err put_row(void *arg, enum dl_kind kind, const void *row)
{
    struct follow *f = arg;
    struct dl_print *p = &f->job.print;
    if (f->job.args.json)
        return dl_row_json(p, f->job.reader, &dl_tables[kind], row, true,
                           &f->job.err);
    if (kind == DL_PLAN)
        plan_text(p, &((const struct dfopt_declog_plan_row *)row)->p);
    else if (kind == DL_ACK)
        ack_text(f, row);
    else
        verdict_text(p, row);
    return DFOPT_OK;
}

/* ---- following ---- */

/* Prints the committed rows of complete events. */
static enum dfopt_err print_new(struct follow *f)
{
    uint64_t next = f->job.run->last.at.next_seq;
    f->merge.to = next - 1;
    if (next > 0) {
        enum dfopt_err e =
            dl_merge_each(&f->merge, &f->job.print, put_row, f, &f->job.err);
        if (e)
            return e;
    }
    dl_print_flush(&f->job.print, true);
    return f->job.print.put.e;
}

/* Looks for new commits and prints them. */
static enum dfopt_err look(struct follow *f)
{
    uint64_t before = f->job.run->commits;
    enum dfopt_err e = dfopt_declog_reader_refresh(f->job.reader, &f->job.err);
    if (!e)
        e = print_new(f);
    if (f->job.run->commits != before)
        f->last_ms = now_ms();
    f->failures = e ? f->failures + 1 : 0;
    return e && e != DFOPT_ERR_NOMEM && f->failures < TRIES ? DFOPT_OK : e;
}

/* Whether stdout's reader is gone; a write alone would notice late. */
static bool wait_a_moment(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, POLL_MS) > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

/* Returns why nothing more will come; NULL: more may. */
static const char *ended(struct follow *f)
{
    int64_t quiet_ms = now_ms() - f->last_ms;
    if (!f->job.run->live)
        return "closed before the end of the run";
    if (f->idle_timeout > 0 && (double)quiet_ms >= 1000 * f->idle_timeout)
        return "no commit within --idle-timeout";
    if (quiet_ms >= QUIET_MS &&
        dfopt_declog_writer(f->job.reader) == DFOPT_WRITER_NONE)
        return "its writer is gone without closing it, probably killed";
    return NULL;
}

static enum dfopt_err follow(struct follow *f, const char **why)
{
    enum dfopt_err e = print_new(f);
    while (!e && !f->job.run->complete && !f->job.print.left &&
           !f->job.print.failed) {
        *why = ended(f);
        if (*why) /* it may have been closed meanwhile */
            return f->job.run->live ? look(f) : DFOPT_OK;
        if (wait_a_moment())
            break;
        e = look(f);
    }
    return e;
}

/* The event of the first plan to show. */
static enum dfopt_err first_event(struct follow *f, uint64_t *seq)
{
    uint64_t n = dfopt_declog_reader_rows(f->job.reader, DFOPT_TABLE_PLANS);
    struct dfopt_declog_plan_row row = {.p = {.seq = 0}};
    *seq = f->lines < n || f->lines == 0 ? f->job.run->last.at.next_seq : 0;
    if (f->lines == 0 || f->lines >= n)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_declog_reader_read(f->job.reader, DFOPT_TABLE_PLANS,
                                                n - f->lines, 1, &row, &f->job.err);
    *seq = row.p.seq;
    return e;
}

/* ---- the command ---- */

#define AT(member) DFOPT_OPTION_AT(struct follow, member)

static const struct dfopt_option options[] = {
    {"verdicts", DFOPT_OPTION_FLAG, NULL, "Print verdicts, too", 'v', AT(verdicts)},
    {"lines", DFOPT_OPTION_COUNT, "N", "Begin with the last N plans (default 10)",
     'n', AT(lines)},
    {"idle-timeout", DFOPT_OPTION_SECONDS, "SECONDS",
     "Exit after SECONDS without a commit (default 0: never)", 'i',
     AT(idle_timeout), .hi = IDLE_MAX_S},
    {.name = NULL}};

int dl_follow(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Print the plans and acknowledgements of a run as they are "
               "committed to its log, until the log is complete.\v"
               "Exit status:\n"
               "  0\tcomplete log\n"
               "  1\tunreadable file\n"
               "  2\tincomplete log that no longer grows: its writer is gone, or "
               "nothing was committed within --idle-timeout\n"};
    struct follow f = {.job = {.args = {.n_files = 1}}, .lines = LINES};
    const char *why = NULL;
    uint64_t seq = 0;
    dl_args_parse(&f.job.args, &command, &f, argc, argv);
    if (!dl_start(&f.job))
        return FOLLOW_TROUBLE;
    uint32_t kinds = DL_KIND_BIT(DL_PLAN) | DL_KIND_BIT(DL_ACK);
    if (f.verdicts)
        kinds |= DL_KIND_BIT(DL_VERDICT);
    f.last_ms = now_ms();
    enum dfopt_err e = first_event(&f, &seq);
    if (!e)
        e = dl_merge_init(&f.merge, f.job.reader, kinds, seq, &f.job.err);
    if (!e)
        e = follow(&f, &why);
    bool incomplete = why && !f.job.run->complete;
    if (!e && incomplete)
        fprintf(stderr,
                "dfopt-log: %s: %s; up to event %" PRIu64 ", commit %" PRIu64 "\n",
                f.job.args.file[0], why, f.job.run->last.at.next_seq,
                f.job.run->commits);
    dl_merge_free(&f.merge);
    int status = dl_end(&f.job, e);
    return status == DL_OK && incomplete ? FOLLOW_ENDED : status;
}
