/* From records to events. The batch owns its registrations, for the decision log;
 * events share them. */
#include "engine/batch/ingest.h"

_Static_assert((int)DFOPT_UNIT_BYTE == DFOPT_OFFSET_BYTE &&
                   (int)DFOPT_UNIT_RECEIVED == DFOPT_OFFSET_RECEIVED &&
                   (int)DFOPT_UNIT_EVENT_ID == DFOPT_OFFSET_EVENT_ID,
               "the log keeps a record's unit");

dfopt_sym dfopt_ingest_origin(struct dfopt_ingest *in,
                              const struct dfopt_record *rec)
{
    if (rec->origin != in->origin) {
        in->origin = rec->origin;
        in->origin_sym = dfopt_dict_intern_z(in->dict, rec->origin);
    }
    return in->origin_sym;
}

uint64_t dfopt_record_end(const struct dfopt_record *rec)
{
    return rec->offset + (rec->unit == DFOPT_OFFSET_BYTE ? rec->len : 1);
}

enum dfopt_err dfopt_ingest_note_origin(struct dfopt_ingest *in,
                                        struct dfopt_batch *r, uint64_t seq,
                                        const struct dfopt_record *rec)
{
    const struct dfopt_ingest_place was = in->place;
    const dfopt_sym origin = dfopt_ingest_origin(in, rec);
    if (origin == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    in->place = (struct dfopt_ingest_place){origin, dfopt_record_end(rec), true};
    const bool follows = rec->unit == DFOPT_OFFSET_BYTE ? rec->offset >= was.offset
                                                        : rec->offset == was.offset;
    if (was.any && was.origin == origin && follows)
        return DFOPT_OK;
    const struct dfopt_declog_origin_row row = {
        .seq = seq, .offset = rec->offset, .origin = origin, .unit = rec->unit};
    return dfopt_buf_add(&r->origins, &row, sizeof row);
}

static enum dfopt_err add_reject(struct dfopt_ingest *in, struct dfopt_batch *r,
                                 uint64_t seq, const struct dfopt_record *rec,
                                 uint32_t stream, const char *why)
{
    const struct dfopt_declog_reject_row row = {
        .seq = seq,
        .line = rec->line,
        .stream = stream,
        .origin = dfopt_ingest_origin(in, rec),
        .reason = dfopt_dict_intern_z(in->dict, why),
    };
    r->objectives_judged = in->policy->on.effect != DFOPT_EFFECT_SEVERITY;
    if (row.origin == DFOPT_SYM_NONE || row.reason == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    return dfopt_buf_add(&r->rejects, &row, sizeof row);
}

static enum dfopt_err keep_finding(struct dfopt_batch *r, uint64_t seq,
                                   const struct dfopt_finding *f)
{
    struct dfopt_finding_row *row = dfopt_buf_grow(&r->findings, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    row->seq = seq;
    row->f = *f;
    return DFOPT_OK;
}

static enum dfopt_err keep_objective(struct dfopt_batch *r, uint64_t seq,
                                     const struct dfopt_objective *o)
{
    const struct dfopt_numbered_objective row = {.seq = seq, .o = *o};
    return dfopt_buf_add(&r->objectives, &row, sizeof row);
}

static enum dfopt_err keep_ack(struct dfopt_batch *r, uint64_t seq,
                               const struct dfopt_event *event)
{
    const struct dfopt_batch_ack ack = {
        .seq = seq,
        .given = event->ack,
        .plan_id = dfopt_batch_text(r, event->plan_id, event->plan_id_len),
        .plan_id_len = event->plan_id_len,
        .reason = dfopt_batch_text(r, event->reason, event->reason_len),
        .reason_len = event->reason_len,
    };
    if (ack.plan_id == SIZE_MAX || ack.reason == SIZE_MAX)
        return DFOPT_ERR_NOMEM;
    return dfopt_buf_add(&r->acks, &ack, sizeof ack);
}

/* Keeps a registration received as an event. `body`: as received. `accepted` is
 * taken on success; NULL: rejected. */
static enum dfopt_err keep_registration(struct dfopt_batch *r, uint64_t seq,
                                        const char *body, size_t len,
                                        const struct dfopt_registration *accepted)
{
    struct dfopt_batch_registration reg = {
        .seq = seq,
        .source = DFOPT_SOURCE_EVENT,
        .body = dfopt_batch_text(r, body, len),
        .body_len = len,
        .rejected = accepted == NULL,
    };
    if (accepted)
        reg.accepted = *accepted;
    if (reg.body == SIZE_MAX)
        return DFOPT_ERR_NOMEM;
    return dfopt_buf_add(&r->registrations, &reg, sizeof reg);
}

/* Keeps a command; the batch takes its policy, which the event shares. */
static enum dfopt_err keep_command(struct dfopt_batch *r, uint64_t seq,
                                   struct dfopt_event *event)
{
    const struct dfopt_batch_command c = {
        .seq = seq,
        .body = dfopt_batch_text(r, event->body, event->body_len),
        .body_len = event->body_len,
        .command = event->command,
        .policy = event->policy,
    };
    enum dfopt_err e = c.body == SIZE_MAX
                           ? DFOPT_ERR_NOMEM
                           : dfopt_buf_add(&r->commands, &c, sizeof c);
    if (e)
        dfopt_event_clear(event);
    return e;
}

static enum dfopt_err keep(struct dfopt_ingest *in, struct dfopt_batch *r,
                           uint64_t seq, struct dfopt_event *event)
{
    enum dfopt_err e = DFOPT_OK;
    if (event->stream == DFOPT_STREAM_FINDING) {
        if (in->keep_findings)
            e = keep_finding(r, seq, &event->finding);
    } else if (event->stream == DFOPT_STREAM_OBJECTIVE) {
        e = keep_objective(r, seq, &event->objective);
    } else if (event->stream == DFOPT_STREAM_ACK) {
        e = keep_ack(r, seq, event);
    } else if (event->stream == DFOPT_STREAM_CONTROL) {
        e = keep_command(r, seq, event);
    } else if (event->stream == DFOPT_STREAM_REGISTRATION) {
        e = keep_registration(r, seq, event->body, event->body_len,
                              &event->registration);
        if (e)
            dfopt_event_clear(event);
    }
    return e;
}

/* Decodes a record, and rejects a registration that the policy refuses. */
static enum dfopt_err decode(const struct dfopt_ingest *in,
                             const struct dfopt_record *rec,
                             struct dfopt_event *event, struct dfopt_error *why)
{
    if (rec->problem) {
        event->stream =
            rec->stream < 0 ? DFOPT_STREAM_FINDING : (uint32_t)rec->stream;
        return dfopt_error_set(why, DFOPT_ERR_LIMIT, "%s", rec->problem);
    }
    enum dfopt_err e =
        dfopt_codec_decode(in->codec, rec->stream, rec->data, rec->len, event, why);
    if (e || event->stream != DFOPT_STREAM_REGISTRATION)
        return e;
    e = dfopt_registration_check(&event->registration, in->policy, why);
    if (e) {
        const struct dfopt_event was = *event;
        dfopt_event_clear(event);
        event->stream = DFOPT_STREAM_REGISTRATION;
        event->body = was.raw ? was.raw : was.enveloped ? was.body : NULL;
        event->body_len = was.raw ? was.raw_len : was.body_len;
    }
    return e;
}

enum dfopt_err dfopt_ingest_take(struct dfopt_ingest *in, struct dfopt_batch *r,
                                 uint64_t seq, const struct dfopt_record *rec,
                                 struct dfopt_event *event, struct dfopt_error *why)
{
    enum dfopt_err e = decode(in, rec, event, why);
    if (e == DFOPT_ERR_NOMEM)
        return e;
    if (e == DFOPT_OK)
        return keep(in, r, seq, event);
    if (in->strict)
        return e;
    enum dfopt_err kept = DFOPT_OK;
    if (event->stream == DFOPT_STREAM_REGISTRATION) /* as received, for the log */
        kept = event->body
                   ? keep_registration(r, seq, event->body, event->body_len, NULL)
                   : keep_registration(r, seq, rec->data, rec->len, NULL);
    if (!kept)
        kept = add_reject(in, r, seq, rec, event->stream, why->text);
    return kept ? kept : e;
}

enum dfopt_err dfopt_ingest_keep(struct dfopt_ingest *in, struct dfopt_batch *r,
                                 uint64_t seq, struct dfopt_event *event)
{
    return keep(in, r, seq, event);
}
