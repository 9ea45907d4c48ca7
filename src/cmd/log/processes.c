#include "cmd/log/processes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An ack with a tally. */
struct said {
    uint64_t plan_id;
    dfopt_sym instance;
    uint32_t row;
    uint32_t status, tally;
    struct dfopt_declog_text reason;
};

enum dfopt_err dl_processes_ack(struct dl_all_processes *x,
                                const struct dfopt_declog_ack_row *a)
{
    const struct said s = {
        .plan_id = a->tally == DFOPT_ACK_TALLY_FIRST ? a->plan_id : a->given_id,
        .instance = a->instance,
        .row = (uint32_t)DFOPT_ROWS(&x->said, struct said),
        .status = a->status,
        .tally = a->tally,
        .reason = a->reason,
    };
    if (a->tally == DFOPT_ACK_TALLY_NONE)
        return DFOPT_OK;
    return dfopt_buf_add(&x->said, &s, sizeof s);
}

/* By plan, process and time; acks without a process by time. */
static int order(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    if (x->plan_id != y->plan_id)
        return x->plan_id < y->plan_id ? -1 : 1;
    if (x->instance != y->instance)
        return x->instance < y->instance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void count(struct dl_processes *p, uint32_t status)
{
    ++*(status == DFOPT_ACK_APPLIED    ? &p->applied
        : status == DFOPT_ACK_REJECTED ? &p->rejected
                                       : &p->other);
}

/* Counts a plan's acks, starting at `at`; returns where the next plan's start. */
static size_t count_plan(const struct said *all, size_t n, size_t at,
                         struct dl_processes *p)
{
    uint32_t first = UINT32_MAX;
    *p = (struct dl_processes){.plan_id = all[at].plan_id};
    for (; at < n && all[at].plan_id == p->plan_id; at++) {
        const bool last = at + 1 == n || all[at + 1].plan_id != p->plan_id ||
                          all[at + 1].instance != all[at].instance ||
                          all[at].instance == DFOPT_SYM_EMPTY;
        if (last)
            count(p, all[at].status);
        if (all[at].tally != DFOPT_ACK_TALLY_CONTRADICTS)
            continue;
        p->differ++;
        if (all[at].row < first) {
            first = all[at].row;
            p->reason = all[at].reason;
        }
    }
    return at;
}

enum dfopt_err dl_processes_end(struct dl_all_processes *x)
{
    struct said *all = DFOPT_ROW(&x->said, struct said);
    const size_t n = DFOPT_ROWS(&x->said, struct said);
    enum dfopt_err e = DFOPT_OK;
    if (n > 0)
        qsort(all, n, sizeof *all, order);
    for (size_t at = 0; at < n && !e;) {
        struct dl_processes p;
        at = count_plan(all, n, at, &p);
        if (p.applied + p.rejected + p.other > 1)
            e = dfopt_buf_add(&x->plans, &p, sizeof p);
    }
    dfopt_buf_free(&x->said);
    return e;
}

void dl_processes_free(struct dl_all_processes *x)
{
    dfopt_buf_free(&x->said);
    dfopt_buf_free(&x->plans);
}

static int find(const void *key, const void *item)
{
    const uint64_t id = *(const uint64_t *)key;
    const struct dl_processes *p = item;
    return (id > p->plan_id) - (id < p->plan_id);
}

const struct dl_processes *dl_processes_of(const struct dl_all_processes *x,
                                           uint64_t plan_id)
{
    const size_t n = DFOPT_ROWS(&x->plans, struct dl_processes);
    return n && plan_id ? bsearch(&plan_id, x->plans.data, n,
                                  sizeof(struct dl_processes), find)
                        : NULL;
}

/* ---- words ---- */

static enum dfopt_err reason_of(const struct dl_all_processes *x,
                                const struct dl_processes *of, const char **text,
                                size_t *len, struct dfopt_error *err)
{
    *text = "";
    *len = (size_t)(of->reason.end - of->reason.start);
    return *len ? dfopt_declog_reader_text(x->reader, DFOPT_POOL_ACK_REASON,
                                           of->reason, text, err)
                : DFOPT_OK;
}

enum dfopt_err dl_put_plan_processes(struct dl_print *p,
                                     const struct dl_all_processes *x,
                                     uint64_t plan_id, struct dfopt_error *err)
{
    const struct dl_processes *of = dl_processes_of(x, plan_id);
    const char *reason;
    size_t len;
    if (!of)
        return DFOPT_OK;
    const enum dfopt_err e = reason_of(x, of, &reason, &len, err);
    if (e)
        return e;
    dl_color(p, of->differ ? DL_RED : DL_PLAIN);
    dl_put(p, "; applied by %" PRIu32 " of %" PRIu32 " processes", of->applied,
           of->applied + of->rejected + of->other);
    if (of->rejected)
        dl_put(p, ", rejected by %" PRIu32, of->rejected);
    if (of->other)
        dl_put(p, ", deferred by %" PRIu32, of->other);
    if (of->differ && !of->rejected)
        dl_put(p, ", with other values by %" PRIu32, of->differ);
    if (len) {
        dl_put(p, ": ");
        dl_put_bytes(p, reason, len);
    }
    dl_color(p, DL_PLAIN);
    return DFOPT_OK;
}

enum dfopt_err dl_processes_json(struct dfopt_put *put,
                                 const struct dl_all_processes *x,
                                 const struct dl_processes *of,
                                 struct dfopt_error *err)
{
    const char *reason;
    size_t len;
    dfopt_put_key(put, "processes");
    if (!of) {
        dfopt_put_z(put, NULL);
        return DFOPT_OK;
    }
    const enum dfopt_err e = reason_of(x, of, &reason, &len, err);
    if (e)
        return e;
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "applied", of->applied);
    dfopt_member_uint(put, "rejected", of->rejected);
    dfopt_member_uint(put, "other", of->other);
    dfopt_member_uint(put, "contradict", of->differ);
    dfopt_put_key(put, "reason");
    dfopt_put_text(put, reason, len);
    dfopt_put_raw(put, "}");
    return DFOPT_OK;
}
