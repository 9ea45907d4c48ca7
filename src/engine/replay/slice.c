/* Slices. Findings and objectives are decoded once. Other records are few, but own
 * memory and name many strings: they are checked when the slice is decoded, and
 * ingested once all strings are numbered. */
#include "engine/replay/slice.h"

#include <stdlib.h>
#include <string.h>

#define MEANWHILE_RECORDS 128 /* about 60 us */

/* A record that is not a finding: its place and, once placed (an objective: at
 * once), its event. */
struct other {
    uint64_t index; /* in the slice */
    size_t at;      /* in s->texts */
    size_t len;
    uint64_t line, offset;
    int stream;
    struct dfopt_event event; /* a registration is owned by the batch */
};

enum dfopt_err dfopt_slice_init(struct dfopt_slice *s)
{
    s->ingest = (struct dfopt_ingest){.dict = s->dict,
                                      .codec = s->codec,
                                      .policy = s->policy,
                                      .keep_findings = true};
    return dfopt_batch_init(&s->batch, s->router->planners);
}

void dfopt_slice_free(struct dfopt_slice *s)
{
    dfopt_batch_free(&s->batch);
    dfopt_buf_free(&s->reader.bytes);
    dfopt_buf_free(&s->others);
    dfopt_buf_free(&s->texts);
}

/* ---- decoding ---- */

static enum dfopt_err keep_other(struct dfopt_slice *s,
                                 const struct dfopt_record *rec,
                                 const struct dfopt_event *event)
{
    const bool once = event->stream == DFOPT_STREAM_OBJECTIVE;
    struct other o = {.index = s->batch.n_events,
                      .at = s->texts.len,
                      .len = rec->len,
                      .line = rec->line,
                      .offset = rec->offset,
                      .stream = rec->stream,
                      .event = {.stream = event->stream}};
    enum dfopt_err e =
        once ? DFOPT_OK : dfopt_buf_add(&s->texts, rec->data, rec->len);
    if (once)
        o.event = *event;
    return e ? e : dfopt_buf_add(&s->others, &o, sizeof o);
}

static enum dfopt_err decode_record(struct dfopt_slice *s,
                                    const struct dfopt_record *rec)
{
    struct dfopt_batch *r = &s->batch;
    struct dfopt_error why;
    const uint64_t index = r->n_events;
    const size_t acks = r->acks.len, regs = r->registrations.len,
                 texts = r->texts.len, objectives = r->objectives.len,
                 commands = r->commands.len;
    struct dfopt_event event;
    enum dfopt_err e = dfopt_ingest_take(&s->ingest, r, index, rec, &event, &why);
    if (e == DFOPT_ERR_NOMEM)
        return e;
    if (e)
        return dfopt_batch_count(r, DFOPT_REPORTER_NONE);
    s->by_stream[event.stream]++;
    if (event.stream == DFOPT_STREAM_FINDING)
        return dfopt_batch_count(r, DFOPT_REPORTER_NONE); /* until placed */
    /* its strings have local numbers: ingested, or kept, again when placed */
    if (event.stream == DFOPT_STREAM_REGISTRATION) {
        s->news |= dfopt_router_is_news(s->router, &event.registration);
        dfopt_registration_clear(&event.registration);
    }
    if (event.policy) {
        s->news |= event.policy->n_guards > 0;
        dfopt_event_clear(&event);
        event.stream = DFOPT_STREAM_CONTROL;
    }
    r->commands.len = commands;
    r->objectives.len = objectives;
    r->acks.len = acks;
    r->registrations.len = regs;
    r->texts.len = texts;
    e = keep_other(s, rec, &event);
    return e ? e : dfopt_batch_count(r, DFOPT_REPORTER_NONE);
}

enum dfopt_err dfopt_slice_decode(struct dfopt_slice *s, struct dfopt_splits *p,
                                  const struct dfopt_split *split,
                                  struct dfopt_error *err)
{
    struct dfopt_record rec;
    dfopt_batch_reset(&s->batch, 0, 0);
    dfopt_buf_clear(&s->others);
    dfopt_buf_clear(&s->texts);
    memset(s->by_stream, 0, sizeof s->by_stream);
    s->lines = 0;
    s->news = false;
    s->origin = DFOPT_SYM_NONE;
    if (split->len == 0)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_split_load(p, split, &s->reader, err);
    if (e)
        return e;
    while (!e && dfopt_split_next(&s->reader, &rec)) {
        if (s->batch.n_events == 0)
            s->first_offset = rec.offset;
        if (s->batch.rejects.len == 0)
            s->reject_offset = rec.offset;
        e = decode_record(s, &rec);
        s->origin = dfopt_ingest_origin(&s->ingest, &rec);
        if (s->meanwhile && s->batch.n_events % MEANWHILE_RECORDS == 0)
            s->meanwhile(s->meanwhile_arg);
    }
    s->lines = dfopt_split_lines(&s->reader);
    if (!e && s->reader.status) {
        if (err)
            *err = s->reader.err;
        return s->reader.status;
    }
    return e ? dfopt_error_set(err, e, "%s: %s", dfopt_splits_name(p, split->file),
                               dfopt_err_text(e))
             : DFOPT_OK;
}

uint64_t dfopt_slice_records(const struct dfopt_slice *s)
{
    return s->batch.n_events;
}

uint64_t dfopt_slice_first_reject(const struct dfopt_slice *s)
{
    return s->batch.rejects.len
               ? DFOPT_ROW(&s->batch.rejects, const struct dfopt_declog_reject_row)
                     ->seq
               : UINT64_MAX;
}

/* ---- placing ---- */

/* The authority's number for a string that was numbered here. */
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

/* Rows that start with their number: keeps those below `keep`. */
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
    struct dfopt_batch *r = &s->batch;
    if (keep >= r->n_events)
        return;
    cut_rows(&r->findings, sizeof(struct dfopt_finding_row), keep);
    cut_rows(&r->rejects, sizeof(struct dfopt_declog_reject_row), keep);
    cut_rows(&r->registrations, sizeof(struct dfopt_batch_registration), keep);
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
        struct dfopt_event *event = &o[i].event;
        if (event->stream == DFOPT_STREAM_OBJECTIVE) {
            event->objective.node = global(s->dict, event->objective.node);
            e = dfopt_ingest_keep(&s->ingest, &s->batch, first_seq + o[i].index,
                                  event);
            continue;
        }
        const struct dfopt_record rec = {.data = s->texts.data + o[i].at,
                                         .len = o[i].len,
                                         .stream = o[i].stream,
                                         .origin = s->reader.name,
                                         .line = o[i].line,
                                         .offset = o[i].offset};
        e = dfopt_ingest_take(&s->ingest, &s->batch, first_seq + o[i].index, &rec,
                              event, &why);
    }
    return e;
}

static int by_seq(const void *a, const void *b)
{
    const struct dfopt_batch_registration *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Renumbers the rows of rejected records to the whole input. */
static void place_rejects(struct dfopt_slice *s, uint64_t first_seq,
                          uint64_t lines_before)
{
    struct dfopt_batch *r = &s->batch;
    struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&r->rejects, struct dfopt_declog_reject_row);
    const size_t rejects = DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    struct dfopt_batch_registration *reg =
        DFOPT_ROW(&r->registrations, struct dfopt_batch_registration);
    const size_t regs =
        DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    for (size_t i = 0; i < rejects; i++) {
        reject[i].seq += first_seq;
        reject[i].line += lines_before;
        reject[i].origin = global(s->dict, reject[i].origin);
        reject[i].reason = global(s->dict, reject[i].reason);
    }
    for (size_t i = 0; i < regs; i++)
        reg[i].seq += first_seq;
}

/* Records who reports each event. */
static enum dfopt_err route_all(struct dfopt_slice *s)
{
    struct dfopt_batch *r = &s->batch;
    uint32_t *reporter = DFOPT_ROW(&r->reporter, uint32_t);
    const struct dfopt_finding_row *f =
        DFOPT_ROW(&r->findings, const struct dfopt_finding_row);
    const struct other *o = DFOPT_ROW(&s->others, const struct other);
    struct dfopt_route route;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < DFOPT_ROWS(&r->findings, struct dfopt_finding_row) && !e;
         i++) {
        e = dfopt_route_finding(s->router, &f[i].f, &route);
        reporter[f[i].seq - r->first_seq] = route.reporter;
    }
    for (size_t i = 0; i < DFOPT_ROWS(&s->others, struct other) && !e; i++) {
        e = dfopt_route_event(s->router, &o[i].event, &route);
        reporter[o[i].index] = route.reporter;
    }
    return e;
}

enum dfopt_err dfopt_slice_place(struct dfopt_slice *s, uint64_t keep,
                                 uint64_t first_seq, uint64_t lines_before,
                                 bool renumber)
{
    struct dfopt_batch *r = &s->batch;
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
    if (renumber) /* it was found by a number valid only here */
        s->ingest.origin = NULL;
    if (!e)
        e = take_others(s, first_seq);
    if (!e)
        e = route_all(s);
    if (r->registrations.len)
        qsort(r->registrations.data,
              DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration),
              sizeof(struct dfopt_batch_registration), by_seq);
    return e;
}

/* ---- deciding ---- */

/* Destination of a planner's share of the slice: the planner itself or, if it is
 * on another rank, a frame. */
struct share {
    uint32_t planner;
    struct dfopt_shard *shard; /* NULL: into the frame */
    struct dfopt_decisions *out;
    struct dfopt_frame *frame;
};

static enum dfopt_err give(const struct share *to, uint64_t seq,
                           const struct dfopt_event *event)
{
    return to->shard ? dfopt_shard_event(to->shard, seq, event, to->out)
                     : dfopt_frame_event(to->frame, seq, event);
}

/* Passes on the records other than findings, from *next on, before `until`. */
static enum dfopt_err give_others(struct dfopt_slice *s, const struct share *to,
                                  size_t *next, uint64_t until)
{
    const struct other *o = DFOPT_ROW(&s->others, const struct other);
    const size_t n = DFOPT_ROWS(&s->others, struct other);
    const uint64_t first = s->batch.first_seq;
    enum dfopt_err e = DFOPT_OK;
    for (; *next < n && first + o[*next].index < until && !e; ++*next) {
        struct dfopt_route route;
        e = dfopt_route_event(s->router, &o[*next].event, &route);
        if (!e && dfopt_route_has(&route, to->planner))
            e = give(to, first + o[*next].index, &o[*next].event);
    }
    return e;
}

/* Gives a planner its share, in input order. */
static enum dfopt_err give_share(struct dfopt_slice *s, const struct share *to)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&s->batch.findings, const struct dfopt_finding_row);
    const size_t rows = DFOPT_ROWS(&s->batch.findings, struct dfopt_finding_row);
    struct dfopt_event event = {.stream = DFOPT_STREAM_FINDING};
    enum dfopt_err e = DFOPT_OK;
    size_t other = 0;
    for (size_t i = 0; i < rows && !e; i++) {
        struct dfopt_route route;
        e = give_others(s, to, &other, row[i].seq);
        if (!e)
            e = dfopt_route_finding(s->router, &row[i].f, &route);
        if (e || !dfopt_route_has(&route, to->planner))
            continue;
        event.finding = row[i].f;
        e = give(to, row[i].seq, &event);
    }
    return e ? e : give_others(s, to, &other, UINT64_MAX);
}

enum dfopt_err dfopt_slice_decide(struct dfopt_slice *s, struct dfopt_shard *d,
                                  struct dfopt_decisions *out)
{
    const struct share to = {.planner = d->index, .shard = d, .out = out};
    return give_share(s, &to);
}

enum dfopt_err dfopt_slice_send(struct dfopt_slice *s, uint32_t planner,
                                struct dfopt_frame *f)
{
    const struct share to = {.planner = planner, .frame = f};
    return give_share(s, &to);
}
