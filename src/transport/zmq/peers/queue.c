/* Every entry is in three lists: all entries by age, its lane, and its key.
 * Lanes and keys exist while they have entries. */
#include "transport/zmq/peers/queue.h"

#include "base/hostname.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { BY_AGE, BY_LANE, BY_KEY, LISTS };

struct entry {
    struct dfopt_zmq_item item; /* points past the struct */
    struct entry *prev[LISTS], *next[LISTS];
    struct dfopt_zmq_group *lane, *key;
    char bytes[];
};

struct dfopt_zmq_group {
    UT_hash_handle hh;
    struct entry *first;
    size_t len;
    bool marked;
    char name[]; /* len bytes, then a NUL */
};

struct dfopt_zmq_queue {
    struct entry *oldest;
    struct dfopt_zmq_group *lanes, *keys;
    size_t n, max;
};

enum dfopt_err dfopt_zmq_queue_create(struct dfopt_zmq_queue **out, size_t max)
{
    struct dfopt_zmq_queue *q = calloc(1, sizeof *q);
    if (!q)
        return DFOPT_ERR_NOMEM;
    q->max = max > 0 ? max : 1;
    *out = q;
    return DFOPT_OK;
}

/* The group of that name, created if needed; NULL: no memory. The name is two
 * texts separated by a NUL, or one if b is NULL. */
static struct dfopt_zmq_group *group_of(struct dfopt_zmq_group **table,
                                        const char *a, const char *b)
{
    const size_t a_len = strlen(a), b_len = b ? strlen(b) + 1 : 0;
    const size_t len = a_len + b_len;
    struct dfopt_zmq_group *g = calloc(1, sizeof *g + len + 1), *found = NULL;
    if (!g)
        return NULL;
    memcpy(g->name, a, a_len);
    if (b)
        memcpy(g->name + a_len + 1, b, b_len - 1);
    g->len = len;
    HASH_FIND(hh, *table, g->name, len, found);
    if (found) {
        free(g);
        return found;
    }
    HASH_ADD_KEYPTR(hh, *table, g->name, len, g);
    if (!g->hh.tbl) {
        free(g);
        return NULL;
    }
    return g;
}

static void free_if_empty(struct dfopt_zmq_group **table, struct dfopt_zmq_group *g)
{
    if (!g || g->first)
        return;
    HASH_DELETE(hh, *table, g);
    free(g);
}

static struct entry *copy_of(const struct dfopt_zmq_item *item)
{
    struct entry *e = calloc(1, sizeof *e + item->metadata.len + item->body.len);
    if (!e)
        return NULL;
    if (item->metadata.len)
        memcpy(e->bytes, item->metadata.data, item->metadata.len);
    if (item->body.len)
        memcpy(e->bytes + item->metadata.len, item->body.data, item->body.len);
    e->item = (struct dfopt_zmq_item){
        .metadata = {e->bytes, item->metadata.len},
        .body = {e->bytes + item->metadata.len, item->body.len},
        .since_ns = item->since_ns,
    };
    return e;
}

/* Returns whether its lane still exists. */
static bool remove_entry(struct dfopt_zmq_queue *q, struct entry *e)
{
    struct dfopt_zmq_group *lane = e->lane, *key = e->key;
    DL_DELETE2(q->oldest, e, prev[BY_AGE], next[BY_AGE]);
    DL_DELETE2(lane->first, e, prev[BY_LANE], next[BY_LANE]);
    DL_DELETE2(key->first, e, prev[BY_KEY], next[BY_KEY]);
    free(e);
    q->n--;
    const bool stays = lane->first != NULL;
    free_if_empty(&q->lanes, lane);
    free_if_empty(&q->keys, key);
    return stays;
}

/* The new entry is already in, as the newest of its key and overall. */
static enum dfopt_zmq_evicted evict_for(struct dfopt_zmq_queue *q,
                                        struct entry *newest)
{
    if (q->n <= q->max)
        return DFOPT_ZMQ_EVICTED_NONE;
    struct entry *e = newest->key->first;
    const bool same = e != newest;
    remove_entry(q, same ? e : q->oldest);
    return same ? DFOPT_ZMQ_EVICTED_SAME_KEY : DFOPT_ZMQ_EVICTED_OLDEST;
}

enum dfopt_err dfopt_zmq_queue_push(struct dfopt_zmq_queue *q, const char *lane,
                                    const char *node, const char *knob,
                                    const struct dfopt_zmq_item *item,
                                    enum dfopt_zmq_evicted *evicted)
{
    struct entry *e = copy_of(item);
    if (!e)
        return DFOPT_ERR_NOMEM;
    e->lane = group_of(&q->lanes, lane, NULL);
    e->key = group_of(&q->keys, node, knob);
    if (!e->lane || !e->key) {
        free_if_empty(&q->lanes, e->lane);
        free_if_empty(&q->keys, e->key);
        free(e);
        return DFOPT_ERR_NOMEM;
    }
    DL_APPEND2(q->oldest, e, prev[BY_AGE], next[BY_AGE]);
    DL_APPEND2(e->lane->first, e, prev[BY_LANE], next[BY_LANE]);
    DL_APPEND2(e->key->first, e, prev[BY_KEY], next[BY_KEY]);
    q->n++;
    *evicted = evict_for(q, e);
    return DFOPT_OK;
}

void dfopt_zmq_queue_destroy(struct dfopt_zmq_queue *q)
{
    if (!q)
        return;
    while (q->oldest)
        remove_entry(q, q->oldest);
    free(q);
}

size_t dfopt_zmq_queue_length(const struct dfopt_zmq_queue *q)
{
    return q->n;
}

bool dfopt_zmq_queue_has_lane(const struct dfopt_zmq_queue *q, const char *lane)
{
    struct dfopt_zmq_group *found = NULL;
    if (q->n > 0)
        HASH_FIND(hh, q->lanes, lane, strlen(lane), found);
    return found != NULL;
}

bool dfopt_zmq_queue_holds(const struct dfopt_zmq_queue *q, const char *node)
{
    const size_t len = strlen(node);
    const struct dfopt_zmq_group *lane = q->lanes;
    for (; lane; lane = lane->hh.next)
        if (lane->len == 0 || strcmp(lane->name, DFOPT_ZMQ_LANE_OF_ALL) == 0 ||
            dfopt_hostname_same(lane->name, lane->len, node, len))
            return true;
    return false;
}

struct dfopt_zmq_group *dfopt_zmq_queue_lane(const struct dfopt_zmq_queue *q,
                                             const struct dfopt_zmq_group *after)
{
    return after ? after->hh.next : q->lanes;
}

bool dfopt_zmq_lane_mark(struct dfopt_zmq_group *lane)
{
    const bool first = !lane->marked;
    lane->marked = true;
    return first;
}

const char *dfopt_zmq_lane_name(const struct dfopt_zmq_group *lane)
{
    return lane->name;
}

const struct dfopt_zmq_item *
dfopt_zmq_lane_first(const struct dfopt_zmq_group *lane)
{
    return &lane->first->item;
}

bool dfopt_zmq_lane_pop(struct dfopt_zmq_queue *q, struct dfopt_zmq_group *lane)
{
    return remove_entry(q, lane->first);
}
