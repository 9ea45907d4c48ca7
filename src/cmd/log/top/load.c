#include "cmd/log/top/load.h"

#include "declog/liveness.h"

#include <math.h>
#include <stddef.h>
#include <time.h>

#define STREAM_ROWS  200000 /* of findings or verdicts, at startup */
#define CHANGES_ROWS 200000 /* of plans or acks */
#define QUIET_MS     1000   /* without a commit, before checking on the writer */
#define TRIES        10
#define RATE_NS      INT64_C(2000000000)

#define CHANGES                                                                    \
    (DL_KIND_BIT(DL_KNOB) | DL_KIND_BIT(DL_PLAN) | DL_KIND_BIT(DL_ACK) |           \
     DL_KIND_BIT(DL_TIMEOUT) | DL_KIND_BIT(DL_OUTCOME))
#define ALL                                                                        \
    (CHANGES | DL_KIND_BIT(DL_FINDING) | DL_KIND_BIT(DL_VERDICT) |                 \
     DL_KIND_BIT(DL_OBJECTIVE))

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Raises *from to the event of the row this many rows before the end. */
static enum dfopt_err bound(struct top_load *l, enum dl_kind kind, uint64_t rows,
                            uint64_t *from, struct dfopt_error *err)
{
    union {
        struct dfopt_declog_finding_row finding;
        struct dfopt_verdict_row verdict;
        struct dfopt_declog_plan_row plan;
        struct dfopt_declog_ack_row ack;
        struct dfopt_declog_objective_row objective;
    } row;
    const struct dl_table *t = &dl_tables[kind];
    const uint64_t n = dfopt_declog_reader_rows(l->job->reader, t->table);
    if (n <= rows)
        return DFOPT_OK;
    enum dfopt_err e =
        dfopt_declog_reader_read(l->job->reader, t->table, n - rows, 1, &row, err);
    if (!e && dl_row_seq(t, &row) > *from)
        *from = dl_row_seq(t, &row);
    return e;
}

/* Reads all rows of some kinds in [from, before). */
static enum dfopt_err pass(struct top_load *l, uint32_t kinds, uint64_t from,
                           uint64_t to, struct dfopt_error *err)
{
    struct dl_merge m;
    if (from >= to)
        return DFOPT_OK;
    enum dfopt_err e = dl_merge_init(&m, l->job->reader, kinds, from, err);
    m.to = to - 1;
    if (!e)
        e = dl_merge_each(&m, NULL, top_model_row, &l->model, err);
    dl_merge_free(&m);
    return e;
}

static enum dfopt_err take_new(struct top_load *l, struct dfopt_error *err)
{
    const uint64_t next = l->job->run->last.at.next_seq;
    enum dfopt_err e = DFOPT_OK;
    if (next > 0) {
        l->merge.to = next - 1;
        e = dl_merge_each(&l->merge, NULL, top_model_row, &l->model, err);
    }
    return e ? e : top_model_settle(&l->model);
}

/* Findings per second, by the writer's clock. */
static void take_rate(struct top_load *l)
{
    const int64_t wall_ns = l->job->run->last.at.wall_ns;
    const uint64_t n =
        dfopt_declog_reader_rows(l->job->reader, DFOPT_TABLE_FINDINGS);
    if (wall_ns - l->rate_wall_ns < RATE_NS)
        return;
    if (l->rate_wall_ns)
        l->findings_per_s = (double)(n - l->rate_findings) /
                            ((double)(wall_ns - l->rate_wall_ns) / 1e9);
    l->rate_findings = n;
    l->rate_wall_ns = wall_ns;
}

static void look_whether_over(struct top_load *l)
{
    l->over = NULL;
    if (l->job->run->complete)
        l->over = "complete";
    else if (!l->job->run->live)
        l->over = "closed before its end";
    else if (now_ms() - l->changed_ms >= QUIET_MS &&
             dfopt_declog_writer(l->job->reader) == DFOPT_WRITER_NONE)
        l->over = "writer is gone";
}

enum dfopt_err top_load_begin(struct top_load *l, struct dfopt_error *err)
{
    l->findings_per_s = NAN;
    top_model_init(&l->model, l->job->dict);
    enum dfopt_err e = bound(l, DL_PLAN, CHANGES_ROWS, &l->changes_from, err);
    if (!e)
        e = bound(l, DL_ACK, CHANGES_ROWS, &l->changes_from, err);
    l->stream_from = l->changes_from;
    if (!e)
        e = bound(l, DL_FINDING, STREAM_ROWS, &l->stream_from, err);
    if (!e)
        e = bound(l, DL_VERDICT, STREAM_ROWS, &l->stream_from, err);
    if (!e)
        e = bound(l, DL_OBJECTIVE, STREAM_ROWS, &l->stream_from, err);
    if (!e)
        e = pass(l, DL_KIND_BIT(DL_KNOB), 0, l->changes_from, err);
    if (!e)
        e = pass(l, CHANGES, l->changes_from, l->stream_from, err);
    if (!e)
        e = dl_merge_init(&l->merge, l->job->reader, ALL, l->stream_from, err);
    if (!e)
        e = take_new(l, err);
    take_rate(l);
    look_whether_over(l);
    return e;
}

void top_load_free(struct top_load *l)
{
    dl_merge_free(&l->merge);
    top_model_free(&l->model);
}

/* Turns to the file that is at the log's path now, once it can be read:
 * --resume writes a new one. */
static enum dfopt_err reopen(struct top_load *l, struct dfopt_error *err)
{
    struct dl_job *job = l->job;
    struct dfopt_declog_reader *reader = NULL;
    struct dfopt_error not_yet = {0};
    if (dfopt_declog_reader_open(&reader, job->args.file[0], &not_yet))
        return DFOPT_OK;
    top_load_free(l);
    dl_use(job, reader);
    *l = (struct top_load){.job = job, .changed_ms = now_ms()};
    return top_load_begin(l, err);
}

enum dfopt_err top_load_more(struct top_load *l, struct dfopt_error *err)
{
    const uint64_t before = l->job->run->commits;
    if (dfopt_declog_reader_is_replaced(l->job->reader))
        return reopen(l, err);
    if (l->job->run->complete)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_declog_reader_refresh(l->job->reader, err);
    if (!e)
        e = take_new(l, err);
    if (l->job->run->commits != before)
        l->changed_ms = now_ms();
    take_rate(l);
    look_whether_over(l);
    l->failures = e ? l->failures + 1 : 0;
    return e && e != DFOPT_ERR_NOMEM && l->failures < TRIES ? DFOPT_OK : e;
}
