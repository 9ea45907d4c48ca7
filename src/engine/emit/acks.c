#include "engine/emit/acks.h"

#include <stdio.h>

static const char advice[] =
    "processes of the application apply plans differently; let them pass "
    "boundaries together (optimizer_context(comm=...), dfopt/client_mpi.h)";

static struct dfopt_tally_ack to_count(const struct dfopt_ack *given,
                                       const struct dfopt_ack_row *row)
{
    const bool first = row->outcome != DFOPT_ACK_OUTCOME_UNMATCHED;
    return (struct dfopt_tally_ack){
        .plan_id = first               ? row->plan_id
                   : given->known_form ? given->plan_id
                                       : 0,
        .first = first,
        .instance = given->instance,
        .status = given->status,
        .value = first && given->status == DFOPT_ACK_APPLIED ? row->value
                                                             : given->new_value,
    };
}

static void warn(const struct dfopt_run_config *c, const struct dfopt_batch *r,
                 const struct dfopt_batch_ack *ack, uint64_t plan_id)
{
    const struct dfopt_tally_count *n = dfopt_tally_of(c->tally, plan_id);
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    char reason[200];
    if (!n || n->differ != 1) /* already reported */
        return;
    dfopt_plan_id_run_text(plan_id, c->run, id);
    snprintf(reason, sizeof reason, "%.*s", (int)ack->reason_len,
             r->texts.data + ack->reason);
    dfopt_log_event(
        c->log, DFOPT_LOG_WARNING, "optimizer.ack.contradicts",
        DFOPT_F_TEXT("plan_id", id),
        DFOPT_F_TEXT("knob_id", dfopt_dict_text(c->dict, ack->given.knob, NULL)),
        DFOPT_F_TEXT("status", dfopt_ack_status_name(ack->given.status)),
        DFOPT_F_TEXT("reason", reason),
        DFOPT_F_TEXT("instance",
                     dfopt_dict_text(c->dict, ack->given.instance, NULL)),
        DFOPT_F_INT("applied", n->applied), DFOPT_F_INT("rejected", n->rejected),
        DFOPT_F_INT("processes", dfopt_tally_processes(n)),
        DFOPT_F_TEXT("note", advice));
}

enum dfopt_err dfopt_acks_count(const struct dfopt_run_config *config,
                                const struct dfopt_batch *r,
                                struct dfopt_totals *totals,
                                struct dfopt_buf *kinds)
{
    const struct dfopt_batch_ack *given =
        DFOPT_ROW(&r->acks, const struct dfopt_batch_ack);
    const struct dfopt_ack_row *row =
        DFOPT_ROW(&r->merged.acks, const struct dfopt_ack_row);
    const size_t n = DFOPT_ROWS(&r->acks, struct dfopt_batch_ack);
    enum dfopt_err e = DFOPT_OK;
    dfopt_buf_clear(kinds);
    for (size_t i = 0; i < n && !e; i++) {
        const struct dfopt_tally_ack ack = to_count(&given[i].given, &row[i]);
        uint32_t kind = DFOPT_ACK_TALLY_NONE;
        if (config->tally)
            e = dfopt_tally_add(config->tally, &ack, &kind);
        if (kind == DFOPT_ACK_TALLY_CONTRADICTS) {
            totals->acks_contradict++;
            warn(config, r, &given[i], ack.plan_id);
        }
        if (!e)
            e = dfopt_buf_add(kinds, &kind, sizeof kind);
    }
    return e;
}
