/* Requests and answers. The planners alone know what commands have set. */
#include "engine/online/desk.h"

#include "base/clock.h"
#include "base/symmap.h"
#include "json/write.h"
#include "policy/policy_json.h"

#include <stdlib.h>
#include <string.h>

struct waiting {
    uint64_t seq;
    struct dfopt_port_request client;
};

void dfopt_desk_free(struct dfopt_desk *d)
{
    dfopt_buf_free(&d->waiting);
    dfopt_buf_free(&d->asking);
    dfopt_buf_free(&d->own);
    dfopt_buf_free(&d->policy);
    dfopt_buf_free(&d->text);
}

/* ---- the policy in force ---- */

static enum dfopt_err note_policy(struct dfopt_desk *d,
                                  const struct dfopt_policy *policy)
{
    dfopt_buf_clear(&d->policy);
    return dfopt_policy_json(d->config->dict, policy, &d->policy);
}

enum dfopt_err dfopt_desk_start(struct dfopt_desk *d, struct dfopt_error *err)
{
    struct dfopt_policy *policy = NULL;
    if (!d->config->resume || !d->config->port)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_fold_policy(d->config->resume, &policy, err);
    if (e || !policy)
        return e;
    e = note_policy(d, policy);
    dfopt_policy_clear(policy);
    free(policy);
    return e ? dfopt_error_set(err, e, "out of memory") : e;
}

/* ---- requests ---- */

static void answer(struct dfopt_desk *d, const struct dfopt_port_request *to)
{
    struct dfopt_port *port = d->config->port;
    if (to->client_len) /* not from the service itself */
        port->ops->answer(port, to, d->text.data, d->text.len);
}

void dfopt_desk_refuse(struct dfopt_desk *d, const char *why)
{
    dfopt_buf_clear(&d->text);
    struct dfopt_put p = dfopt_put_start(&d->text, d->config->dict);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "error", why);
    dfopt_put_raw(&p, "}");
    if (!dfopt_put_end(&p))
        answer(d, &d->request);
}

/* Ignores white space between the request's tokens; `text` has none. */
static bool is_text(const struct dfopt_port_request *r, const char *text)
{
    for (size_t i = 0; i < r->len; i++) {
        if (memchr(" \t\r\n", r->data[i], 4))
            continue;
        if (*text == '\0' || r->data[i] != *text)
            return false;
        text++;
    }
    return *text == '\0';
}

/* The service's own next command. */
static bool take_own(struct dfopt_desk *d, struct dfopt_port_request *r)
{
    if (!dfopt_desk_commands(d)) { /* all taken, and the last one is handled */
        d->own.len = d->own_taken = 0;
        return false;
    }
    const char *at = d->own.data + d->own_taken;
    const char *end = memchr(at, '\n', d->own.len - d->own_taken);
    *r = (struct dfopt_port_request){.data = at, .len = (size_t)(end - at)};
    d->own_taken += r->len + 1;
    return true;
}

static enum dfopt_err read_policy(struct dfopt_desk *d, struct dfopt_buf *text,
                                  struct dfopt_error *err)
{
    const struct dfopt_run_config *c = d->config;
    struct json_object *tree = NULL;
    enum dfopt_err e = c->read_policy(c->read_policy_arg, text, err);
    if (!e && (e = dfopt_json_parse_file(text->data, text->len, &tree, err)))
        dfopt_error_prefix(err, "--policy");
    if (e)
        return e;
    dfopt_buf_clear(text);
    e = dfopt_json_write(tree, text); /* one line */
    json_object_put(tree);
    return e;
}

/* Rereads the policy file: a command like any other. */
static void look_for_reload(struct dfopt_desk *d)
{
    const struct dfopt_run_config *c = d->config;
    struct dfopt_buf text = {0};
    struct dfopt_error err = {0};
    if (!c->reload || *c->reload == d->reloads)
        return;
    d->reloads = *c->reload;
    enum dfopt_err e = read_policy(d, &text, &err);
    struct dfopt_put p = dfopt_put_start(&d->own, c->dict);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "action", "policy");
    dfopt_member_text(&p, "by", "signal");
    dfopt_put_key(&p, "policy");
    dfopt_put_bytes(&p, text.data, text.len);
    dfopt_put_raw(&p, "}\n");
    p.e = e ? e : p.e;
    if (dfopt_put_end(&p))
        dfopt_log_event(c->log, DFOPT_LOG_ERROR, "optimizer.policy.refused",
                        DFOPT_F_TEXT("error", err.text));
    dfopt_buf_free(&text);
}

int dfopt_desk_reloads(const struct dfopt_desk *d, bool *open)
{
    const int asked = d->config->reload ? *d->config->reload : 0;
    *open = asked != d->reloads || dfopt_desk_commands(d) || d->own_open;
    return asked;
}

const char dfopt_desk_origin[] = "control";

static void put_record(const struct dfopt_desk *d, struct dfopt_record *rec)
{
    *rec = (struct dfopt_record){.data = d->request.data,
                                 .len = d->request.len,
                                 .stream = DFOPT_STREAM_CONTROL,
                                 .origin = dfopt_desk_origin,
                                 .unit = DFOPT_OFFSET_RECEIVED};
}

enum dfopt_desk_took dfopt_desk_take(struct dfopt_desk *d, struct dfopt_record *rec)
{
    struct dfopt_port *port = d->config->port;
    look_for_reload(d);
    if (take_own(d, &d->request)) {
        put_record(d, rec);
        return DFOPT_DESK_COMMAND;
    }
    if (!port || !port->ops->next(port, &d->request))
        return DFOPT_DESK_NOTHING;
    if (is_text(&d->request, DFOPT_PORT_STATUS)) {
        if (dfopt_buf_add(&d->asking, &d->request, sizeof d->request))
            dfopt_desk_refuse(d, "out of memory");
        return DFOPT_DESK_ASKED;
    }
    const bool restore = is_text(&d->request, DFOPT_PORT_STOP_RESTORE);
    if (restore || is_text(&d->request, DFOPT_PORT_STOP)) {
        d->stop = true;
        d->restore |= restore;
        dfopt_buf_clear(&d->text);
        if (!dfopt_buf_printf(&d->text, "{\"stopping\":true}"))
            answer(d, &d->request);
        return DFOPT_DESK_ASKED;
    }
    if (d->request.len == 0 || d->closing) {
        dfopt_desk_refuse(d, d->closing ? "the service restores the registered "
                                          "values and stops; it takes no commands"
                                        : "the request is empty");
        return DFOPT_DESK_ASKED;
    }
    put_record(d, rec);
    return DFOPT_DESK_COMMAND;
}

enum dfopt_err dfopt_desk_numbered(struct dfopt_desk *d, uint64_t seq)
{
    struct waiting w = {.seq = seq, .client = d->request};
    w.client.data = NULL;
    if (w.client.client_len)
        return dfopt_buf_add(&d->waiting, &w, sizeof w);
    d->own_last = seq;
    d->own_open = true;
    return DFOPT_OK;
}

/* ---- answers to commands ---- */

static void tell_outcome(struct dfopt_desk *d, const struct dfopt_command_row *row,
                         const struct dfopt_batch *r,
                         const struct dfopt_port_request *to)
{
    const struct dfopt_plan *plan =
        DFOPT_ROW(&r->merged.plans, const struct dfopt_plan);
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    dfopt_buf_clear(&d->text);
    struct dfopt_put p = dfopt_put_start(&d->text, d->config->dict);
    dfopt_put_raw(&p, "{");
    dfopt_member_uint(&p, "event", row->seq);
    dfopt_member_text(&p, "action", dfopt_command_action_name(row->action));
    dfopt_member_text(&p, "outcome", dfopt_command_outcome_name(row->outcome));
    dfopt_member_text(&p, "meaning", dfopt_command_outcome_meaning(row->outcome));
    dfopt_put_key(&p, "plans");
    dfopt_put_raw(&p, "[");
    for (size_t i = 0; i < DFOPT_ROWS(&r->merged.plans, struct dfopt_plan); i++)
        if (plan[i].seq == row->seq) {
            dfopt_plan_id_run_text(plan[i].plan_id, d->config->run, id);
            dfopt_put_next(&p);
            dfopt_put_z(&p, id);
        }
    dfopt_put_raw(&p, "]}");
    if (!dfopt_put_end(&p))
        answer(d, to);
}

enum dfopt_err dfopt_desk_decided(struct dfopt_desk *d, const struct dfopt_batch *r)
{
    const struct dfopt_batch_command *given =
        DFOPT_ROW(&r->commands, const struct dfopt_batch_command);
    const struct dfopt_command_row *row =
        DFOPT_ROW(&r->merged.commands, const struct dfopt_command_row);
    struct waiting *w = DFOPT_ROW(&d->waiting, struct waiting);
    size_t n = DFOPT_ROWS(&d->waiting, struct waiting), kept = 0;
    if (d->own_last < r->first_seq + r->n_events)
        d->own_open = false;
    if (!d->config->port)
        return DFOPT_OK;
    dfopt_recent_outcomes(&d->recent, r);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0;
         i < DFOPT_ROWS(&r->commands, struct dfopt_batch_command) && !e; i++) {
        if (row[i].outcome == DFOPT_COMMAND_DONE && given[i].policy &&
            !given[i].command.check)
            e = note_policy(d, given[i].policy);
        for (size_t k = 0; k < n; k++)
            if (w[k].seq == row[i].seq)
                tell_outcome(d, &row[i], r, &w[k].client);
    }
    for (size_t k = 0; k < n; k++)
        if (w[k].seq >= r->first_seq + r->n_events)
            w[kept++] = w[k];
    d->waiting.len = kept * sizeof *w;
    return e;
}

/* ---- the state ---- */

static void put_target(struct dfopt_put *p, const struct dfopt_commanded_row *m)
{
    static const char *const prefix[] = {"*", "tag:", "knob:"};
    size_t len;
    const char *name = dfopt_dict_text(p->dict, m->name, &len);
    struct dfopt_buf key = {0};
    if (!p->e)
        p->e = dfopt_buf_add(&key, prefix[m->target], strlen(prefix[m->target]));
    if (!p->e && m->target != DFOPT_TARGET_ALL)
        p->e = dfopt_buf_add(&key, name, len);
    dfopt_put_next(p);
    dfopt_put_text(p, key.data, key.len);
    dfopt_put_raw(p, ":");
    dfopt_put_z(p, dfopt_knob_mode_name(m->mode));
    dfopt_buf_free(&key);
}

static void put_proposal(struct dfopt_put *p, const struct dfopt_commanded_row *x,
                         uint32_t run)
{
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    dfopt_plan_id_run_text(x->id, run, id);
    dfopt_put_next(p);
    dfopt_put_raw(p, "{");
    dfopt_member_text(p, "plan_id", id);
    dfopt_member_sym(p, "knob_id", x->name);
    dfopt_member_sym(p, "node", x->node);
    dfopt_member_sym(p, "tag", x->tag);
    dfopt_member_value(p, "old_value", x->old);
    dfopt_member_value(p, "new_value", x->new);
    dfopt_put_raw(p, "}");
}

/* rows: struct dfopt_commanded_row. */
static void put_commanded(struct dfopt_put *p, const struct dfopt_buf *rows,
                          uint32_t run)
{
    const struct dfopt_commanded_row *x =
        DFOPT_ROW(rows, const struct dfopt_commanded_row);
    const size_t n = DFOPT_ROWS(rows, struct dfopt_commanded_row);
    const struct dfopt_commanded_row *freeze = NULL;
    dfopt_put_key(p, "modes");
    dfopt_put_raw(p, "{");
    for (size_t i = 0; i < n; i++) {
        if (x[i].kind == DFOPT_COMMANDED_MODE)
            put_target(p, &x[i]);
        if (x[i].kind == DFOPT_COMMANDED_FREEZE)
            freeze = &x[i];
    }
    dfopt_put_raw(p, "}");
    dfopt_member_bool(p, "frozen", freeze != NULL);
    if (freeze && freeze->bounded)
        dfopt_member_int(p, "until_window", freeze->until);
    dfopt_put_key(p, "proposals");
    dfopt_put_raw(p, "[");
    for (size_t i = 0; i < n; i++)
        if (x[i].kind == DFOPT_COMMANDED_PROPOSAL)
            put_proposal(p, &x[i], run);
    dfopt_put_raw(p, "]");
}

static void put_value(struct dfopt_put *p, const struct dfopt_state_row *row,
                      uint32_t run)
{
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    dfopt_put_next(p);
    dfopt_put_raw(p, "{");
    dfopt_member_sym(p, "knob_id", row->knob);
    dfopt_member_sym(p, "node", row->node);
    if (row->flags & DFOPT_STATE_VALUE)
        dfopt_member_value(p, "value", row->value);
    if (row->flags & DFOPT_STATE_PENDING) {
        dfopt_plan_id_run_text(row->plan_id, run, id);
        dfopt_member_text(p, "plan_id", id);
        dfopt_member_value(p, "old_value", row->plan_old);
        dfopt_member_int(p, "window_index", row->plan_window);
    }
    dfopt_put_raw(p, "}");
}

static void put_policy(struct dfopt_put *p, struct dfopt_desk *d)
{
    if (!d->policy.len && !p->e)
        p->e = note_policy(d, d->config->policy);
    dfopt_put_key(p, "policy");
    dfopt_put_bytes(p, d->policy.data, d->policy.len);
}

void dfopt_desk_state(struct dfopt_desk *d, const struct dfopt_totals *t,
                      const struct dfopt_run_result *now)
{
    const struct dfopt_buf *rows = &now->state;
    const struct dfopt_state_row *row =
        DFOPT_ROW(rows, const struct dfopt_state_row);
    const struct dfopt_port_request *to =
        DFOPT_ROW(&d->asking, const struct dfopt_port_request);
    if (!dfopt_desk_wants_state(d))
        return;
    dfopt_buf_clear(&d->text);
    struct dfopt_put p = dfopt_put_start(&d->text, d->config->dict);
    dfopt_put_raw(&p, "{");
    dfopt_member_uint(&p, "records", t->records);
    dfopt_member_uint(&p, "findings", t->by_stream[DFOPT_STREAM_FINDING]);
    dfopt_member_uint(&p, "plans", t->plans);
    dfopt_member_uint(&p, "invalid", t->invalid);
    dfopt_member_uint(&p, "commands", t->by_stream[DFOPT_STREAM_CONTROL]);
    dfopt_member_uint(&p, "commands_refused", t->commands_refused);
    dfopt_recent_put_rates(&d->recent, t, dfopt_clock_monotonic_ns(), &p);
    if (d->config->describe)
        d->config->describe(d->config->describe_arg, &p);
    put_commanded(&p, &now->commanded, d->config->run);
    dfopt_put_key(&p, "values");
    dfopt_put_raw(&p, "[");
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_state_row); i++)
        if (row[i].flags & (DFOPT_STATE_VALUE | DFOPT_STATE_PENDING))
            put_value(&p, &row[i], d->config->run);
    dfopt_put_raw(&p, "]");
    dfopt_recent_put_outcomes(&d->recent, d->config->run, &p);
    put_policy(&p, d);
    dfopt_put_raw(&p, "}");
    if (!dfopt_put_end(&p))
        for (size_t i = 0; i < DFOPT_ROWS(&d->asking, struct dfopt_port_request);
             i++)
            answer(d, &to[i]);
    dfopt_buf_clear(&d->asking);
}

/* ---- restore ---- */

static enum dfopt_err command_restore(struct dfopt_desk *d, dfopt_sym node)
{
    struct dfopt_put p = dfopt_put_start(&d->own, d->config->dict);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "action", "restore");
    dfopt_member_sym(&p, "node", node);
    dfopt_member_text(&p, "by", "dfopt-mpi --restore-at-end");
    dfopt_put_raw(&p, "}\n");
    return dfopt_put_end(&p);
}

enum dfopt_err dfopt_desk_restore(struct dfopt_desk *d,
                                  const struct dfopt_buf *rows)
{
    const struct dfopt_state_row *row =
        DFOPT_ROW(rows, const struct dfopt_state_row);
    struct dfopt_symmap seen = {0};
    enum dfopt_err e = command_restore(d, DFOPT_SYM_EMPTY);
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_state_row) && !e; i++) {
        if (row[i].node == DFOPT_SYM_EMPTY ||
            dfopt_symmap_get(&seen, row[i].node) != DFOPT_SYMMAP_NONE)
            continue;
        e = dfopt_symmap_set(&seen, row[i].node, 1);
        if (!e)
            e = command_restore(d, row[i].node);
    }
    dfopt_symmap_free(&seen);
    return e;
}

size_t dfopt_desk_unanswered(const struct dfopt_desk *d,
                             const struct dfopt_buf *rows, bool tell)
{
    const struct dfopt_run_config *c = d->config;
    const struct dfopt_state_row *row =
        DFOPT_ROW(rows, const struct dfopt_state_row);
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    size_t n = 0;
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_state_row); i++) {
        if (!(row[i].flags & DFOPT_STATE_PENDING))
            continue;
        n++;
        dfopt_plan_id_run_text(row[i].plan_id, c->run, id);
        if (tell)
            dfopt_log_event(
                c->log, DFOPT_LOG_WARNING, "optimizer.restore.unacknowledged",
                DFOPT_F_TEXT("plan_id", id),
                DFOPT_F_TEXT("knob_id",
                             dfopt_dict_text(c->dict, row[i].knob, NULL)),
                DFOPT_F_TEXT("node", dfopt_dict_text(c->dict, row[i].node, NULL)));
    }
    return n;
}
