/* Clients are in the table, by topic, while they subscribe or wait; waiting
 * clients are also in a list. */
#include "transport/zmq/peers/answers.h"

#include "json/write.h"
#include "model/message.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_CLIENTS 65536
#define PREFIX      "decided:" /* of topics, followed by the instance */
#define PREFIX_LEN  (sizeof PREFIX - 1)

struct dfopt_zmq_client {
    UT_hash_handle hh;
    struct dfopt_zmq_client *prev, *next;
    size_t subscribers;
    bool waits;
    int64_t since_ns;
    uint64_t numbers[DFOPT_STREAM_COUNT];
    char *node; /* owned; NULL: unknown */
    size_t len;
    char topic[];
};

/* The client of a topic, created if needed; NULL: no memory, or too many. */
static struct dfopt_zmq_client *client_of(struct dfopt_zmq_answers *a,
                                          const char *instance, size_t n)
{
    const size_t len = PREFIX_LEN + n;
    struct dfopt_zmq_client *c = calloc(1, sizeof *c + len + 1), *found = NULL;
    if (!c)
        return NULL;
    memcpy(c->topic, PREFIX, PREFIX_LEN);
    memcpy(c->topic + PREFIX_LEN, instance, n);
    c->len = len;
    if (a->table)
        HASH_FIND(hh, a->table, c->topic, len, found);
    if (!found && HASH_COUNT(a->table) < MAX_CLIENTS) {
        HASH_ADD_KEYPTR(hh, a->table, c->topic, len, c);
        if (c->hh.tbl)
            return c;
    }
    free(c);
    return found;
}

static void free_if_idle(struct dfopt_zmq_answers *a, struct dfopt_zmq_client *c)
{
    if (c->subscribers > 0 || c->waits)
        return;
    HASH_DELETE(hh, a->table, c);
    free(c->node);
    free(c);
}

bool dfopt_zmq_answers_subscribed(struct dfopt_zmq_answers *a, const void *message,
                                  size_t n)
{
    const char *bytes = message;
    if (n <= 1 + PREFIX_LEN || memcmp(bytes + 1, PREFIX, PREFIX_LEN) != 0)
        return false;
    struct dfopt_zmq_client *c =
        client_of(a, bytes + 1 + PREFIX_LEN, n - 1 - PREFIX_LEN);
    if (c && bytes[0] == 1)
        c->subscribers++;
    else if (c && c->subscribers > 0)
        c->subscribers--;
    if (c)
        free_if_idle(a, c);
    return true;
}

static bool set_node(struct dfopt_zmq_client *c, const char *node)
{
    if (c->node && strcmp(c->node, node) == 0)
        return true;
    char *copy = strdup(node);
    if (!copy)
        return false;
    free(c->node);
    c->node = copy;
    return true;
}

struct dfopt_zmq_client *dfopt_zmq_answers_note(struct dfopt_zmq_answers *a,
                                                int stream,
                                                const struct dfopt_ask *ask,
                                                int64_t now)
{
    struct dfopt_zmq_client *c = client_of(a, ask->instance, strlen(ask->instance));
    if (!c || (unsigned)stream >= DFOPT_STREAM_COUNT || !set_node(c, ask->node)) {
        if (c)
            free_if_idle(a, c);
        return NULL;
    }
    c->numbers[stream] = ask->number;
    if (!c->waits) {
        c->waits = true;
        c->since_ns = now;
        DL_APPEND(a->waiting, c);
    }
    return c;
}

struct dfopt_zmq_client *dfopt_zmq_answers_next(const struct dfopt_zmq_answers *a,
                                                struct dfopt_zmq_client *after)
{
    return after ? after->next : a->waiting;
}

void dfopt_zmq_answers_told(struct dfopt_zmq_answers *a, struct dfopt_zmq_client *c)
{
    c->waits = false;
    DL_DELETE(a->waiting, c);
    free_if_idle(a, c);
}

const char *dfopt_zmq_client_topic(const struct dfopt_zmq_client *c)
{
    return c->topic;
}

const char *dfopt_zmq_client_node(const struct dfopt_zmq_client *c)
{
    return c->node;
}

bool dfopt_zmq_client_is_there(const struct dfopt_zmq_client *c)
{
    return c->subscribers > 0;
}

int64_t dfopt_zmq_client_since(const struct dfopt_zmq_client *c)
{
    return c->since_ns;
}

enum dfopt_err dfopt_zmq_client_json(const struct dfopt_zmq_client *c,
                                     struct dfopt_buf *metadata,
                                     struct dfopt_buf *body)
{
    const char *instance = c->topic + PREFIX_LEN;
    struct dfopt_put p = dfopt_put_start(metadata, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "type", "decided");
    dfopt_member_text(&p, "instance", instance);
    dfopt_put_raw(&p, "}");
    enum dfopt_err e = dfopt_put_end(&p);
    if (e)
        return e;
    p = dfopt_put_start(body, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_text(&p, "instance", instance);
    for (uint32_t i = 0; i < DFOPT_STREAM_COUNT; i++)
        if (c->numbers[i])
            dfopt_member_uint(&p, dfopt_stream_name(i), c->numbers[i]);
    dfopt_put_raw(&p, "}");
    return dfopt_put_end(&p);
}

void dfopt_zmq_answers_free(struct dfopt_zmq_answers *a)
{
    struct dfopt_zmq_client *c, *next;
    HASH_ITER(hh, a->table, c, next)
    {
        c->waits = false;
        c->subscribers = 0;
        free_if_idle(a, c);
    }
    a->waiting = NULL;
}
