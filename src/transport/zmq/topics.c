/* A count for each topic that is subscribed to; it is never 0. */
#include "transport/zmq/topics.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_TOPICS 65536

struct dfopt_zmq_topic {
    UT_hash_handle hh;
    size_t subscribers;
    char name[];
};

static struct dfopt_zmq_topic *find(const struct dfopt_zmq_topics *t,
                                    const char *name, size_t n)
{
    struct dfopt_zmq_topic *found = NULL;
    if (t->table)
        HASH_FIND(hh, t->table, name, n, found);
    return found;
}

static void subscribe(struct dfopt_zmq_topics *t, const char *name, size_t n)
{
    struct dfopt_zmq_topic *topic = find(t, name, n);
    if (topic) {
        topic->subscribers++;
        return;
    }
    if (HASH_COUNT(t->table) >= MAX_TOPICS ||
        !(topic = calloc(1, sizeof *topic + n + 1)))
        return;
    topic->subscribers = 1;
    memcpy(topic->name, name, n);
    HASH_ADD_KEYPTR(hh, t->table, topic->name, n, topic);
    if (!topic->hh.tbl)
        free(topic);
}

static void unsubscribe(struct dfopt_zmq_topics *t, const char *name, size_t n)
{
    struct dfopt_zmq_topic *topic = find(t, name, n);
    if (!topic || --topic->subscribers > 0)
        return;
    HASH_DELETE(hh, t->table, topic);
    free(topic);
}

void dfopt_zmq_topics_note(struct dfopt_zmq_topics *t, const void *message,
                           size_t n)
{
    const char *bytes = message;
    if (n > 0 && bytes[0] == 1)
        subscribe(t, bytes + 1, n - 1);
    else if (n > 0 && bytes[0] == 0)
        unsubscribe(t, bytes + 1, n - 1);
}

size_t dfopt_zmq_topics_matching(const struct dfopt_zmq_topics *t,
                                 const char *topic)
{
    size_t sum = 0;
    for (size_t n = strlen(topic) + 1; n-- > 0;) {
        const struct dfopt_zmq_topic *found = find(t, topic, n);
        sum += found ? found->subscribers : 0;
    }
    return sum;
}

void dfopt_zmq_topics_free(struct dfopt_zmq_topics *t)
{
    struct dfopt_zmq_topic *topic, *next;
    HASH_ITER(hh, t->table, topic, next)
    {
        HASH_DELETE(hh, t->table, topic);
        free(topic);
    }
}
