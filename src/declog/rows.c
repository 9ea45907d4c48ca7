/* Converts what the planner and the codec deliver to table rows. Invariant: the
 * bytes of a text are in their pool's store before the row that ends there is
 * in its own. */
#include "declog/block.h"
#include "declog/writer_impl.h"

#include <string.h>

/* Appends rows to a table's store; makes a failure the writer's. */
static enum dfopt_err add(struct dfopt_declog *w, enum dfopt_declog_table table,
                          const void *rows, size_t n)
{
    if (w->failure.code)
        return w->failure.code;
    enum dfopt_err e = dfopt_store_add(&w->store[table], &w->packer, rows, n);
    return dfopt_declog_check(w, e, "cannot write");
}

/* Appends elements to a pool; *text says where they are. */
static enum dfopt_err add_items(struct dfopt_declog *w, enum dfopt_declog_pool pool,
                                const void *items, size_t n,
                                struct dfopt_declog_text *text)
{
    if (w->failure.code)
        return w->failure.code;
    struct dfopt_store *s = &w->store[DFOPT_STORE_OF_POOL(pool)];
    text->start = dfopt_store_rows(s);
    text->end = text->start + (items ? n : 0);
    enum dfopt_err e = dfopt_store_add(s, &w->packer, items, items ? n : 0);
    return dfopt_declog_check(w, e, "cannot write");
}

enum dfopt_err dfopt_declog_add_names(struct dfopt_declog *w)
{
    struct dfopt_declog_entry_row row;
    enum dfopt_err e = DFOPT_OK;
    for (; !e && w->strings < dfopt_dict_strings(w->dict); w->strings++) {
        size_t len;
        const char *text = dfopt_dict_text(w->dict, w->strings, &len);
        e = add_items(w, DFOPT_POOL_STRINGS, text, len, &row.items);
        if (!e)
            e = add(w, DFOPT_TABLE_STRINGS, &row, 1);
    }
    for (; !e && w->lists < dfopt_dict_lists(w->dict); w->lists++) {
        size_t n;
        const dfopt_sym *items = dfopt_dict_items(w->dict, w->lists, &n);
        e = add_items(w, DFOPT_POOL_LISTS, items, n, &row.items);
        if (!e)
            e = add(w, DFOPT_TABLE_LISTS, &row, 1);
    }
    return e;
}

enum dfopt_err dfopt_declog_begin_run(struct dfopt_declog *w,
                                      const struct dfopt_declog_options *o)
{
    const struct dfopt_declog_run_row run = {.seq = w->at.next_seq,
                                             .started_ns = o->created_ns,
                                             .ranks = (uint64_t)o->ranks,
                                             .pid = o->pid};
    const char *const texts[] = {
#define RUN_TEXT(name, text) [DFOPT_RUN_##name] = o->name,
        DFOPT_RUN_TEXT_LIST(RUN_TEXT)
#undef RUN_TEXT
    };
    struct dfopt_declog_run_text_row row = {
        .run = dfopt_store_rows(&w->store[DFOPT_TABLE_RUNS])};
    enum dfopt_err e = add(w, DFOPT_TABLE_RUNS, &run, 1);
    for (row.name = 0; !e && row.name < DFOPT_RUN_TEXT_COUNT; row.name++) {
        const char *text = texts[row.name] ? texts[row.name] : "";
        e = add_items(w, DFOPT_POOL_RUN_TEXT, text, strlen(text), &row.text);
        if (!e)
            e = add(w, DFOPT_TABLE_RUN_TEXTS, &row, 1);
    }
    return e;
}

enum dfopt_err dfopt_declog_findings(struct dfopt_declog *w,
                                     const struct dfopt_finding_row *rows, size_t n)
{
    if (w->failure.code || w->detail < DFOPT_DETAIL_FINDINGS)
        return w->failure.code;
    struct dfopt_declog_finding_row block[64];
    enum dfopt_err e = DFOPT_OK;
    while (!e && n > 0) {
        const size_t take = n < 64 ? n : 64;
        for (size_t i = 0; i < take; i++)
            block[i] = dfopt_declog_finding_row(&rows[i]);
        e = add(w, DFOPT_TABLE_FINDINGS, block, take);
        rows += take;
        n -= take;
    }
    return e;
}

static enum dfopt_err add_plan(struct dfopt_declog *w, const struct dfopt_plan *p)
{
    struct dfopt_declog_plan_row row = {.p = *p};
    dfopt_buf_clear(&w->text);
    enum dfopt_err e = dfopt_plan_rationale(w->dict, p, &w->text);
    if (e)
        return dfopt_declog_check(w, e, "cannot write");
    e = add_items(w, DFOPT_POOL_RATIONALE, w->text.data, w->text.len,
                  &row.rationale);
    return e ? e : add(w, DFOPT_TABLE_PLANS, &row, 1);
}

static enum dfopt_err add_outcome(struct dfopt_declog *w,
                                  const struct dfopt_outcome_row *o)
{
    const struct dfopt_outcome_claim claim = dfopt_outcome_claim(o, w->min_effect);
    const struct dfopt_declog_outcome_row row = {
        .o = *o, .standard_error = claim.standard_error, .certain = claim.certain};
    return add(w, DFOPT_TABLE_OUTCOMES, &row, 1);
}

enum dfopt_err dfopt_declog_decisions(struct dfopt_declog *w,
                                      const struct dfopt_decisions *d)
{
    enum dfopt_err e = w->failure.code;
    if (!e && w->detail >= DFOPT_DETAIL_VERDICTS)
        e = add(w, DFOPT_TABLE_VERDICTS, d->verdicts.data,
                DFOPT_ROWS(&d->verdicts, struct dfopt_verdict_row));
    const struct dfopt_plan *plans = DFOPT_ROW(&d->plans, struct dfopt_plan);
    for (size_t i = 0; !e && i < DFOPT_ROWS(&d->plans, struct dfopt_plan); i++)
        e = add_plan(w, &plans[i]);
    if (!e)
        e = add(w, DFOPT_TABLE_SUPPRESSIONS, d->suppressions.data,
                DFOPT_ROWS(&d->suppressions, struct dfopt_suppression_row));
    if (!e)
        e = add(w, DFOPT_TABLE_TIMEOUTS, d->timeouts.data,
                DFOPT_ROWS(&d->timeouts, struct dfopt_timeout_row));
    if (!e)
        e = add(w, DFOPT_TABLE_SEEN, d->seen.data,
                DFOPT_ROWS(&d->seen, struct dfopt_seen_row));
    const struct dfopt_outcome_row *o =
        DFOPT_ROW(&d->outcomes, const struct dfopt_outcome_row);
    for (size_t i = 0; !e && i < DFOPT_ROWS(&d->outcomes, struct dfopt_outcome_row);
         i++)
        e = add_outcome(w, &o[i]);
    return e;
}

enum dfopt_err dfopt_declog_objectives(struct dfopt_declog *w,
                                       const struct dfopt_numbered_objective *rows,
                                       size_t n)
{
    enum dfopt_err e = w->failure.code;
    for (size_t i = 0; !e && i < n; i++) {
        const struct dfopt_objective *o = &rows[i].o;
        struct dfopt_declog_objective_row row = {.seq = rows[i].seq,
                                                 .node = o->node,
                                                 .window = o->window,
                                                 .goal = o->goal,
                                                 .value = o->value};
        row.bad_metrics =
            dfopt_declog_put_metrics(o->metric_state, o->metric, row.metric);
        e = add(w, DFOPT_TABLE_OBJECTIVES, &row, 1);
    }
    return e;
}

enum dfopt_err dfopt_declog_origins(struct dfopt_declog *w,
                                    const struct dfopt_declog_origin_row *rows,
                                    size_t n)
{
    return add(w, DFOPT_TABLE_ORIGINS, rows, n);
}

enum dfopt_err dfopt_declog_reject(struct dfopt_declog *w,
                                   const struct dfopt_declog_reject_row *row)
{
    return add(w, DFOPT_TABLE_REJECTS, row, 1);
}

enum dfopt_err dfopt_declog_relay(struct dfopt_declog *w,
                                  const struct dfopt_relay_row *row)
{
    return add(w, DFOPT_TABLE_GLOBAL_PLANS, row, 1);
}

enum dfopt_err dfopt_declog_ack(struct dfopt_declog *w,
                                const struct dfopt_declog_ack *ack)
{
    static const struct dfopt_ack_row unmatched = {
        .outcome = DFOPT_ACK_OUTCOME_UNMATCHED, .window = DFOPT_WINDOW_NONE};
    const struct dfopt_ack *given = ack->given;
    const struct dfopt_ack_row *o = ack->outcome ? ack->outcome : &unmatched;
    bool matched = o->outcome != DFOPT_ACK_OUTCOME_UNMATCHED;
    struct dfopt_declog_ack_row row = {.seq = ack->seq,
                                       .plan_id = o->plan_id,
                                       .status = given->status,
                                       .outcome = o->outcome,
                                       .other_plan = o->other_plan,
                                       .knob = matched ? o->knob : given->knob,
                                       .node = matched ? o->node : given->node,
                                       .known_form = given->known_form,
                                       .given_id =
                                           given->known_form ? given->plan_id : 0,
                                       .given_knob = given->knob,
                                       .given_node = given->node,
                                       .has_nodes = given->has_nodes,
                                       .instance = given->instance,
                                       .tally = ack->tally,
                                       .window = given->window,
                                       .cooldown_window = o->window,
                                       .given_old = given->old_value,
                                       .given_new = given->new_value,
                                       .value = o->value};
    enum dfopt_err e = add_items(w, DFOPT_POOL_PLAN_ID, ack->plan_id,
                                 ack->plan_id_len, &row.given_plan_id);
    if (!e)
        e = add_items(w, DFOPT_POOL_ACK_REASON, ack->reason, ack->reason_len,
                      &row.reason);
    return e ? e : add(w, DFOPT_TABLE_ACKS, &row, 1);
}

enum dfopt_err dfopt_declog_command(struct dfopt_declog *w,
                                    const struct dfopt_declog_command *c)
{
    struct dfopt_declog_control_row row = {
        .seq = c->seq, .action = c->action, .outcome = c->outcome, .by = c->by};
    enum dfopt_err e =
        add_items(w, DFOPT_POOL_COMMAND, c->body, c->body_len, &row.body);
    return e ? e : add(w, DFOPT_TABLE_CONTROLS, &row, 1);
}

static enum dfopt_err add_knob(struct dfopt_declog *w, uint64_t seq,
                               uint64_t registration, const struct dfopt_knob *k)
{
    struct dfopt_declog_knob_row row = {.seq = seq,
                                        .registration = registration,
                                        .knob = k->id,
                                        .parameter = k->parameter,
                                        .target_function = k->target_function,
                                        .scope = k->scope,
                                        .type = k->type,
                                        .range_state = k->range_state,
                                        .has_values = k->has_values,
                                        .has_current = k->has_current,
                                        .default_value = k->default_value,
                                        .current = k->current,
                                        .lo = k->lo,
                                        .hi = k->hi};
    uint64_t knob_row = dfopt_store_rows(&w->store[DFOPT_TABLE_KNOBS]);
    enum dfopt_err e = add(w, DFOPT_TABLE_KNOBS, &row, 1);
    for (size_t i = 0; !e && i < k->n_values; i++) {
        struct dfopt_declog_knob_value_row value = {.knob_row = knob_row,
                                                    .value = k->values[i]};
        e = add(w, DFOPT_TABLE_KNOB_VALUES, &value, 1);
    }
    for (size_t i = 0; !e && i < k->n_responses; i++) {
        struct dfopt_declog_response_row response = {
            .seq = seq, .knob_row = knob_row, .knob = k->id, .r = k->responses[i]};
        e = add(w, DFOPT_TABLE_RESPONSES, &response, 1);
    }
    return e;
}

enum dfopt_err
dfopt_declog_registration(struct dfopt_declog *w,
                          const struct dfopt_declog_registration *reg)
{
    uint64_t number = dfopt_store_rows(&w->store[DFOPT_TABLE_REGISTRATIONS]);
    struct dfopt_declog_registration_row row = {
        .seq = reg->seq, .source = reg->source, .accepted = reg->accepted != NULL};
    enum dfopt_err e =
        add_items(w, DFOPT_POOL_BODY, reg->body, reg->body_len, &row.body);
    if (!e)
        e = add(w, DFOPT_TABLE_REGISTRATIONS, &row, 1);
    for (size_t i = 0; !e && reg->accepted && i < reg->accepted->n_knobs; i++)
        e = add_knob(w, row.seq, number, &reg->accepted->knobs[i]);
    return e;
}
