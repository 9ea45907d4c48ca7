/* Batches and the merge of their results. Merge invariant: each planner reports in
 * event order and, within an event, in order of position. */
#include "engine/batch/batch.h"

#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_batch_init(struct dfopt_batch *r, uint32_t planners)
{
    r->shares = calloc(planners, sizeof *r->shares);
    r->n_shares = r->shares ? planners : 0;
    return r->shares ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static void free_registrations(struct dfopt_batch *r)
{
    struct dfopt_batch_registration *g =
        DFOPT_ROW(&r->registrations, struct dfopt_batch_registration);
    const size_t n = DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    for (size_t i = 0; i < n; i++)
        dfopt_registration_clear(&g[i].accepted);
    dfopt_buf_clear(&r->registrations);
}

static void free_commands(struct dfopt_batch *r)
{
    struct dfopt_batch_command *c =
        DFOPT_ROW(&r->commands, struct dfopt_batch_command);
    for (size_t i = 0; i < DFOPT_ROWS(&r->commands, struct dfopt_batch_command);
         i++) {
        if (c[i].policy)
            dfopt_policy_clear(c[i].policy);
        free(c[i].policy);
    }
    dfopt_buf_clear(&r->commands);
}

void dfopt_batch_free(struct dfopt_batch *r)
{
    free_registrations(r);
    free_commands(r);
    for (uint32_t i = 0; i < r->n_shares; i++) {
        dfopt_buf_free(&r->shares[i].bytes);
        dfopt_decisions_free(&r->shares[i].results);
    }
    free(r->shares);
    dfopt_decisions_free(&r->merged);
    dfopt_buf_free(&r->reporter);
    dfopt_buf_free(&r->cursors);
    dfopt_buf_free(&r->findings);
    dfopt_buf_free(&r->rejects);
    dfopt_buf_free(&r->objectives);
    dfopt_buf_free(&r->acks);
    dfopt_buf_free(&r->commands);
    dfopt_buf_free(&r->registrations);
    dfopt_buf_free(&r->origins);
    dfopt_buf_free(&r->texts);
    dfopt_buf_free(&r->asks);
    dfopt_buf_free(&r->received);
    dfopt_buf_free(&r->blocks);
    *r = (struct dfopt_batch){0};
}

void dfopt_batch_reset(struct dfopt_batch *r, uint64_t number, uint64_t first_seq)
{
    r->number = number;
    r->first_seq = first_seq;
    r->n_events = 0;
    r->n_requests = 0;
    r->waiting = 0;
    for (uint32_t i = 0; i < r->n_shares; i++) {
        r->shares[i].used = false;
        r->shares[i].waiting = false;
        dfopt_decisions_clear(&r->shares[i].results);
    }
    free_registrations(r);
    free_commands(r);
    dfopt_decisions_clear(&r->merged);
    dfopt_buf_clear(&r->reporter);
    dfopt_buf_clear(&r->findings);
    dfopt_buf_clear(&r->rejects);
    dfopt_buf_clear(&r->objectives);
    dfopt_buf_clear(&r->acks);
    dfopt_buf_clear(&r->origins);
    dfopt_buf_clear(&r->texts);
    dfopt_buf_clear(&r->asks);
    dfopt_buf_clear(&r->received);
    dfopt_buf_clear(&r->blocks);
    r->packed = false;
}

size_t dfopt_batch_text(struct dfopt_batch *r, const char *text, size_t len)
{
    const size_t at = r->texts.len;
    return dfopt_buf_add(&r->texts, text, len) ? SIZE_MAX : at;
}

enum dfopt_err dfopt_batch_add_commands(struct dfopt_batch *r, const void *rows,
                                        size_t size)
{
    const size_t start = r->commands.len;
    if (size % sizeof(struct dfopt_batch_command))
        return DFOPT_ERR_FORMAT;
    enum dfopt_err e = dfopt_buf_add(&r->commands, rows, size);
    for (size_t at = start; at < r->commands.len;
         at += sizeof(struct dfopt_batch_command))
        ((struct dfopt_batch_command *)(void *)(r->commands.data + at))->policy =
            NULL;
    return e;
}

enum dfopt_err dfopt_batch_count(struct dfopt_batch *r, uint32_t reporter)
{
    enum dfopt_err e = dfopt_buf_add(&r->reporter, &reporter, sizeof reporter);
    if (!e)
        r->n_events++;
    return e;
}

/* A later number of the same client and stream replaces the earlier one. */
enum dfopt_err dfopt_batch_note_ask(struct dfopt_batch *r, uint32_t stream,
                                    const struct dfopt_ask *ask)
{
    const size_t n = DFOPT_ROWS(&r->asks, struct dfopt_batch_ask);
    struct dfopt_batch_ask *last =
        n ? DFOPT_ROW(&r->asks, struct dfopt_batch_ask) + n - 1 : NULL;
    if (last && last->stream == stream &&
        strcmp(r->texts.data + last->instance, ask->instance) == 0) {
        last->number = ask->number;
        return DFOPT_OK;
    }
    const struct dfopt_batch_ask row = {
        .stream = stream,
        .instance = dfopt_batch_text(r, ask->instance, strlen(ask->instance) + 1),
        .node = dfopt_batch_text(r, ask->node, strlen(ask->node) + 1),
        .number = ask->number,
    };
    if (row.instance == SIZE_MAX || row.node == SIZE_MAX)
        return DFOPT_ERR_NOMEM;
    return dfopt_buf_add(&r->asks, &row, sizeof row);
}

/* How many of each planner's rows were taken, by table. Not used for acks and
 * commands: their rows are matched to the records as received. */
struct cursor {
    size_t at[DFOPT_DECISION_TABLES];
};

static bool is_matched(int table)
{
    return table == DFOPT_DECISION_ACKS || table == DFOPT_DECISION_COMMANDS;
}

/* Moves the rows of event seq, which begin with its number, from *at in `from` to
 * `to`. */
static enum dfopt_err move_rows(const struct dfopt_buf *from, size_t *at, int table,
                                uint64_t seq, struct dfopt_buf *to)
{
    if (*at == from->len)
        return DFOPT_OK;
    const size_t size = dfopt_row_kind(DFOPT_ITEM_VERDICTS + (uint32_t)table)->size;
    size_t end = *at;
    while (end < from->len) {
        uint64_t row_seq;
        memcpy(&row_seq, from->data + end, sizeof row_seq);
        if (row_seq != seq)
            break;
        end += size;
    }
    if (end == *at)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_buf_add(to, from->data + *at, end - *at);
    *at = end;
    return e;
}

static enum dfopt_err move_event(struct dfopt_batch *r, uint64_t seq,
                                 struct dfopt_decisions *from, struct cursor *c)
{
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; i < DFOPT_DECISION_TABLES && !e; i++)
        if (!is_matched(i))
            e = move_rows(dfopt_decision_rows(from, i), &c->at[i], i, seq,
                          dfopt_decision_rows(&r->merged, i));
    return e;
}

/* ---- an event that several planners report ---- */

/* The order of one event's rows in a table: by position, then by plan. Rows of
 * other tables come from one planner only, or their order does not matter. */
struct order {
    uint64_t position, plan_id;
};

static struct order order_of(int table, const char *row)
{
    struct order o = {0, 0};
    if (table == DFOPT_DECISION_VERDICTS)
        o.position =
            ((const struct dfopt_verdict_row *)(const void *)row)->position;
    if (table == DFOPT_DECISION_PLANS)
        o.position = ((const struct dfopt_plan *)(const void *)row)->position;
    if (table == DFOPT_DECISION_OUTCOMES) {
        const struct dfopt_outcome_row *outcome = (const void *)row;
        o = (struct order){outcome->position, outcome->plan_id};
    }
    return o;
}

static bool is_before(struct order a, struct order b)
{
    return a.position != b.position ? a.position < b.position
                                    : a.plan_id < b.plan_id;
}

/* The share whose next row of event seq comes first; n_shares: none. */
static uint32_t first_share(const struct dfopt_batch *r, const struct cursor *c,
                            int table, uint64_t seq)
{
    uint32_t first = r->n_shares;
    struct order least = {0, 0};
    for (uint32_t i = 0; i < r->n_shares; i++) {
        const struct dfopt_buf *rows =
            dfopt_decision_rows(&r->shares[i].results, table);
        const size_t at = c[i].at[table];
        uint64_t row_seq = seq + 1;
        if (at < rows->len)
            memcpy(&row_seq, rows->data + at, sizeof row_seq);
        if (row_seq != seq)
            continue;
        const struct order o = order_of(table, rows->data + at);
        if (first == r->n_shares || is_before(o, least)) {
            first = i;
            least = o;
        }
    }
    return first;
}

static enum dfopt_err merge_event(struct dfopt_batch *r, struct cursor *c,
                                  uint64_t seq)
{
    enum dfopt_err e = DFOPT_OK;
    for (int t = 0; t < DFOPT_DECISION_TABLES && !e; t++) {
        if (is_matched(t))
            continue;
        const size_t size = dfopt_row_kind(DFOPT_ITEM_VERDICTS + (uint32_t)t)->size;
        for (uint32_t i = first_share(r, c, t, seq); i < r->n_shares && !e;
             i = first_share(r, c, t, seq)) {
            const struct dfopt_buf *rows =
                dfopt_decision_rows(&r->shares[i].results, t);
            e = dfopt_buf_add(dfopt_decision_rows(&r->merged, t),
                              rows->data + c[i].at[t], size);
            c[i].at[t] += size;
        }
    }
    return e;
}

/* An unusable finding, or objective that would be judged by, has a verdict too. */
static enum dfopt_err add_invalid(struct dfopt_batch *r, uint64_t seq,
                                  size_t *reject)
{
    const struct dfopt_declog_reject_row *rows =
        DFOPT_ROW(&r->rejects, const struct dfopt_declog_reject_row);
    const size_t n = DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    while (*reject < n && rows[*reject].seq < seq)
        ++*reject;
    if (*reject == n || rows[*reject].seq != seq ||
        (rows[*reject].stream != DFOPT_STREAM_FINDING &&
         (rows[*reject].stream != DFOPT_STREAM_OBJECTIVE || !r->objectives_judged)))
        return DFOPT_OK;
    return dfopt_decide_invalid(seq, &r->merged);
}

/* Takes one row per ack: a match, from any planner, takes precedence. */
static enum dfopt_err merge_acks(struct dfopt_batch *r)
{
    const struct dfopt_batch_ack *given =
        DFOPT_ROW(&r->acks, const struct dfopt_batch_ack);
    const size_t n = DFOPT_ROWS(&r->acks, struct dfopt_batch_ack);
    if (n == 0)
        return DFOPT_OK;
    struct dfopt_ack_row *out =
        dfopt_buf_grow(&r->merged.acks, n * sizeof(struct dfopt_ack_row));
    if (!out)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        out[i] = (struct dfopt_ack_row){.seq = given[i].seq,
                                        .window = DFOPT_WINDOW_NONE};
    for (uint32_t s = 0; s < r->n_shares; s++) {
        const struct dfopt_buf *acks = &r->shares[s].results.acks;
        const struct dfopt_ack_row *row =
            DFOPT_ROW(acks, const struct dfopt_ack_row);
        size_t at = 0;
        for (size_t i = 0; i < DFOPT_ROWS(acks, struct dfopt_ack_row); i++) {
            while (at < n && given[at].seq < row[i].seq)
                at++;
            if (at == n || given[at].seq != row[i].seq)
                return DFOPT_ERR_FORMAT;
            /* the planner that knew the plan, else one that adopts its value */
            if (out[at].outcome == DFOPT_ACK_OUTCOME_UNMATCHED ||
                (out[at].outcome == DFOPT_ACK_OUTCOME_ADOPTED &&
                 row[i].outcome != DFOPT_ACK_OUTCOME_UNMATCHED))
                out[at] = row[i];
        }
    }
    return DFOPT_OK;
}

/* One row per command: from a planner that can tell (of the job, all can). */
static enum dfopt_err merge_commands(struct dfopt_batch *r)
{
    const struct dfopt_batch_command *given =
        DFOPT_ROW(&r->commands, const struct dfopt_batch_command);
    const size_t n = DFOPT_ROWS(&r->commands, struct dfopt_batch_command);
    if (n == 0)
        return DFOPT_OK;
    struct dfopt_command_row *out =
        dfopt_buf_grow(&r->merged.commands, n * sizeof *out);
    if (!out)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        out[i] = (struct dfopt_command_row){.seq = given[i].seq,
                                            .action = given[i].command.action,
                                            .outcome = DFOPT_COMMAND_UNKNOWN_PLAN};
    for (uint32_t s = 0; s < r->n_shares; s++) {
        const struct dfopt_buf *rows = &r->shares[s].results.commands;
        const struct dfopt_command_row *row =
            DFOPT_ROW(rows, const struct dfopt_command_row);
        size_t at = 0;
        for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_command_row); i++) {
            while (at < n && given[at].seq < row[i].seq)
                at++;
            if (at == n || given[at].seq != row[i].seq)
                return DFOPT_ERR_FORMAT;
            if (out[at].outcome == DFOPT_COMMAND_UNKNOWN_PLAN)
                out[at] = row[i];
        }
    }
    return DFOPT_OK;
}

/* Whether all reported rows were taken. */
static bool all_taken(const struct dfopt_batch *r, const struct cursor *c)
{
    for (uint32_t i = 0; i < r->n_shares; i++)
        for (int t = 0; t < DFOPT_DECISION_TABLES; t++)
            if (!is_matched(t) &&
                c[i].at[t] != dfopt_decision_rows(&r->shares[i].results, t)->len)
                return false;
    return true;
}

enum dfopt_err dfopt_batch_merge(struct dfopt_batch *r)
{
    if (r->n_shares == 1 && r->rejects.len == 0 && r->acks.len == 0) {
        struct dfopt_decisions all = r->shares[0].results; /* already in order */
        if (all.acks.len)
            return DFOPT_ERR_FORMAT;
        r->shares[0].results = r->merged;
        r->merged = all;
        return dfopt_decisions_add_withdrawn(&r->merged);
    }
    dfopt_buf_clear(&r->cursors);
    struct cursor *c = dfopt_buf_grow(&r->cursors, r->n_shares * sizeof *c);
    if (!c)
        return DFOPT_ERR_NOMEM;
    const uint32_t *reporter = DFOPT_ROW(&r->reporter, const uint32_t);
    size_t reject = 0;
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < r->n_events && !e; i++) {
        const uint64_t seq = r->first_seq + i;
        if (reporter[i] == DFOPT_REPORTER_NONE)
            e = add_invalid(r, seq, &reject);
        else if (reporter[i] == DFOPT_REPORTER_ALL)
            e = merge_event(r, c, seq);
        else
            e = move_event(r, seq, &r->shares[reporter[i]].results,
                           &c[reporter[i]]);
    }
    if (!e)
        e = merge_acks(r);
    if (!e)
        e = merge_commands(r);
    if (!e && !all_taken(r, c))
        e = DFOPT_ERR_FORMAT;
    return e ? e : dfopt_decisions_add_withdrawn(&r->merged);
}
