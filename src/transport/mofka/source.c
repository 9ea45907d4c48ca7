/* Reads events from topics: records, end conditions, and acknowledgements. */
#include "transport/mofka/mofka.h"

#include "base/clock.h"
#include "base/idle.h"
#include "model/message.h"
#include "net/mofka/inbox.h"
#include "transport/mofka/kept.h"
#include "transport/mofka/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)DFOPT_MOFKA_FINDINGS == DFOPT_STREAM_FINDING &&
                   (int)DFOPT_MOFKA_REGISTRATIONS == DFOPT_STREAM_REGISTRATION &&
                   (int)DFOPT_MOFKA_ACKS == DFOPT_STREAM_ACK &&
                   (int)DFOPT_MOFKA_GLOBAL_PLANS == DFOPT_STREAM_GLOBAL_PLAN &&
                   (int)DFOPT_MOFKA_OBJECTIVES == DFOPT_STREAM_OBJECTIVE &&
                   (int)DFOPT_MOFKA_COMMANDS == DFOPT_STREAM_CONTROL,
               "a record's stream is an enum dfopt_stream");

#define LOOK_MS   500 /* how often health and idle time are checked */
#define CONSUMER  "dfopt-mpi."
#define NAME_SIZE 300
#define KEPT      4096 /* bytes kept of an oversized event */

struct partition {
    char *origin;
    bool acknowledged; /* its events get acknowledged */
    size_t slot;       /* slot of the watch for that */
    struct dfopt_mofka_kept kept;
};

struct topic {
    int stream;
    struct partition *partitions;
    size_t n_partitions;
};

struct mofka_source {
    struct dfopt_source base;
    struct dfopt_mofka_link *link;
    const struct dfopt_mofka_module *module;
    struct dfopt_mofka_inbox *inbox;
    struct dfopt_mofka_presence *presence; /* NULL: acks or findings are not read */
    struct topic topics[DFOPT_MOFKA_INBOX_TOPICS];
    size_t n_topics;
    size_t max_record_bytes;
    int64_t idle_ns; /* 0: never */
    struct dfopt_idle idle;
    bool came; /* an event since the last look */
    bool ended;
    dfopt_mofka_note_fn note;
    void *note_arg;
    uint64_t delivered;
    struct dfopt_mofka_event *current; /* its data is borrowed by the last record */
    struct partition *current_of;
    uint64_t bytes; /* of the bodies of its records */
};

/* ---- records ---- */

/* Finishes an event, except for acknowledging it. */
static void put_away(struct mofka_source *s, struct partition *p,
                     struct dfopt_mofka_event *e)
{
    s->module->data_free(e);
    if (p->acknowledged)
        dfopt_mofka_kept_add(&p->kept, s->module, e, s->delivered);
    else
        s->module->event_free(e);
}

static void put_away_current(struct mofka_source *s)
{
    if (s->current)
        put_away(s, s->current_of, s->current);
    s->current = NULL;
}

/* Truncates it to a start that fits a line of a recording, in hexadecimal
 * digits or escaped, so that it is rejected for the same reason there. */
static void cut_short(const struct mofka_source *s, struct dfopt_record *record)
{
    const size_t most = s->max_record_bytes / 8;
    record->problem = "record too long";
    if (record->len > KEPT)
        record->len = KEPT;
    if (record->len > most)
        record->len = most;
}

static void fill(struct mofka_source *s, const struct topic *t,
                 const struct partition *p, const struct dfopt_mofka_event *e,
                 struct dfopt_record *record)
{
    *record = (struct dfopt_record){.data = e->data,
                                    .len = e->len,
                                    .stream = t->stream,
                                    .origin = p->origin,
                                    .line = e->id,
                                    .offset = e->id,
                                    .unit = DFOPT_OFFSET_EVENT_ID};
    if (e->len == 0)
        record->problem = "the event has no data";
    else if (e->full_len > s->max_record_bytes)
        cut_short(s, record);
    s->bytes += e->len;
}

static void take_presence(struct mofka_source *s, const struct dfopt_mofka_event *e)
{
    char text[900];
    if (s->presence && e->len &&
        dfopt_mofka_presence_take(s->presence, e->data, e->len, text,
                                  sizeof text) &&
        s->note)
        s->note(s->note_arg, text);
}

/* Takes the next event that is a record. */
static bool take(struct mofka_source *s, int timeout_ms,
                 struct dfopt_record *record)
{
    size_t topic;
    struct dfopt_mofka_event *e;
    while ((e = dfopt_mofka_inbox_take(s->inbox, timeout_ms, &topic)) != NULL) {
        struct topic *t = &s->topics[topic];
        struct partition *p = &t->partitions[e->partition];
        s->came = true;
        if (e->stop || e->presence) {
            if (e->presence)
                take_presence(s, e);
            put_away(s, p, e);
            continue;
        }
        fill(s, t, p, e, record);
        s->current = e;
        s->current_of = p;
        s->delivered++;
        return true;
    }
    return false;
}

/* ---- end conditions ---- */

static bool is_idle(struct mofka_source *s)
{
    const int64_t spent_ns =
        dfopt_idle_look(&s->idle, dfopt_clock_monotonic_ns(), s->came);
    s->came = false;
    return s->idle_ns && spent_ns >= s->idle_ns;
}

static int step_ms(int timeout_ms)
{
    return timeout_ms < 0 || timeout_ms > LOOK_MS ? LOOK_MS : timeout_ms;
}

static enum dfopt_source_status source_next(struct dfopt_source *source,
                                            int timeout_ms,
                                            struct dfopt_record *record,
                                            struct dfopt_error *err)
{
    struct mofka_source *s = (struct mofka_source *)source;
    put_away_current(s);
    for (;;) {
        if (s->ended)
            return DFOPT_SOURCE_END;
        const int wait_ms = step_ms(timeout_ms);
        if (take(s, wait_ms, record))
            return DFOPT_SOURCE_RECORD;
        if (dfopt_mofka_inbox_health(s->inbox, err)) {
            s->ended = true;
            return DFOPT_SOURCE_ERROR;
        }
        s->ended = is_idle(s);
        if (timeout_ms > 0)
            timeout_ms -= wait_ms;
        if (timeout_ms == 0 && !s->ended)
            return DFOPT_SOURCE_WAIT;
    }
}

static void source_progress(const struct dfopt_source *source,
                            struct dfopt_source_progress *p)
{
    const struct mofka_source *s = (const struct mofka_source *)source;
    *p = (struct dfopt_source_progress){.bytes_done = s->bytes};
}

/* ---- acknowledgements ---- */

static void source_done(struct dfopt_source *source, uint64_t n)
{
    struct mofka_source *s = (struct mofka_source *)source;
    struct dfopt_mofka_watch *w = dfopt_mofka_link_watch(s->link);
    put_away_current(s);
    for (size_t i = 0; i < s->n_topics; i++)
        for (size_t j = 0; j < s->topics[i].n_partitions; j++) {
            struct partition *p = &s->topics[i].partitions[j];
            struct dfopt_mofka_event *e =
                dfopt_mofka_kept_take(&p->kept, s->module, n);
            if (e)
                dfopt_mofka_watch_acknowledge(w, p->slot, e);
        }
}

static void free_topic(struct mofka_source *s, struct topic *t)
{
    for (size_t i = 0; i < t->n_partitions; i++) {
        dfopt_mofka_kept_clear(&t->partitions[i].kept, s->module);
        free(t->partitions[i].origin);
    }
    free(t->partitions);
}

static void source_destroy(struct dfopt_source *source)
{
    struct mofka_source *s = (struct mofka_source *)source;
    struct dfopt_error why = {0};
    if (!s)
        return;
    put_away_current(s);
    if (dfopt_mofka_watch_settle(dfopt_mofka_link_watch(s->link), &why) && s->note)
        s->note(s->note_arg, why.text);
    const bool presence = dfopt_mofka_presence_destroy(s->presence);
    if (!dfopt_mofka_inbox_destroy(s->inbox) || !presence)
        return; /* an abandoned thread may still use the names */
    for (size_t i = 0; i < s->n_topics; i++)
        free_topic(s, &s->topics[i]);
    free(s);
}

static const struct dfopt_source_ops mofka_ops = {
    .next = source_next,
    .progress = source_progress,
    .done = source_done,
    .destroy = source_destroy,
};

/* ---- create ---- */

static enum dfopt_err add_partition(struct mofka_source *s, struct topic *t,
                                    const struct dfopt_mofka_at *at, size_t i,
                                    struct dfopt_error *err)
{
    char text[NAME_SIZE + 80];
    snprintf(text, sizeof text, "mofka:%s/%zu@%s", at->name, i,
             s->module->partition_uuid(at->topic, i));
    struct partition *p = &t->partitions[i];
    p->acknowledged = t->stream != DFOPT_MOFKA_REGISTRATIONS;
    p->origin = strdup(text);
    t->n_partitions = i + 1;
    if (!p->origin)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    return dfopt_mofka_watch_slot(dfopt_mofka_link_watch(s->link), at->name,
                                  &p->slot, err);
}

static enum dfopt_err add_topic(struct mofka_source *s, int stream,
                                const struct dfopt_mofka_source_options *o,
                                struct dfopt_error *err)
{
    const struct dfopt_mofka_input *input = &o->inputs[stream];
    const bool is_named = o->consumer_name && *o->consumer_name;
    struct topic *t = &s->topics[s->n_topics];
    t->stream = stream;
    const struct dfopt_mofka_subscription ingest = {
        .group_file = input->group_file,
        .topic = input->topic,
        .consumer = is_named ? o->consumer_name : CONSUMER,
        .by_topic = !is_named,
        .first = stream != DFOPT_MOFKA_FINDINGS,
        .event_bytes = o->max_record_bytes,
    };
    enum dfopt_err e = dfopt_mofka_inbox_add(s->inbox, &ingest, err);
    if (e && input->option)
        dfopt_error_prefix(err, "%s", input->option);
    if (e)
        return e;
    const struct dfopt_mofka_at *at = dfopt_mofka_inbox_at(s->inbox, s->n_topics++);
    const size_t n = s->module->partitions(at->topic);
    t->partitions = calloc(n, sizeof *t->partitions);
    if (!t->partitions)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !e; i++)
        e = add_partition(s, t, at, i, err);
    return e;
}

/* Notes a topic that is absent and may be. */
static enum dfopt_err add_if_there(struct mofka_source *s, int stream,
                                   const struct dfopt_mofka_source_options *o,
                                   struct dfopt_error *err)
{
    const enum dfopt_err e = add_topic(s, stream, o, err);
    if (e != DFOPT_ERR_ARG || !o->inputs[stream].may_be_absent)
        return e;
    if (o->note && err)
        o->note(o->note_arg, err->text);
    return DFOPT_OK;
}

static bool is_read(const struct dfopt_mofka_source_options *o, int stream)
{
    return o->inputs[stream].topic && *o->inputs[stream].topic;
}

/* Services meet in the topic of acknowledgements. */
static enum dfopt_err open_presence(struct mofka_source *s,
                                    const struct dfopt_mofka_source_options *o,
                                    struct dfopt_error *err)
{
    const struct dfopt_mofka_input *acks = &o->inputs[DFOPT_MOFKA_ACKS];
    if (!is_read(o, DFOPT_MOFKA_FINDINGS) || !is_read(o, DFOPT_MOFKA_ACKS))
        return DFOPT_OK;
    return dfopt_mofka_presence_create(/* findings were added first */
                                       &s->presence, s->link, acks->group_file,
                                       acks->topic,
                                       dfopt_mofka_inbox_at(s->inbox, 0)->name,
                                       dfopt_mofka_inbox_consumer(s->inbox, 0),
                                       err);
}

static enum dfopt_err open_all(struct mofka_source *s,
                               const struct dfopt_mofka_source_options *o,
                               struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_mofka_inbox_create(&s->inbox, s->link, err);
    for (int i = 0; i < DFOPT_MOFKA_STREAMS && !e; i++)
        if (is_read(o, i))
            e = add_if_there(s, i, o, err);
    if (!e && s->n_topics == 0)
        e = dfopt_error_set(err, DFOPT_ERR_ARG, "Mofka: no topic to read from");
    if (!e)
        e = open_presence(s, o, err);
    if (!e)
        e = dfopt_mofka_inbox_start(s->inbox, err);
    return e || !s->presence ? e : dfopt_mofka_presence_hello(s->presence, err);
}

enum dfopt_err dfopt_mofka_source_create(struct dfopt_source **out,
                                         struct dfopt_mofka_link *l,
                                         const struct dfopt_mofka_source_options *o,
                                         struct dfopt_error *err)
{
    struct mofka_source *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->base.ops = &mofka_ops;
    s->link = l;
    s->module = dfopt_mofka_link_module(l);
    s->max_record_bytes = o->max_record_bytes;
    if (o->idle_timeout_s > 0 && o->idle_timeout_s < 1e9)
        s->idle_ns = (int64_t)(o->idle_timeout_s * 1e9);
    const enum dfopt_err e = open_all(s, o, err);
    if (e) {
        source_destroy(&s->base);
        return e;
    }
    s->note = o->note;
    s->note_arg = o->note_arg;
    *out = &s->base;
    return DFOPT_OK;
}
