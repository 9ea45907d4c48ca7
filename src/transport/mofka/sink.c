/* Sends plans to a topic. */
#include "transport/mofka/mofka.h"

#include "net/mofka/outbox.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN_METADATA "{\"type\":\"action_plan\"}"
#define MAX_PENDING    65536 /* queued plans beyond which publish waits */

struct mofka_sink {
    struct dfopt_sink base;
    struct dfopt_mofka_outbox *outbox;
    int copies;
};

/* FNV-1a: any function of the name will do that is the same everywhere. */
static size_t place_of(const char *knob)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = knob ? knob : ""; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return (size_t)(h >> 16);
}

static enum dfopt_err sink_publish(struct dfopt_sink *sink,
                                   const struct dfopt_plan_message *m,
                                   struct dfopt_error *err)
{
    struct mofka_sink *s = (struct mofka_sink *)sink;
    const struct dfopt_mofka_message message = {
        .metadata = m->metadata ? m->metadata : PLAIN_METADATA,
        .metadata_len = m->metadata ? m->metadata_len : strlen(PLAIN_METADATA),
        .body = m->body,
        .body_len = m->body_len,
        .where = place_of(m->knob),
    };
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_mofka_outbox_pending(s->outbox) >= MAX_PENDING)
        e = dfopt_mofka_outbox_flush(s->outbox, err);
    for (int i = 0; i < s->copies && !e; i++)
        e = dfopt_mofka_outbox_send(s->outbox, &message, err);
    return e;
}

static enum dfopt_err sink_flush(struct dfopt_sink *sink, struct dfopt_error *err)
{
    return dfopt_mofka_outbox_flush(((struct mofka_sink *)sink)->outbox, err);
}

static enum dfopt_err sink_destroy(struct dfopt_sink *sink, struct dfopt_error *err)
{
    struct mofka_sink *s = (struct mofka_sink *)sink;
    if (!s)
        return DFOPT_OK;
    const enum dfopt_err e = dfopt_mofka_outbox_flush(s->outbox, err);
    if (dfopt_mofka_outbox_destroy(s->outbox, 0))
        free(s);
    return e;
}

static const struct dfopt_sink_ops mofka_ops = {
    .publish = sink_publish,
    .flush = sink_flush,
    .destroy = sink_destroy,
};

enum dfopt_err dfopt_mofka_sink_create(struct dfopt_sink **out,
                                       struct dfopt_mofka_link *l,
                                       const struct dfopt_mofka_sink_options *o,
                                       struct dfopt_error *err)
{
    struct mofka_sink *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->base.ops = &mofka_ops;
    s->copies = o->copies > 0 ? o->copies : 1;
    const enum dfopt_err e =
        dfopt_mofka_outbox_create(&s->outbox, l, o->group_file, o->topic, err);
    if (e)
        free(s);
    else
        *out = &s->base;
    return e;
}
