/* Rows of a log into a planner. Invariant: `planner` has the state behind the
 * last row that was applied, and `policy` is the policy of that row's run. */
#include "state/fold.h"

#include "codec/codec.h"
#include "state/rows.h"
#include "planner/restore.h"
#include "policy/policy_json.h"
#include "base/symmap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES_MAX ((size_t)1 << 30) /* it was short enough for the writer */

struct fold {
    struct dfopt_fold *out;
    struct dfopt_declog_reader *reader;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    struct dfopt_planner *planner;
    struct dfopt_decisions scratch;
    struct dfopt_symmap knob_at; /* knob -> index in out->knobs */
    size_t cap_knobs;
    uint64_t initial_seq; /* of the run whose initial registrations are in
                             out->initial */
    uint64_t runs;
};

/* ---- names ---- */

enum dfopt_err dfopt_fold_names(const struct dfopt_declog_reader *r,
                                struct dfopt_dict *dict)
{
    const struct dfopt_dict *from = dfopt_declog_reader_dict(r);
    const struct dfopt_declog_commit_row *last = &dfopt_declog_reader_run(r)->last;
    for (dfopt_sym i = 0; i < last->rows[DFOPT_TABLE_STRINGS]; i++) {
        size_t len;
        const char *text = dfopt_dict_text(from, i, &len);
        if (dfopt_dict_intern(dict, text, len) != i)
            return DFOPT_ERR_NOMEM;
    }
    for (dfopt_list i = 0; i < last->rows[DFOPT_TABLE_LISTS]; i++) {
        size_t n;
        const dfopt_sym *items = dfopt_dict_items(from, i, &n);
        if (dfopt_dict_intern_list(dict, items, n) != i)
            return DFOPT_ERR_NOMEM;
    }
    return DFOPT_OK;
}

/* ---- runs ---- */

/* Reads the texts of run number `run` into out->run_text. */
static enum dfopt_err read_run_texts(struct fold *f, uint64_t run,
                                     struct dfopt_error *err)
{
    struct dfopt_declog_run_text_row row[DFOPT_RUN_TEXT_COUNT];
    size_t at[DFOPT_RUN_TEXT_COUNT] = {0};
    struct dfopt_buf *texts = &f->out->texts;
    enum dfopt_err e = dfopt_declog_reader_read(f->reader, DFOPT_TABLE_RUN_TEXTS,
                                                run * DFOPT_RUN_TEXT_COUNT,
                                                DFOPT_RUN_TEXT_COUNT, row, err);
    dfopt_buf_clear(texts);
    if (!e)
        e = dfopt_buf_add(texts, "", 1);
    for (size_t i = 0; !e && i < DFOPT_RUN_TEXT_COUNT; i++) {
        const char *bytes;
        if (row[i].run != run)
            return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                                   "damaged: /run_texts does not fit /runs");
        e = dfopt_declog_reader_text(f->reader, DFOPT_POOL_RUN_TEXT, row[i].text,
                                     &bytes, err);
        at[row[i].name] = texts->len;
        if (!e)
            e = dfopt_buf_add(texts, bytes,
                              (size_t)(row[i].text.end - row[i].text.start));
        if (!e)
            e = dfopt_buf_add(texts, "", 1);
    }
    for (size_t i = 0; !e && i < DFOPT_RUN_TEXT_COUNT; i++)
        f->out->run_text[i] = texts->data + at[i];
    return e;
}

/* Applies the rules of the next run. */
static enum dfopt_err begin_run(struct fold *f, const void *row,
                                struct dfopt_error *err)
{
    char before[16];
    snprintf(before, sizeof before, "%s", f->out->run_text[DFOPT_RUN_transport]);
    enum dfopt_err e = read_run_texts(f, f->runs++, err);
    if (e)
        return e;
    memcpy(&f->out->run, row, sizeof f->out->run);
    if (strcmp(before, f->out->run_text[DFOPT_RUN_transport]) != 0)
        f->out->same_transport_seq = f->out->run.seq;
    const char *policy = f->out->run_text[DFOPT_RUN_policy];
    dfopt_policy_clear(&f->policy);
    dfopt_policy_preset(&f->policy, DFOPT_PRESET_DEFAULT);
    e = dfopt_policy_read(f->dict, policy, strlen(policy), &f->policy, err);
    dfopt_planner_assume_acks(
        f->planner, strcmp(f->out->run_text[DFOPT_RUN_acks_mode], "assumed") == 0);
    return e;
}

/* ---- registrations ---- */

/* Keeps a knob: behind the others, or in the place of the one that it replaces. */
static enum dfopt_err keep_knob(struct fold *f, const struct dfopt_knob *k)
{
    struct dfopt_registration *all = &f->out->knobs;
    struct dfopt_knob copy;
    uint32_t at = DFOPT_SYMMAP_NONE;
    if (f->policy.on.reregister == DFOPT_REREGISTER_REPLACE)
        at = dfopt_symmap_get(&f->knob_at, k->id);
    if (at == DFOPT_SYMMAP_NONE && all->n_knobs == f->cap_knobs) {
        const size_t cap = f->cap_knobs ? f->cap_knobs * 2 : 16;
        struct dfopt_knob *knobs = realloc(all->knobs, cap * sizeof *knobs);
        if (!knobs)
            return DFOPT_ERR_NOMEM;
        all->knobs = knobs;
        f->cap_knobs = cap;
    }
    if (dfopt_knob_copy(&copy, k))
        return DFOPT_ERR_NOMEM;
    if (at != DFOPT_SYMMAP_NONE) {
        dfopt_knob_clear(&all->knobs[at]);
        all->knobs[at] = copy;
        return DFOPT_OK;
    }
    all->knobs[all->n_knobs++] = copy;
    return dfopt_symmap_set(&f->knob_at, k->id, (uint32_t)all->n_knobs - 1);
}

static enum dfopt_err keep_initial(struct fold *f, uint64_t seq, const char *body,
                                   size_t len)
{
    struct dfopt_buf *all = &f->out->initial;
    if (f->initial_seq != seq)
        dfopt_buf_clear(all);
    f->initial_seq = seq;
    enum dfopt_err e = dfopt_buf_add(all, body, len);
    return e ? e : dfopt_buf_add(all, "\n", 1);
}

static enum dfopt_err take_registration(struct fold *f, const void *row,
                                        struct dfopt_error *err)
{
    const struct dfopt_declog_registration_row *g = row;
    const size_t len = (size_t)(g->body.end - g->body.start);
    struct dfopt_event event;
    const char *body;
    if (!g->accepted)
        return DFOPT_OK;
    enum dfopt_err e =
        dfopt_declog_reader_text(f->reader, DFOPT_POOL_BODY, g->body, &body, err);
    if (!e && g->source != DFOPT_SOURCE_EVENT)
        e = keep_initial(f, g->seq, body, len);
    if (!e)
        e = dfopt_codec_decode(f->codec, DFOPT_STREAM_REGISTRATION, body, len,
                               &event, err);
    if (e)
        return e;
    for (size_t i = 0; !e && i < event.registration.n_knobs; i++)
        e = keep_knob(f, &event.registration.knobs[i]);
    if (!e)
        e = dfopt_planner_preset(f->planner, &event.registration);
    dfopt_event_clear(&event);
    return e;
}

/* ---- what was decided ---- */

static enum dfopt_err take_ack(struct fold *f, const void *row,
                               struct dfopt_error *err)
{
    const struct dfopt_declog_ack_row *a = row;
    const struct dfopt_ack ack = {.plan_id = a->plan_id,
                                  .known_form = 1,
                                  .status = a->status,
                                  .knob = a->knob,
                                  .node = a->node,
                                  .window = a->window,
                                  .old_value = a->given_old,
                                  .new_value = a->given_new};
    (void)err;
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED)
        return DFOPT_OK;
    dfopt_decisions_clear(&f->scratch);
    enum dfopt_err e = dfopt_planner_ack(f->planner, a->seq, &ack, &f->scratch);
    if (e)
        return e;
    const struct dfopt_ack_row *now =
        DFOPT_ROW(&f->scratch.acks, const struct dfopt_ack_row);
    return now->outcome == a->outcome && now->plan_id == a->plan_id &&
                   now->window == a->cooldown_window
               ? DFOPT_OK
               : DFOPT_ERR_FORMAT;
}

static enum dfopt_err take_plan(struct fold *f, const void *row,
                                struct dfopt_error *err)
{
    (void)err;
    f->out->plans++;
    return dfopt_planner_redo_plan(f->planner,
                                   &((const struct dfopt_declog_plan_row *)row)->p);
}

static enum dfopt_err take_suppression(struct fold *f, const void *row,
                                       struct dfopt_error *err)
{
    (void)err;
    return dfopt_planner_redo_suppression(f->planner, row);
}

static enum dfopt_err take_timeout(struct fold *f, const void *row,
                                   struct dfopt_error *err)
{
    (void)err;
    return dfopt_planner_redo_timeout(f->planner, row);
}

static enum dfopt_err take_seen(struct fold *f, const void *row,
                                struct dfopt_error *err)
{
    (void)err;
    return dfopt_planner_redo_seen(f->planner, row);
}

/* In the order in which the rows of one event are applied. */
static const struct source {
    enum dfopt_declog_table table;
    const char *name;
    size_t seq; /* offset of a row's event number */
    enum dfopt_err (*take)(struct fold *f, const void *row,
                           struct dfopt_error *err);
} sources[] = {
    {DFOPT_TABLE_RUNS, "runs", offsetof(struct dfopt_declog_run_row, seq),
     begin_run},
    {DFOPT_TABLE_REGISTRATIONS, "registrations",
     offsetof(struct dfopt_declog_registration_row, seq), take_registration},
    {DFOPT_TABLE_ACKS, "acks", offsetof(struct dfopt_declog_ack_row, seq),
     take_ack},
    {DFOPT_TABLE_SUPPRESSIONS, "suppressions",
     offsetof(struct dfopt_suppression_row, seq), take_suppression},
    {DFOPT_TABLE_SEEN, "seen", offsetof(struct dfopt_seen_row, seq), take_seen},
    {DFOPT_TABLE_TIMEOUTS, "timeouts", offsetof(struct dfopt_timeout_row, seq),
     take_timeout},
    {DFOPT_TABLE_PLANS, "plans", offsetof(struct dfopt_declog_plan_row, p.seq),
     take_plan},
};
#define SOURCES (sizeof sources / sizeof *sources)

/* Applies a row; words a refusal that has no text. */
static enum dfopt_err take(struct fold *f, size_t which, uint64_t row_number,
                           const void *row, struct dfopt_error *err)
{
    struct dfopt_error why = {.code = DFOPT_OK};
    const enum dfopt_err e = sources[which].take(f, row, &why);
    if (!e || e == DFOPT_ERR_NOMEM)
        return e;
    return dfopt_error_set(err, e, "row %" PRIu64 " of /%s does not follow%s%s",
                           row_number, sources[which].name, why.text[0] ? ": " : "",
                           why.text);
}

/* Whether a row belongs to an event that is not to be applied, or that the log does
 * not hold completely. A run and its initial registrations come before an event. */
static bool is_beyond(const struct fold *f, size_t which, uint64_t seq,
                      const void *row, uint64_t to)
{
    const uint64_t end = f->out->next_seq;
    if (seq != end || to < f->out->at.next_seq)
        return seq >= end;
    if (sources[which].table != DFOPT_TABLE_REGISTRATIONS)
        return sources[which].table != DFOPT_TABLE_RUNS;
    return ((const struct dfopt_declog_registration_row *)row)->source ==
           DFOPT_SOURCE_EVENT;
}

static enum dfopt_err take_rows(struct fold *f, uint64_t to,
                                struct dfopt_error *err)
{
    struct dfopt_fold_table tables[SOURCES];
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < SOURCES; i++) {
        dfopt_cursor_init(&tables[i].cursor, f->reader, sources[i].table);
        tables[i].seq = sources[i].seq;
    }
    while (!e) {
        size_t which;
        const void *row;
        uint64_t seq;
        e = dfopt_fold_next(tables, SOURCES, &which, &row, err);
        if (e || which == SOURCES)
            break;
        memcpy(&seq, (const char *)row + sources[which].seq, sizeof seq);
        if (is_beyond(f, which, seq, row, to))
            continue;
        e = take(f, which, tables[which].cursor.next - 1, row, err);
    }
    for (size_t i = 0; i < SOURCES; i++)
        dfopt_cursor_free(&tables[i].cursor);
    return e;
}

/* ---- origins ---- */

static struct dfopt_fold_origin *find_origin(const struct dfopt_buf *origins,
                                             dfopt_sym origin)
{
    struct dfopt_fold_origin *o = DFOPT_ROW(origins, struct dfopt_fold_origin);
    for (size_t i = 0; i < DFOPT_ROWS(origins, struct dfopt_fold_origin); i++)
        if (o[i].origin == origin)
            return &o[i];
    return NULL;
}

bool dfopt_fold_is_known(const struct dfopt_buf *origins, dfopt_sym origin,
                         uint64_t number)
{
    const struct dfopt_fold_origin *o = find_origin(origins, origin);
    return o && number <= o->last;
}

enum dfopt_err dfopt_fold_note(struct dfopt_buf *origins, dfopt_sym origin,
                               uint64_t number)
{
    struct dfopt_fold_origin *o = find_origin(origins, origin);
    if (o) {
        if (number > o->last)
            o->last = number;
        return DFOPT_OK;
    }
    const struct dfopt_fold_origin new = {.origin = origin, .last = number};
    return dfopt_buf_add(origins, &new, sizeof new);
}

static enum dfopt_err see_origin(struct dfopt_fold *f,
                                 const struct dfopt_declog_origin_row *row,
                                 uint64_t end_seq)
{
    if (row->unit != DFOPT_UNIT_EVENT_ID || end_seq <= row->seq)
        return DFOPT_OK;
    return dfopt_fold_note(&f->origins, row->origin,
                           row->offset + (end_seq - row->seq) - 1);
}

static enum dfopt_err take_origins(struct fold *f, struct dfopt_error *err)
{
    struct dfopt_declog_origin_row before = {.unit = DFOPT_UNIT_BYTE};
    struct dfopt_cursor c;
    const void *row = NULL;
    enum dfopt_err e;
    dfopt_cursor_init(&c, f->reader, DFOPT_TABLE_ORIGINS);
    do {
        struct dfopt_declog_origin_row now = {.seq = f->out->next_seq};
        e = dfopt_cursor_row(&c, &row, err);
        if (!e && row)
            memcpy(&now, row, sizeof now);
        if (!e)
            e = see_origin(f->out, &before, now.seq);
        before = now;
        c.next++;
    } while (!e && row);
    dfopt_cursor_free(&c);
    return e;
}

/* ---- the whole ---- */

static enum dfopt_err start(struct fold *f, struct dfopt_error *err)
{
    static const struct dfopt_codec_limits limits = {.max_record_bytes =
                                                         BODY_BYTES_MAX};
    const struct dfopt_planner_config config = {.policy = &f->policy,
                                                .relay_hostname = DFOPT_SYM_EMPTY};
    if (dfopt_declog_reader_run(f->reader)->format_version < 2)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "format version 1 does not hold the planner's state");
    for (size_t i = 0; i < DFOPT_RUN_TEXT_COUNT; i++)
        f->out->run_text[i] = "";
    dfopt_policy_preset(&f->policy, DFOPT_PRESET_DEFAULT);
    enum dfopt_err e = dfopt_codec_create(&f->codec, f->dict, &limits);
    return e ? e : dfopt_planner_create(&f->planner, f->dict, &config);
}

enum dfopt_err dfopt_fold_log(struct dfopt_fold *out, struct dfopt_declog_reader *r,
                              struct dfopt_dict *dict, uint64_t to,
                              struct dfopt_error *err)
{
    struct fold f = {
        .out = out, .reader = r, .dict = dict, .initial_seq = UINT64_MAX};
    out->at = dfopt_declog_reader_run(r)->last.at;
    out->next_seq = to < out->at.next_seq ? to + 1 : out->at.next_seq;
    enum dfopt_err e = start(&f, err);
    if (!e)
        e = take_rows(&f, to, err);
    if (!e)
        e = take_origins(&f, err);
    if (!e)
        e = dfopt_planner_state(f.planner, true, &out->rows, &out->suppressions);
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(err, e, "out of memory");
    dfopt_planner_destroy(f.planner);
    dfopt_codec_destroy(f.codec);
    dfopt_policy_clear(&f.policy);
    dfopt_decisions_free(&f.scratch);
    dfopt_symmap_free(&f.knob_at);
    return e;
}

void dfopt_fold_free(struct dfopt_fold *f)
{
    dfopt_registration_clear(&f->knobs);
    dfopt_buf_free(&f->rows);
    dfopt_buf_free(&f->suppressions);
    dfopt_buf_free(&f->origins);
    dfopt_buf_free(&f->texts);
    dfopt_buf_free(&f->initial);
    *f = (struct dfopt_fold){.next_seq = 0};
}
