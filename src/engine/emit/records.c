/* Writes a batch to the decision log, table by table. */
#include "engine/emit/records.h"

#include "declog/block.h"

static enum dfopt_err log_acks(struct dfopt_declog *w,
                               const struct dfopt_buf *tallies,
                               const struct dfopt_batch *r)
{
    const uint32_t *tally = DFOPT_ROW(tallies, const uint32_t);
    const struct dfopt_batch_ack *a =
        DFOPT_ROW(&r->acks, const struct dfopt_batch_ack);
    const struct dfopt_ack_row *row =
        DFOPT_ROW(&r->merged.acks, const struct dfopt_ack_row);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < DFOPT_ROWS(&r->acks, struct dfopt_batch_ack) && !e;
         i++) {
        const struct dfopt_declog_ack ack = {
            .seq = a[i].seq,
            .given = &a[i].given,
            .outcome =
                row[i].outcome == DFOPT_ACK_OUTCOME_UNMATCHED ? NULL : &row[i],
            .tally = tally[i],
            .plan_id = r->texts.data + a[i].plan_id,
            .plan_id_len = a[i].plan_id_len,
            .reason = r->texts.data + a[i].reason,
            .reason_len = a[i].reason_len,
        };
        e = dfopt_declog_ack(w, &ack);
    }
    return e;
}

static enum dfopt_err log_commands(struct dfopt_declog *w,
                                   const struct dfopt_batch *r)
{
    const struct dfopt_batch_command *c =
        DFOPT_ROW(&r->commands, const struct dfopt_batch_command);
    const struct dfopt_command_row *row =
        DFOPT_ROW(&r->merged.commands, const struct dfopt_command_row);
    const size_t n = DFOPT_ROWS(&r->commands, struct dfopt_batch_command);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        const struct dfopt_declog_command command = {.seq = c[i].seq,
                                                     .action = row[i].action,
                                                     .outcome = row[i].outcome,
                                                     .by = c[i].command.by,
                                                     .body =
                                                         r->texts.data + c[i].body,
                                                     .body_len = c[i].body_len};
        e = dfopt_declog_command(w, &command);
    }
    return e;
}

void dfopt_records_overrides(const struct dfopt_policy *policy,
                             const struct dfopt_registration *g)
{
    for (size_t i = 0; i < g->n_knobs; i++)
        for (size_t j = 0; j < g->knobs[i].n_responses; j++)
            dfopt_policy_apply(policy, g->knobs[i].id, &g->knobs[i].responses[j]);
}

static enum dfopt_err log_registrations(struct dfopt_declog *w,
                                        const struct dfopt_policy *policy,
                                        const struct dfopt_batch *r)
{
    const struct dfopt_batch_registration *g =
        DFOPT_ROW(&r->registrations, const struct dfopt_batch_registration);
    const size_t n = DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        dfopt_records_overrides(policy, &g[i].accepted);
        const struct dfopt_declog_registration reg = {
            .seq = g[i].seq,
            .source = g[i].source,
            .body = r->texts.data + g[i].body,
            .body_len = g[i].body_len,
            .accepted = g[i].rejected ? NULL : &g[i].accepted,
        };
        e = dfopt_declog_registration(w, &reg);
    }
    return e;
}

enum dfopt_err dfopt_records_log(const struct dfopt_run_config *config,
                                 const struct dfopt_buf *tallies,
                                 const struct dfopt_batch *r)
{
    struct dfopt_declog *w = *config->declog;
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&r->rejects, const struct dfopt_declog_reject_row);
    const struct dfopt_relay_row *relay =
        DFOPT_ROW(&r->merged.relays, const struct dfopt_relay_row);
    const size_t rejects = DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    const size_t relays = DFOPT_ROWS(&r->merged.relays, struct dfopt_relay_row);
    struct dfopt_decisions decisions = r->merged;
    enum dfopt_err e = dfopt_declog_blocks(w, r->blocks.data, r->blocks.len);
    if (r->packed)
        decisions.verdicts.len = 0;
    else if (!e)
        e = dfopt_declog_findings(
            w, DFOPT_ROW(&r->findings, const struct dfopt_finding_row),
            DFOPT_ROWS(&r->findings, struct dfopt_finding_row));
    if (!e)
        e = dfopt_declog_objectives(
            w, DFOPT_ROW(&r->objectives, const struct dfopt_numbered_objective),
            DFOPT_ROWS(&r->objectives, struct dfopt_numbered_objective));
    if (!e)
        e = dfopt_declog_decisions(w, &decisions);
    if (!e)
        e = dfopt_declog_origins(
            w, DFOPT_ROW(&r->origins, const struct dfopt_declog_origin_row),
            DFOPT_ROWS(&r->origins, struct dfopt_declog_origin_row));
    for (size_t i = 0; i < rejects && !e; i++)
        e = dfopt_declog_reject(w, &reject[i]);
    for (size_t i = 0; i < relays && !e; i++)
        e = dfopt_declog_relay(w, &relay[i]);
    if (!e)
        e = log_acks(w, tallies, r);
    if (!e)
        e = log_commands(w, r);
    return e ? e : log_registrations(w, config->policy, r);
}
