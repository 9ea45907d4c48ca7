/* Messages waiting for the listener: ordered and bounded. */
#include "client/impl.h"

#include <stdlib.h>
#include <string.h>

void dfopt_client_queue_init(struct client_queue *q, size_t most)
{
    *q = (struct client_queue){.last = &q->first, .most = most};
}

struct client_item *dfopt_client_item(enum dfopt_err made, struct dfopt_buf *meta,
                                      struct dfopt_buf *body)
{
    struct client_item *item =
        made ? NULL : malloc(sizeof *item + meta->len + body->len);
    if (item) {
        item->next = NULL;
        item->number = 0;
        item->meta_len = meta->len;
        item->body_len = body->len;
        memcpy(item->bytes, meta->data, meta->len);
        memcpy(item->bytes + meta->len, body->data, body->len);
    }
    dfopt_buf_free(meta);
    dfopt_buf_free(body);
    return item;
}

/* Returns NULL if the queue is empty. */
static struct client_item *take_first(struct client_queue *q)
{
    struct client_item *item = q->first;
    if (!item)
        return NULL;
    q->first = item->next;
    q->n--;
    if (!q->first)
        q->last = &q->first;
    return item;
}

void dfopt_client_queue_push(dfopt_client *c, struct client_queue *q,
                             struct client_item *item)
{
    *q->last = item;
    q->last = &item->next;
    if (q->n++ == 0)
        dfopt_client_wake(c);
    if (q->n <= q->most)
        return;
    free(take_first(q)); /* never the new item: the bound is above 0 */
    q->dropped++;
}

enum dfopt_err dfopt_client_queue_put(dfopt_client *c, struct client_queue *q,
                                      struct client_item *item)
{
    if (!item)
        return DFOPT_ERR_NOMEM;
    pthread_mutex_lock(&c->lock);
    if (c->diagnoses) {
        item->number = ++q->asked;
        c->asked = true;
    }
    dfopt_client_queue_push(c, q, item);
    pthread_mutex_unlock(&c->lock);
    return DFOPT_OK;
}

/* Removes the first item. Only the listener calls this, but a push may drop the
 * first item, so it must not stay queued while it is sent. */
static struct client_item *pop(dfopt_client *c, struct client_queue *q)
{
    pthread_mutex_lock(&c->lock);
    struct client_item *item = take_first(q);
    pthread_mutex_unlock(&c->lock);
    return item;
}

static void finish(dfopt_client *c, struct client_queue *q,
                   struct client_item *item, bool sent)
{
    pthread_mutex_lock(&c->lock);
    if (sent) {
        q->sent++;
    } else {
        item->next = q->first;
        q->first = item;
        if (!item->next)
            q->last = &item->next;
        q->n++;
    }
    pthread_mutex_unlock(&c->lock);
    if (sent)
        free(item);
}

/* Without memory for the request for an answer, sends the bare item. */
static bool send_item(dfopt_client *c, const struct client_item *item,
                      enum dfopt_client_stream stream)
{
    struct dfopt_buf meta = {0};
    struct dfopt_client_message m = {item->bytes, item->bytes + item->meta_len,
                                     item->meta_len, item->body_len};
    if (item->number && !dfopt_client_ask_json(c, item, &meta)) {
        m.meta = meta.data;
        m.meta_len = meta.len;
    }
    const enum dfopt_err e = c->transport->send(c->link, stream, &m);
    dfopt_buf_free(&meta);
    return e == DFOPT_OK;
}

void dfopt_client_queue_send(dfopt_client *c, struct client_queue *q,
                             enum dfopt_client_stream stream)
{
    struct client_item *item;
    bool sent = true;
    while (sent && (item = pop(c, q)) != NULL) {
        sent = send_item(c, item, stream);
        finish(c, q, item, sent);
    }
}

size_t dfopt_client_queue_clear(struct client_queue *q)
{
    const size_t n = q->n;
    struct client_item *item;
    while ((item = take_first(q)) != NULL)
        free(item);
    q->dropped += n;
    return n;
}
