/* Feeds the events of a log to planners elsewhere. */
#include "state/fold.h"

#include "state/events.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct source {
    enum dfopt_declog_table table;
    size_t seq; /* offset of a row's event number */
} sources[] = {
    {DFOPT_TABLE_REGISTRATIONS,
     offsetof(struct dfopt_declog_registration_row, seq)},
    {DFOPT_TABLE_FINDINGS, offsetof(struct dfopt_declog_finding_row, seq)},
    {DFOPT_TABLE_OBJECTIVES, offsetof(struct dfopt_declog_objective_row, seq)},
    {DFOPT_TABLE_ACKS, offsetof(struct dfopt_declog_ack_row, seq)},
    {DFOPT_TABLE_GLOBAL_PLANS, offsetof(struct dfopt_relay_row, seq)},
    {DFOPT_TABLE_CONTROLS, offsetof(struct dfopt_declog_control_row, seq)},
};
#define SOURCES (sizeof sources / sizeof *sources)

/* Whether an event is to be fed: it is in the stretch and complete in the log.
 */
static bool is_fed(const struct dfopt_fold *f, size_t which, uint64_t seq,
                   const void *row)
{
    const struct dfopt_declog_registration_row *g = row;
    if (seq < f->feed_seq || sources[which].table != DFOPT_TABLE_REGISTRATIONS)
        return seq >= f->feed_seq && seq < f->next_seq;
    return g->accepted && (seq < f->next_seq ||
                           (seq == f->next_seq && g->source != DFOPT_SOURCE_EVENT));
}

static enum dfopt_err feed_row(struct dfopt_fold_events *v, size_t which,
                               const void *row, dfopt_fold_give give, void *arg,
                               struct dfopt_error *err)
{
    const struct dfopt_declog_registration_row *g = row;
    const enum dfopt_declog_table table = sources[which].table;
    struct dfopt_event event;
    uint64_t seq;
    enum dfopt_err e = dfopt_fold_event(v, table, row, &event, err);
    if (e)
        return e;
    memcpy(&seq, (const char *)row + sources[which].seq, sizeof seq);
    const bool initial =
        table == DFOPT_TABLE_REGISTRATIONS && g->source != DFOPT_SOURCE_EVENT;
    e = give(arg, initial ? DFOPT_FOLD_INITIAL : seq, &event, err);
    dfopt_event_clear(&event);
    return e;
}

enum dfopt_err dfopt_fold_feed(const struct dfopt_fold *f, dfopt_fold_give give,
                               void *arg, struct dfopt_error *err)
{
    struct dfopt_fold_table tables[SOURCES];
    struct dfopt_fold_events v = {.reader = f->reader};
    enum dfopt_err e = dfopt_fold_events_init(&v, f->reader, f->dict);
    if (!e)
        dfopt_fold_events_run(&v, f->run_text);
    for (size_t i = 0; i < SOURCES; i++) {
        tables[i] = (struct dfopt_fold_table){.seq = sources[i].seq};
        dfopt_cursor_init(&tables[i].cursor, f->reader, sources[i].table);
        if (!e)
            e = dfopt_cursor_seek(&tables[i].cursor, sources[i].seq, f->feed_seq,
                                  err);
    }
    while (!e) {
        size_t which;
        const void *row;
        uint64_t seq;
        e = dfopt_fold_next(tables, SOURCES, &which, &row, err);
        if (e || which == SOURCES)
            break;
        memcpy(&seq, (const char *)row + sources[which].seq, sizeof seq);
        if (is_fed(f, which, seq, row))
            e = feed_row(&v, which, row, give, arg, err);
    }
    for (size_t i = 0; i < SOURCES; i++)
        dfopt_cursor_free(&tables[i].cursor);
    dfopt_fold_events_free(&v);
    return e;
}

/* Takes the policy of an accepted command. */
static enum dfopt_err take_policy(struct dfopt_fold_events *v,
                                  const struct dfopt_declog_control_row *row,
                                  struct dfopt_policy **out,
                                  struct dfopt_error *err)
{
    struct dfopt_event event;
    if (row->action != DFOPT_COMMAND_ACTION_POLICY ||
        row->outcome != DFOPT_COMMAND_DONE)
        return DFOPT_OK;
    const enum dfopt_err e =
        dfopt_fold_event(v, DFOPT_TABLE_CONTROLS, row, &event, err);
    if (e)
        return e;
    if (event.policy && !event.command.check) {
        struct dfopt_policy *before = *out;
        *out = event.policy;
        event.policy = before;
    }
    dfopt_event_clear(&event);
    return DFOPT_OK;
}

enum dfopt_err dfopt_fold_policy(const struct dfopt_fold *f,
                                 struct dfopt_policy **out, struct dfopt_error *err)
{
    const size_t seq = offsetof(struct dfopt_declog_control_row, seq);
    const void *row = NULL;
    struct dfopt_policy *found = NULL;
    struct dfopt_cursor cursor;
    struct dfopt_fold_events v = {.reader = f->reader};
    *out = NULL;
    if (!f->left_to_feed) /* which any command makes it */
        return DFOPT_OK;
    dfopt_cursor_init(&cursor, f->reader, DFOPT_TABLE_CONTROLS);
    enum dfopt_err e = dfopt_fold_events_init(&v, f->reader, f->dict);
    if (!e)
        dfopt_fold_events_run(&v, f->run_text);
    if (!e)
        e = dfopt_cursor_seek(&cursor, seq, f->feed_seq, err);
    while (!e && !(e = dfopt_cursor_row(&cursor, &row, err)) && row) {
        e = take_policy(&v, row, &found, err);
        cursor.next++;
    }
    dfopt_cursor_free(&cursor);
    dfopt_fold_events_free(&v);
    if (e && found) {
        dfopt_policy_clear(found);
        free(found);
        found = NULL;
    }
    *out = found;
    return e;
}
