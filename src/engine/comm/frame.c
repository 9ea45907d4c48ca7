/* Writing and opening frames. Every item starts with {u32 kind, u32 size} and is
 * padded to 8 bytes, so that rows can be read in place. */
#include "engine/comm/frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct item_header {
    uint32_t kind, size;
};

/* ---- sets of numbers ---- */

static bool has(const struct dfopt_bits *b, uint32_t i)
{
    return i / 64 < b->n && (b->words[i / 64] >> i % 64 & 1) != 0;
}

static enum dfopt_err put(struct dfopt_bits *b, uint32_t i)
{
    if (i / 64 >= b->n) {
        uint32_t n = b->n ? b->n : 16;
        while (n <= i / 64)
            n *= 2;
        uint64_t *words = realloc(b->words, n * sizeof *words);
        if (!words)
            return DFOPT_ERR_NOMEM;
        memset(words + b->n, 0, (n - b->n) * sizeof *words);
        b->words = words;
        b->n = n;
    }
    b->words[i / 64] |= (uint64_t)1 << i % 64;
    return DFOPT_OK;
}

void dfopt_frame_known_free(struct dfopt_frame_known *p)
{
    free(p->strings.words);
    free(p->lists.words);
    *p = (struct dfopt_frame_known){0};
}

/* ---- writing ---- */

enum dfopt_err dfopt_frame_begin(struct dfopt_frame *f, struct dfopt_buf *out,
                                 const struct dfopt_dict *dict,
                                 struct dfopt_frame_known *known)
{
    *f = (struct dfopt_frame){.out = out, .dict = dict, .known = known};
    dfopt_buf_clear(out);
    return dfopt_buf_grow(out, sizeof(struct dfopt_frame_header)) ? DFOPT_OK
                                                                  : DFOPT_ERR_NOMEM;
}

/* Adds an item in two parts, either of which may be empty. */
static enum dfopt_err add_item(struct dfopt_frame *f, enum dfopt_item_kind kind,
                               const void *a, size_t na, const void *b, size_t nb)
{
    const size_t size = na + nb, padded = (size + 7) & ~(size_t)7;
    if (size > UINT32_MAX)
        return DFOPT_ERR_LIMIT;
    enum dfopt_err e =
        dfopt_buf_reserve(f->out, sizeof(struct item_header) + padded);
    if (e)
        return e;
    struct item_header h = {.kind = (uint32_t)kind, .size = (uint32_t)size};
    char *at = f->out->data + f->out->len;
    memcpy(at, &h, sizeof h);
    at += sizeof h;
    if (na)
        memcpy(at, a, na);
    if (nb)
        memcpy(at + na, b, nb);
    memset(at + size, 0, padded - size);
    f->out->len += sizeof h + padded;
    f->n_items++;
    return DFOPT_OK;
}

enum dfopt_err dfopt_frame_item(struct dfopt_frame *f, enum dfopt_item_kind kind,
                                const void *data, size_t size)
{
    return add_item(f, kind, data, size, NULL, 0);
}

enum dfopt_err dfopt_frame_string(struct dfopt_frame *f, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(f->dict, s, &len);
    return add_item(f, DFOPT_ITEM_STRING, &s, sizeof s, text, len);
}

enum dfopt_err dfopt_frame_list(struct dfopt_frame *f, dfopt_list l)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(f->dict, l, &n);
    return add_item(f, DFOPT_ITEM_LIST, &l, sizeof l, items, n * sizeof *items);
}

enum dfopt_err dfopt_frame_names(struct dfopt_frame *f, uint32_t first_string,
                                 uint32_t first_list)
{
    enum dfopt_err e = DFOPT_OK;
    for (dfopt_sym s = first_string; s < dfopt_dict_strings(f->dict) && !e; s++)
        e = dfopt_frame_string(f, s);
    for (dfopt_list l = first_list; l < dfopt_dict_lists(f->dict) && !e; l++)
        e = dfopt_frame_list(f, l);
    return e;
}

/* Defines a string to the receiver, unless it knows it. The same set holds local
 * numbers: an authority has none and a replica defines nothing else. */
static enum dfopt_err define(struct dfopt_frame *f, dfopt_sym s)
{
    const uint32_t bit = s & 0x7fffffffu;
    if (!f->known || s == DFOPT_SYM_NONE || s == DFOPT_SYM_EMPTY ||
        has(&f->known->strings, bit))
        return DFOPT_OK;
    enum dfopt_err e = put(&f->known->strings, bit);
    return e ? e : dfopt_frame_string(f, s);
}

static enum dfopt_err define_list(struct dfopt_frame *f, dfopt_list l)
{
    if (!f->known || l == DFOPT_LIST_EMPTY || has(&f->known->lists, l))
        return DFOPT_OK;
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(f->dict, l, &n);
    enum dfopt_err e = put(&f->known->lists, l);
    for (size_t i = 0; i < n && !e; i++)
        e = define(f, items[i]);
    return e ? e : dfopt_frame_list(f, l);
}

static enum dfopt_err define_all(struct dfopt_frame *f, const dfopt_sym *syms,
                                 size_t n)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = define(f, syms[i]);
    return e;
}

#define DEFINE_ALL(f, ...)                                                         \
    define_all(f, (const dfopt_sym[]){__VA_ARGS__},                                \
               sizeof((const dfopt_sym[]){__VA_ARGS__}) / sizeof(dfopt_sym))

static enum dfopt_err define_value(struct dfopt_frame *f, struct dfopt_value v)
{
    return v.kind == DFOPT_KIND_STR ? define(f, v.str) : DFOPT_OK;
}

enum dfopt_err dfopt_frame_finding(struct dfopt_frame *f, uint64_t seq,
                                   const struct dfopt_finding *x)
{
    enum dfopt_err e =
        DEFINE_ALL(f, x->type, x->scope, x->node, x->motif, x->trend_text);
    if (!e)
        e = define_list(f, x->tags);
    if (!e)
        e = define_list(f, x->suppresses);
    return e ? e : add_item(f, DFOPT_ITEM_FINDING, &seq, sizeof seq, x, sizeof *x);
}

enum dfopt_err dfopt_frame_ack(struct dfopt_frame *f, uint64_t seq,
                               const struct dfopt_ack *a)
{
    enum dfopt_err e = DEFINE_ALL(f, a->knob, a->node, a->instance);
    if (!e)
        e = define_value(f, a->old_value);
    if (!e)
        e = define_value(f, a->new_value);
    return e ? e : add_item(f, DFOPT_ITEM_ACK, &seq, sizeof seq, a, sizeof *a);
}

enum dfopt_err dfopt_frame_global_plan(struct dfopt_frame *f, uint64_t seq,
                                       const struct dfopt_global_plan *g)
{
    enum dfopt_err e =
        DEFINE_ALL(f, g->plan_id, g->knob, g->target_function, g->apply_when,
                   g->rationale, g->finding_type, g->tag);
    if (!e)
        e = define_list(f, g->target_nodes);
    if (!e)
        e = define_value(f, g->new_value);
    return e ? e
             : add_item(f, DFOPT_ITEM_GLOBAL_PLAN, &seq, sizeof seq, g, sizeof *g);
}

enum dfopt_err dfopt_frame_objective(struct dfopt_frame *f, uint64_t seq,
                                     const struct dfopt_objective *o)
{
    enum dfopt_err e = define(f, o->node);
    return e ? e
             : add_item(f, DFOPT_ITEM_OBJECTIVE, &seq, sizeof seq, o, sizeof *o);
}

static enum dfopt_err define_response(struct dfopt_frame *f,
                                      const struct dfopt_response *r)
{
    enum dfopt_err e = DEFINE_ALL(f, r->tag, r->apply_when);
    if (!e)
        e = define_value(f, r->step);
    return e ? e : define_value(f, r->set_to);
}

static enum dfopt_err define_knob(struct dfopt_frame *f, const struct dfopt_knob *k)
{
    enum dfopt_err e =
        DEFINE_ALL(f, k->id, k->parameter, k->target_function, k->scope);
    const struct dfopt_value v[] = {k->lo, k->hi, k->default_value, k->current};
    for (size_t i = 0; i < 4 && !e; i++)
        e = define_value(f, v[i]);
    for (size_t i = 0; i < k->n_values && !e; i++)
        e = define_value(f, k->values[i]);
    for (size_t i = 0; i < k->n_responses && !e; i++)
        e = define_response(f, &k->responses[i]);
    return e;
}

/* A registration is packed as seq, name_space, function, node, instance,
 * unregister, flaw, n_knobs (one u64 per pair), then each knob with its memory
 * layout, followed by its values and responses. */
enum dfopt_err dfopt_frame_registration(struct dfopt_frame *f, uint64_t seq,
                                        const struct dfopt_registration *r)
{
    enum dfopt_err e =
        DEFINE_ALL(f, r->name_space, r->function, r->node, r->instance);
    for (size_t i = 0; i < r->n_knobs && !e; i++)
        e = define_knob(f, &r->knobs[i]);
    struct dfopt_buf b = {0};
    const uint64_t head[] = {seq, (uint64_t)r->name_space << 32 | r->function,
                             (uint64_t)r->node << 32 | r->instance,
                             (uint64_t)r->unregister << 32 | r->flaw, r->n_knobs};
    if (!e)
        e = dfopt_buf_add(&b, head, sizeof head);
    for (size_t i = 0; i < r->n_knobs && !e; i++) {
        const struct dfopt_knob *k = &r->knobs[i];
        e = dfopt_buf_add(&b, k, sizeof *k);
        if (!e)
            e = dfopt_buf_add(&b, k->values, k->n_values * sizeof *k->values);
        if (!e)
            e = dfopt_buf_add(&b, k->responses,
                              k->n_responses * sizeof *k->responses);
    }
    if (!e)
        e = add_item(f, DFOPT_ITEM_REGISTRATION, b.data, b.len, NULL, 0);
    dfopt_buf_free(&b);
    return e;
}

/* Packs the arrays of a policy, in order. */
static enum dfopt_err pack_policy(const struct dfopt_policy *p, struct dfopt_buf *b)
{
    enum dfopt_err e =
        dfopt_buf_add(b, p->overrides, p->n_overrides * sizeof *p->overrides);
    if (!e)
        e = dfopt_buf_add(b, p->budgets, p->n_budgets * sizeof *p->budgets);
    if (!e)
        e = dfopt_buf_add(b, p->terms, p->n_terms * sizeof *p->terms);
    if (!e)
        e = dfopt_buf_add(b, p->guards, p->n_guards * sizeof *p->guards);
    return e ? e : dfopt_buf_add(b, p->names, p->n_names * sizeof *p->names);
}

static enum dfopt_err define_policy(struct dfopt_frame *f,
                                    const struct dfopt_policy *p)
{
    enum dfopt_err e = define_all(f, p->names, p->n_names);
    if (!e)
        e = define_all(f, p->metrics.name, DFOPT_METRIC_NAMED);
    for (size_t i = 0; i < p->n_overrides && !e; i++) {
        e = define(f, p->overrides[i].name);
        if (!e)
            e = define_response(f, &p->overrides[i].to);
    }
    for (size_t i = 0; i < p->n_budgets && !e; i++)
        e = define(f, p->budgets[i].name);
    for (size_t i = 0; i < p->n_guards && !e; i++)
        e = define(f, p->guards[i].finding_type);
    return e;
}

/* The part of a policy before its arrays. */
static void put_head(const struct dfopt_policy *p, struct dfopt_frame_config *out)
{
    struct dfopt_frame_config c;
    memset(&c, 0, sizeof c); /* padding is part of checksums */
    c.on = p->on;
    c.n_overrides = p->n_overrides;
    c.n_budgets = p->n_budgets;
    c.n_terms = p->n_terms;
    c.n_guards = p->n_guards;
    c.n_names = p->n_names;
    c.objective_metric = p->objective_metric;
    c.metrics = p->metrics;
    c.limits = p->limits;
    memcpy(out, &c, sizeof c);
}

enum dfopt_err dfopt_frame_config(struct dfopt_frame *f,
                                  const struct dfopt_policy *p, bool assumed_acks,
                                  dfopt_sym relay_hostname)
{
    struct dfopt_frame_config c;
    put_head(p, &c);
    c.assumed_acks = assumed_acks;
    c.relay_hostname = relay_hostname;
    struct dfopt_buf arrays = {0};
    enum dfopt_err e = define(f, relay_hostname);
    if (!e)
        e = define_policy(f, p);
    if (!e)
        e = pack_policy(p, &arrays);
    if (!e)
        e = add_item(f, DFOPT_ITEM_CONFIG, &c, sizeof c, arrays.data, arrays.len);
    dfopt_buf_free(&arrays);
    return e;
}

enum dfopt_err dfopt_frame_command(struct dfopt_frame *f, uint64_t seq,
                                   const struct dfopt_command *c,
                                   const struct dfopt_policy *policy)
{
    struct dfopt_buf b = {0};
    struct dfopt_frame_config head;
    enum dfopt_err e = DEFINE_ALL(f, c->name, c->node, c->by, c->at,
                                  c->word_operator, c->word_next_window);
    if (!e)
        e = define_value(f, c->value);
    if (!e && policy)
        e = define_policy(f, policy);
    if (!e)
        e = dfopt_buf_add(&b, &seq, sizeof seq);
    if (!e)
        e = dfopt_buf_add(&b, c, sizeof *c);
    if (!e && policy) {
        put_head(policy, &head);
        e = dfopt_buf_add(&b, &head, sizeof head);
        if (!e)
            e = pack_policy(policy, &b);
    }
    if (!e)
        e = dfopt_frame_item(f, DFOPT_ITEM_COMMAND, b.data, b.len);
    dfopt_buf_free(&b);
    return e;
}

/* Adds rows whose texts may be local to the sender: defines those first. */
static enum dfopt_err add_rows(struct dfopt_frame *f, uint32_t item,
                               const struct dfopt_buf *rows)
{
    const struct dfopt_row_kind *k = dfopt_row_kind(item);
    enum dfopt_err e = DFOPT_OK;
    for (size_t at = 0; k->n_values && at < rows->len && !e; at += k->size)
        for (int i = 0; i < k->n_values && !e; i++) {
            const struct dfopt_value *v =
                (const void *)(rows->data + at + k->values[i]);
            if (v->kind == DFOPT_KIND_STR && dfopt_sym_is_local(v->str))
                e = define(f, v->str);
        }
    return e || !rows->len ? e
                           : dfopt_frame_item(f, (enum dfopt_item_kind)item,
                                              rows->data, rows->len);
}

enum dfopt_err dfopt_frame_decisions(struct dfopt_frame *f,
                                     const struct dfopt_decisions *d)
{
    const struct dfopt_buf *tables = (const void *)d;
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < DFOPT_DECISION_TABLES && !e; i++)
        e = add_rows(f, DFOPT_ITEM_VERDICTS + i, &tables[i]);
    return e;
}

enum dfopt_err dfopt_frame_state(struct dfopt_frame *f,
                                 const struct dfopt_buf *state_rows,
                                 const struct dfopt_buf *suppression_states,
                                 const struct dfopt_buf *commanded)
{
    enum dfopt_err e = add_rows(f, DFOPT_ITEM_STATE_ROWS, state_rows);
    if (!e)
        e = add_rows(f, DFOPT_ITEM_SUPPRESSION_STATES, suppression_states);
    return e ? e : add_rows(f, DFOPT_ITEM_COMMANDED_ROWS, commanded);
}

enum dfopt_err dfopt_frame_restore(struct dfopt_frame *f,
                                   const struct dfopt_buf *state_rows,
                                   const struct dfopt_buf *suppression_states)
{
    const struct dfopt_state_row *s =
        DFOPT_ROW(state_rows, const struct dfopt_state_row);
    const struct dfopt_suppression_state *t =
        DFOPT_ROW(suppression_states, const struct dfopt_suppression_state);
    const size_t states = DFOPT_ROWS(state_rows, struct dfopt_state_row);
    const size_t suppressions =
        DFOPT_ROWS(suppression_states, struct dfopt_suppression_state);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < states && !e; i++) {
        e = DEFINE_ALL(f, s[i].knob, s[i].node);
        if (!e)
            e = define_value(f, s[i].value);
        if (!e)
            e = define_value(f, s[i].plan_old);
    }
    for (size_t i = 0; i < suppressions && !e; i++)
        e = DEFINE_ALL(f, t[i].tag, t[i].finding_type);
    static const struct dfopt_buf none;
    return e ? e : dfopt_frame_state(f, state_rows, suppression_states, &none);
}

/* Of the header, except its checksum, and of everything after it. */
static uint64_t checksum(const struct dfopt_frame_header *h, const char *bytes)
{
    struct dfopt_frame_header bare = *h;
    bare.checksum = 0;
    return XXH3_64bits_withSeed(bytes, (size_t)h->length,
                                XXH3_64bits(&bare, sizeof bare));
}

void dfopt_frame_end(struct dfopt_frame *f, enum dfopt_frame_kind kind,
                     uint64_t batch)
{
    const size_t skip = sizeof(struct dfopt_frame_header);
    struct dfopt_frame_header h = {
        .magic = DFOPT_FRAME_MAGIC,
        .version = DFOPT_FRAME_VERSION,
        .kind = (uint32_t)kind,
        .n_items = f->n_items,
        .batch = batch,
        .length = f->out->len - skip,
    };
    h.checksum = checksum(&h, f->out->data + skip);
    memcpy(f->out->data, &h, sizeof h);
}

/* ---- opening ---- */

enum dfopt_err dfopt_frame_open(struct dfopt_frame_reader *r, const void *bytes,
                                size_t len, struct dfopt_error *err)
{
    struct dfopt_frame_header h;
    if (len < sizeof h)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "frame of %zu bytes is truncated", len);
    memcpy(&h, bytes, sizeof h);
    if (h.magic != DFOPT_FRAME_MAGIC)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "not a frame (magic %08" PRIx32 ")", h.magic);
    if (h.version != DFOPT_FRAME_VERSION)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "frame of version %" PRIu32
            ", expected %u: all ranks must run the same dfopt-mpi",
            h.version, DFOPT_FRAME_VERSION);
    if (h.length != len - sizeof h)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "frame of %" PRIu64 " bytes, but %zu arrived",
                               h.length, len - sizeof h);
    const char *start = (const char *)bytes + sizeof h;
    if (checksum(&h, start) != h.checksum)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT, "wrong checksum of a frame");
    *r = (struct dfopt_frame_reader){
        .header = h, .at = start, .end = start + h.length, .items_left = h.n_items};
    return DFOPT_OK;
}

bool dfopt_frame_next(struct dfopt_frame_reader *r, struct dfopt_item *item,
                      enum dfopt_err *e)
{
    struct item_header h;
    const size_t room = (size_t)(r->end - r->at);
    *e = DFOPT_OK;
    if (r->items_left == 0 && room == 0)
        return false;
    *e = DFOPT_ERR_FORMAT;
    if (r->items_left == 0 || room < sizeof h)
        return false;
    memcpy(&h, r->at, sizeof h);
    const size_t padded = ((size_t)h.size + 7) & ~(size_t)7;
    if (padded > room - sizeof h)
        return false;
    *e = DFOPT_OK;
    *item = (struct dfopt_item){h.kind, h.size, r->at + sizeof h};
    r->at += sizeof h + padded;
    r->items_left--;
    return true;
}
