/* Plans in a ring, oldest first, indexed by a chained hash table; each plan
 * keeps its processes in order of their first acks. */
#include "state/tally.h"

#include "base/buf.h"
#include "declog/cursor.h"

#include <stdlib.h>

#define PLANS_DEFAULT 4096
#define NOWHERE       UINT32_MAX
/* A process beyond this limit is counted once per ack. */
#define PROCESSES_MAX 4096
/* Over all plans; beyond it the oldest plans are forgotten. */
#define PROCESSES_ALL ((size_t)1 << 20)

struct process {
    dfopt_sym instance;
    uint32_t status;
};

struct plan {
    uint64_t id;
    uint32_t next; /* in the hash chain */
    uint32_t status;
    struct dfopt_value value; /* of the first process */
    dfopt_sym instance;
    struct dfopt_tally_count count;
    struct dfopt_buf processes; /* struct process, those that name an instance */
};

struct dfopt_tally {
    const struct dfopt_dict *dict;
    struct plan *plans; /* a ring */
    uint32_t *heads;
    uint32_t size, first, n;
    size_t processes; /* over all plans */
};

enum dfopt_err dfopt_tally_create(struct dfopt_tally **out,
                                  const struct dfopt_dict *dict, size_t plans)
{
    struct dfopt_tally *t = calloc(1, sizeof *t);
    if (!t)
        return DFOPT_ERR_NOMEM;
    t->dict = dict;
    t->size = plans == 0            ? PLANS_DEFAULT
              : plans < NOWHERE / 2 ? (uint32_t)plans
                                    : NOWHERE / 2;
    t->plans = calloc(t->size, sizeof *t->plans);
    t->heads = malloc(t->size * sizeof *t->heads);
    if (!t->plans || !t->heads) {
        dfopt_tally_destroy(t);
        return DFOPT_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < t->size; i++)
        t->heads[i] = NOWHERE;
    *out = t;
    return DFOPT_OK;
}

void dfopt_tally_destroy(struct dfopt_tally *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; t->plans && i < t->size; i++)
        dfopt_buf_free(&t->plans[i].processes);
    free(t->plans);
    free(t->heads);
    free(t);
}

/* ---- plans ---- */

static uint32_t *head_of(const struct dfopt_tally *t, uint64_t id)
{
    const uint64_t mixed = id * UINT64_C(0x9e3779b97f4a7c15);
    return &t->heads[(mixed >> 32) % t->size];
}

static struct plan *find(const struct dfopt_tally *t, uint64_t id)
{
    uint32_t i = *head_of(t, id);
    while (i != NOWHERE && t->plans[i].id != id)
        i = t->plans[i].next;
    return i == NOWHERE ? NULL : &t->plans[i];
}

static void forget_oldest(struct dfopt_tally *t)
{
    struct plan *p = &t->plans[t->first];
    uint32_t *at = head_of(t, p->id);
    while (*at != t->first)
        at = &t->plans[*at].next;
    *at = p->next;
    t->processes -= DFOPT_ROWS(&p->processes, struct process);
    dfopt_buf_free(&p->processes);
    t->first = (t->first + 1) % t->size;
    t->n--;
}

static struct plan *add_plan(struct dfopt_tally *t, uint64_t id)
{
    if (t->n == t->size)
        forget_oldest(t);
    const uint32_t at = (t->first + t->n) % t->size;
    uint32_t *head = head_of(t, id);
    t->plans[at] = (struct plan){.id = id, .next = *head};
    *head = at;
    t->n++;
    return &t->plans[at];
}

/* ---- processes ---- */

static uint32_t *count_of(struct dfopt_tally_count *c, uint32_t status)
{
    return status == DFOPT_ACK_APPLIED    ? &c->applied
           : status == DFOPT_ACK_REJECTED ? &c->rejected
                                          : &c->other;
}

static struct process *find_process(const struct plan *p, dfopt_sym instance)
{
    struct process *all = DFOPT_ROW(&p->processes, struct process);
    const size_t n = DFOPT_ROWS(&p->processes, struct process);
    for (size_t i = 0; i < n && instance != DFOPT_SYM_EMPTY; i++)
        if (all[i].instance == instance)
            return &all[i];
    return NULL;
}

/* *known: it has answered before. */
static enum dfopt_err count(struct dfopt_tally *t, struct plan *p,
                            const struct dfopt_tally_ack *ack, bool *known)
{
    const struct process process = {ack->instance, ack->status};
    struct process *was = find_process(p, ack->instance);
    *known = was != NULL;
    if (was) {
        --*count_of(&p->count, was->status);
        was->status = ack->status;
    } else if (ack->instance != DFOPT_SYM_EMPTY &&
               DFOPT_ROWS(&p->processes, struct process) < PROCESSES_MAX) {
        if (dfopt_buf_add(&p->processes, &process, sizeof process))
            return DFOPT_ERR_NOMEM;
        t->processes++;
    }
    ++*count_of(&p->count, ack->status);
    return DFOPT_OK;
}

/* ---- acks ---- */

static bool is_final(uint32_t status)
{
    return status == DFOPT_ACK_APPLIED || status == DFOPT_ACK_REJECTED;
}

static bool contradicts(const struct dfopt_tally *t, const struct plan *p,
                        const struct dfopt_tally_ack *ack)
{
    if (!is_final(p->status) || !is_final(ack->status))
        return false;
    return p->status != ack->status ||
           (ack->status == DFOPT_ACK_APPLIED &&
            ack->value.kind != DFOPT_KIND_NULL &&
            p->value.kind != DFOPT_KIND_NULL &&
            !dfopt_value_equal(t->dict, p->value, ack->value));
}

static bool is_of_first(const struct plan *p, const struct dfopt_tally_ack *ack)
{
    return p->instance != DFOPT_SYM_EMPTY && p->instance == ack->instance;
}

enum dfopt_err dfopt_tally_add(struct dfopt_tally *t,
                               const struct dfopt_tally_ack *ack, uint32_t *kind)
{
    struct plan *p = ack->plan_id ? find(t, ack->plan_id) : NULL;
    const bool fresh = !p;
    bool known = false;
    *kind = DFOPT_ACK_TALLY_NONE;
    if (!p && (!ack->first || !ack->plan_id))
        return DFOPT_OK;
    if (!p)
        p = add_plan(t, ack->plan_id);
    const bool of_first = fresh || is_of_first(p, ack);
    const bool against = !of_first && contradicts(t, p, ack);
    if (of_first) { /* its first answer may have been "deferred" */
        p->instance = ack->instance;
        p->status = ack->status;
        p->value = ack->value;
    }
    if (count(t, p, ack, &known))
        return DFOPT_ERR_NOMEM;
    p->count.differ += against;
    *kind = fresh     ? DFOPT_ACK_TALLY_FIRST
            : against ? DFOPT_ACK_TALLY_CONTRADICTS
            : known   ? DFOPT_ACK_TALLY_REPEATS
                      : DFOPT_ACK_TALLY_AGREES;
    while (t->processes > PROCESSES_ALL && t->n > 1)
        forget_oldest(t);
    return DFOPT_OK;
}

const struct dfopt_tally_count *dfopt_tally_of(const struct dfopt_tally *t,
                                               uint64_t plan_id)
{
    const struct plan *p = plan_id ? find(t, plan_id) : NULL;
    return p ? &p->count : NULL;
}

/* ---- a log ---- */

/* Converts a logged ack to one to count. */
static struct dfopt_tally_ack as_ack(const struct dfopt_declog_ack_row *row)
{
    const bool first = row->outcome != DFOPT_ACK_OUTCOME_UNMATCHED;
    return (struct dfopt_tally_ack){
        .plan_id = first             ? row->plan_id
                   : row->known_form ? row->given_id
                                     : 0,
        .first = first,
        .instance = row->instance,
        .status = row->status,
        .value =
            first && row->status == DFOPT_ACK_APPLIED ? row->value : row->given_new,
    };
}

enum dfopt_err dfopt_tally_read(struct dfopt_tally *t,
                                struct dfopt_declog_reader *r,
                                struct dfopt_error *err)
{
    struct dfopt_cursor c;
    const void *row = NULL;
    uint32_t kind;
    dfopt_cursor_init(&c, r, DFOPT_TABLE_ACKS);
    enum dfopt_err e = dfopt_cursor_row(&c, &row, err);
    while (!e && row) {
        const struct dfopt_tally_ack ack = as_ack(row);
        if (dfopt_tally_add(t, &ack, &kind))
            e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
        c.next++;
        if (!e)
            e = dfopt_cursor_row(&c, &row, err);
    }
    dfopt_cursor_free(&c);
    return e;
}
