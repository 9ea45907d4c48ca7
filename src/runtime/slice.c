/* Slices. Findings are decoded once. The other records are few, but own memory
 * and name many strings; they are looked at when the slice is decoded, and taken
 * in when all their strings have their numbers. */
#include "runtime/slice.h"

#include "planner/symmap.h"
#include "runtime/restore.h"

#include <stdlib.h>
#include <string.h>

#define MEANWHILE_RECORDS 128 /* some 60 us */

/* A record that is no finding: where it is, and, once placed, what it says. */
struct other {
    uint64_t index; /* in the slice */
    size_t at;      /* in s->texts */
    size_t len;
    uint64_t line, offset;
    int stream;
    struct dfopt_event event; /* registration: owned by the round */
};

enum dfopt_err dfopt_slice_init(struct dfopt_slice *s)
{
    s->owner = calloc(1, sizeof *s->owner);
    s->intake = (struct dfopt_intake){.dict = s->dict,
                                      .codec = s->codec,
                                      .policy = s->policy,
                                      .keep_findings = true};
    enum dfopt_err e = dfopt_round_init(&s->round, s->planners);
    return s->owner ? e : DFOPT_ERR_NOMEM;
}

void dfopt_slice_free(struct dfopt_slice *s)
{
    if (s->owner)
        dfopt_symmap_free(s->owner);
    free(s->owner);
    dfopt_round_free(&s->round);
    dfopt_buf_free(&s->reader.bytes);
    dfopt_buf_free(&s->others);
    dfopt_buf_free(&s->texts);
}

/* ---- decoding ---- */

/* The planner that reports what is decided about a finding. */
static enum dfopt_err reporter_of(struct dfopt_slice *s,
                                  const struct dfopt_finding *f, uint32_t *out)
{
    *out = DFOPT_PARTITION_SPEAKER;
    if (f->node == DFOPT_SYM_EMPTY)
        return DFOPT_OK;
    *out = dfopt_symmap_get(s->owner, f->node);
    if (*out != DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    size_t len;
    const char *name = dfopt_dict_text(s->dict, f->node, &len);
    *out = dfopt_partition_owner(name, len, s->planners);
    return dfopt_symmap_set(s->owner, f->node, *out);
}

static enum dfopt_err add_event(struct dfopt_slice *s, uint32_t reporter)
{
    enum dfopt_err e =
        dfopt_buf_add(&s->round.reporter, &reporter, sizeof reporter);
    if (!e)
        s->round.n_events++;
    return e;
}

static enum dfopt_err keep_other(struct dfopt_slice *s,
                                 const struct dfopt_record *rec, uint32_t stream)
{
    const struct other o = {.index = s->round.n_events,
                            .at = s->texts.len,
                            .len = rec->len,
                            .line = rec->line,
                            .offset = rec->offset,
                            .stream = rec->stream,
                            .event = {.stream = stream}};
    enum dfopt_err e = dfopt_buf_add(&s->texts, rec->data, rec->len);
    if (!e)
        e = dfopt_buf_add(&s->others, &o, sizeof o);
    if (e)
        return e;
    return add_event(s, stream == DFOPT_STREAM_GLOBAL_PLAN ? DFOPT_PARTITION_SPEAKER
                                                           : DFOPT_REPORTER_NONE);
}

static enum dfopt_err decode_record(struct dfopt_slice *s,
                                    const struct dfopt_record *rec)
{
    struct dfopt_round *r = &s->round;
    struct dfopt_error why;
    const uint64_t index = r->n_events;
    const size_t acks = r->acks.len, regs = r->registrations.len,
                 texts = r->texts.len;
    struct dfopt_event event;
    enum dfopt_err e = dfopt_intake_take(&s->intake, r, index, rec, &event, &why);
    if (e == DFOPT_ERR_NOMEM)
        return e;
    if (e)
        return add_event(s, DFOPT_REPORTER_NONE);
    s->by_stream[event.stream]++;
    if (event.stream == DFOPT_STREAM_FINDING) {
        uint32_t reporter = 0;
        e = reporter_of(s, &event.finding, &reporter);
        return e ? e : add_event(s, reporter);
    }
    /* what was kept has numbers that hold here only: it is taken in again */
    if (event.stream == DFOPT_STREAM_REGISTRATION)
        dfopt_registration_clear(&event.registration);
    r->acks.len = acks;
    r->registrations.len = regs;
    r->texts.len = texts;
    return keep_other(s, rec, event.stream);
}

enum dfopt_err dfopt_slice_decode(struct dfopt_slice *s, struct dfopt_pieces *p,
                                  const struct dfopt_piece *piece,
                                  struct dfopt_error *err)
{
    struct dfopt_record rec;
    dfopt_round_reset(&s->round, 0, 0);
    dfopt_buf_clear(&s->others);
    dfopt_buf_clear(&s->texts);
    memset(s->by_stream, 0, sizeof s->by_stream);
    s->lines = 0;
    s->origin = DFOPT_SYM_NONE;
    if (piece->len == 0)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_piece_load(p, piece, &s->reader, err);
    if (e)
        return e;
    while (!e && dfopt_piece_next(&s->reader, &rec)) {
        if (s->round.n_events == 0)
            s->first_offset = rec.offset;
        if (s->round.rejects.len == 0)
            s->reject_offset = rec.offset;
        e = decode_record(s, &rec);
        s->origin = dfopt_intake_origin(&s->intake, &rec);
        if (s->meanwhile && s->round.n_events % MEANWHILE_RECORDS == 0)
            s->meanwhile(s->meanwhile_arg);
    }
    s->lines = dfopt_piece_lines(&s->reader);
    if (!e && s->reader.status) {
        if (err)
            *err = s->reader.err;
        return s->reader.status;
    }
    return e ? dfopt_error_set(err, e, "%s: %s", dfopt_pieces_name(p, piece->file),
                               dfopt_err_text(e))
             : DFOPT_OK;
}

uint64_t dfopt_slice_records(const struct dfopt_slice *s)
{
    return s->round.n_events;
}

uint64_t dfopt_slice_first_reject(const struct dfopt_slice *s)
{
    return s->round.rejects.len
               ? DFOPT_ROW(&s->round.rejects, const struct dfopt_declog_reject_row)
                     ->seq
               : UINT64_MAX;
}

/* ---- placing ---- */

/* The number of the authority for a string that was numbered here. */
static dfopt_sym global(const struct dfopt_dict *d, dfopt_sym s)
{
    if (!dfopt_sym_is_local(s))
        return s;
    size_t len;
    const char *text = dfopt_dict_text(d, s, &len);
    return dfopt_dict_find(d, text, len);
}

static enum dfopt_err global_list(struct dfopt_dict *d, dfopt_list *l)
{
    if (!dfopt_sym_is_local(*l))
        return DFOPT_OK;
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(d, *l, &n);
    struct dfopt_buf to = {0};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        dfopt_sym s = global(d, items[i]);
        e = dfopt_buf_add(&to, &s, sizeof s);
    }
    if (!e)
        *l = dfopt_dict_intern_list(d, DFOPT_ROW(&to, const dfopt_sym), n);
    dfopt_buf_free(&to);
    return e ? e : *l == DFOPT_LIST_NONE ? DFOPT_ERR_NOMEM : DFOPT_OK;
}

static enum dfopt_err renumber_finding(struct dfopt_dict *d,
                                       struct dfopt_finding *f)
{
    dfopt_sym *const syms[] = {&f->type, &f->scope, &f->node, &f->motif,
                               &f->trend_text};
    for (size_t i = 0; i < sizeof syms / sizeof *syms; i++)
        *syms[i] = global(d, *syms[i]);
    enum dfopt_err e = global_list(d, &f->tags);
    return e ? e : global_list(d, &f->suppresses);
}

/* Rows with their number first: keeps those below `keep`. */
static void cut_rows(struct dfopt_buf *b, size_t size, uint64_t keep)
{
    while (b->len) {
        uint64_t seq;
        memcpy(&seq, b->data + b->len - size, sizeof seq);
        if (seq < keep)
            break;
        b->len -= size;
    }
}

static void cut(struct dfopt_slice *s, uint64_t keep)
{
    struct dfopt_round *r = &s->round;
    if (keep >= r->n_events)
        return;
    cut_rows(&r->findings, sizeof(struct dfopt_finding_row), keep);
    cut_rows(&r->rejects, sizeof(struct dfopt_declog_reject_row), keep);
    cut_rows(&r->registrations, sizeof(struct dfopt_round_registration), keep);
    cut_rows(&s->others, sizeof(struct other), keep);
    r->n_events = (uint32_t)keep;
    memset(s->by_stream, 0, sizeof s->by_stream);
    s->by_stream[DFOPT_STREAM_FINDING] =
        DFOPT_ROWS(&r->findings, struct dfopt_finding_row);
    const struct other *o = DFOPT_ROW(&s->others, const struct other);
    for (size_t i = 0; i < DFOPT_ROWS(&s->others, struct other); i++)
        s->by_stream[o[i].event.stream]++;
}

static enum dfopt_err take_others(struct dfopt_slice *s, uint64_t first_seq)
{
    struct other *o = DFOPT_ROW(&s->others, struct other);
    struct dfopt_error why;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < DFOPT_ROWS(&s->others, struct other) && !e; i++) {
        const struct dfopt_record rec = {.data = s->texts.data + o[i].at,
                                         .len = o[i].len,
                                         .stream = o[i].stream,
                                         .origin = s->reader.name,
                                         .line = o[i].line,
                                         .offset = o[i].offset};
        e = dfopt_intake_take(&s->intake, &s->round, first_seq + o[i].index, &rec,
                              &o[i].event, &why);
    }
    return e;
}

static int by_seq(const void *a, const void *b)
{
    const struct dfopt_round_registration *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Gives the rows of rejected records their numbers in the whole input. */
static void place_rejects(struct dfopt_slice *s, uint64_t first_seq,
                          uint64_t lines_before)
{
    struct dfopt_round *r = &s->round;
    struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&r->rejects, struct dfopt_declog_reject_row);
    const size_t rejects = DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    struct dfopt_round_registration *reg =
        DFOPT_ROW(&r->registrations, struct dfopt_round_registration);
    const size_t regs =
        DFOPT_ROWS(&r->registrations, struct dfopt_round_registration);
    for (size_t i = 0; i < rejects; i++) {
        reject[i].seq += first_seq;
        reject[i].line += lines_before;
        reject[i].origin = global(s->dict, reject[i].origin);
        reject[i].reason = global(s->dict, reject[i].reason);
    }
    for (size_t i = 0; i < regs; i++)
        reg[i].seq += first_seq;
}

enum dfopt_err dfopt_slice_place(struct dfopt_slice *s, uint64_t keep,
                                 uint64_t first_seq, uint64_t lines_before,
                                 bool renumber)
{
    struct dfopt_round *r = &s->round;
    struct dfopt_finding_row *f;
    enum dfopt_err e = DFOPT_OK;
    cut(s, keep);
    r->first_seq = first_seq;
    f = DFOPT_ROW(&r->findings, struct dfopt_finding_row);
    for (size_t i = 0; i < DFOPT_ROWS(&r->findings, struct dfopt_finding_row) && !e;
         i++) {
        f[i].seq += first_seq;
        if (renumber)
            e = renumber_finding(s->dict, &f[i].f);
    }
    place_rejects(s, first_seq, lines_before);
    s->origin = global(s->dict, s->origin);
    if (renumber) /* it was found by a number that holds here only */
        s->intake.origin = NULL;
    if (!e)
        e = take_others(s, first_seq);
    if (r->registrations.len)
        qsort(r->registrations.data,
              DFOPT_ROWS(&r->registrations, struct dfopt_round_registration),
              sizeof(struct dfopt_round_registration), by_seq);
    return e;
}

/* ---- deciding ---- */

static enum dfopt_err decide_event(struct dfopt_deciding *d, uint64_t seq,
                                   const struct dfopt_event *e,
                                   struct dfopt_decisions *out)
{
    switch (e->stream) {
    case DFOPT_STREAM_ACK:
        return dfopt_deciding_ack(d, seq, &e->ack, out);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return dfopt_deciding_global_plan(d, seq, &e->global_plan, out);
    case DFOPT_STREAM_OBJECTIVE:
        return DFOPT_OK;
    default:
        return dfopt_planner_register(d->planner, seq, &e->registration, out);
    }
}

static enum dfopt_err send_event(struct dfopt_frame *f, uint64_t seq,
                                 const struct dfopt_event *e)
{
    switch (e->stream) {
    case DFOPT_STREAM_ACK:
        return dfopt_frame_ack(f, seq, &e->ack);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return dfopt_frame_global_plan(f, seq, &e->global_plan);
    case DFOPT_STREAM_OBJECTIVE:
        return DFOPT_OK;
    default:
        return dfopt_frame_registration(f, seq, &e->registration);
    }
}

/* Goes through a planner's share of the slice in order: to the planner d, or,
 * without one, into the frame f. */
static enum dfopt_err walk(struct dfopt_slice *s, uint32_t planner,
                           struct dfopt_deciding *d, struct dfopt_decisions *out,
                           struct dfopt_frame *f)
{
    const struct dfopt_round *r = &s->round;
    const uint32_t *reporter = DFOPT_ROW(&r->reporter, const uint32_t);
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&r->findings, const struct dfopt_finding_row);
    const size_t rows = DFOPT_ROWS(&r->findings, struct dfopt_finding_row);
    const struct other *o = DFOPT_ROW(&s->others, const struct other);
    const struct other *end = o + DFOPT_ROWS(&s->others, struct other);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i <= rows && !e; i++) {
        const uint64_t until = i < rows ? row[i].seq : UINT64_MAX;
        for (; o < end && r->first_seq + o->index < until && !e; o++)
            e = d ? decide_event(d, r->first_seq + o->index, &o->event, out)
                  : send_event(f, r->first_seq + o->index, &o->event);
        if (i == rows || e ||
            (row[i].f.node != DFOPT_SYM_EMPTY &&
             reporter[row[i].seq - r->first_seq] != planner))
            continue;
        e = d ? dfopt_deciding_finding(d, row[i].seq, &row[i].f, out)
              : dfopt_frame_finding(f, row[i].seq, &row[i].f);
    }
    return e;
}

enum dfopt_err dfopt_slice_decide(struct dfopt_slice *s, struct dfopt_deciding *d,
                                  struct dfopt_decisions *out)
{
    return walk(s, d->index, d, out, NULL);
}

enum dfopt_err dfopt_slice_send(struct dfopt_slice *s, uint32_t planner,
                                struct dfopt_frame *f)
{
    return walk(s, planner, NULL, NULL, f);
}

enum dfopt_err dfopt_slice_decide_item(struct dfopt_deciding *d,
                                       const struct dfopt_item *item,
                                       struct dfopt_decisions *out)
{
    const struct dfopt_finding_row *finding;
    struct dfopt_event event;
    uint64_t seq;
    enum dfopt_err e;
    switch (item->kind) {
    case DFOPT_ITEM_FINDING:
        e = dfopt_item_finding(item, &finding);
        return e ? e : dfopt_deciding_finding(d, finding->seq, &finding->f, out);
    case DFOPT_ITEM_ACK:
        e = dfopt_item_ack(item, &seq, &event.ack);
        return e ? e : dfopt_deciding_ack(d, seq, &event.ack, out);
    case DFOPT_ITEM_GLOBAL_PLAN:
        e = dfopt_item_global_plan(item, &seq, &event.global_plan);
        return e ? e : dfopt_deciding_global_plan(d, seq, &event.global_plan, out);
    case DFOPT_ITEM_REGISTRATION:
        e = dfopt_item_registration(item, &seq, &event.registration);
        if (!e) {
            e = dfopt_planner_register(d->planner, seq, &event.registration, out);
            dfopt_registration_clear(&event.registration);
        }
        return e;
    case DFOPT_ITEM_STATE_ROWS:
    case DFOPT_ITEM_SUPPRESSION_STATES:
        return dfopt_restore_item(d->planner, item);
    default:
        return DFOPT_ERR_FORMAT;
    }
}
