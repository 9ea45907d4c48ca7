/* A positive subscriber count for each topic subscribed to, and for each host
 * (folded first label) a list of its topics. */
#include "transport/zmq/peers/topics.h"

#include "base/hostname.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAX_TOPICS  65536
#define LABEL_BYTES 256 /* longer ones are not a host's: RFC 1035 allows 63 */
#define NAMED       3   /* topics in a message */

struct dfopt_zmq_host {
    UT_hash_handle hh;
    struct dfopt_zmq_topic *topics;
    char label[];
};

struct dfopt_zmq_topic {
    UT_hash_handle hh;
    struct dfopt_zmq_host *host; /* NULL: no memory for it, or "" */
    struct dfopt_zmq_topic *prev, *next;
    size_t subscribers, len;
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

/* ---- hosts ---- */

/* The folded first label; 0: not a host's. */
static size_t label_of(const char *name, size_t n, char label[LABEL_BYTES])
{
    const size_t len = dfopt_hostname_label(name, n);
    if (len >= LABEL_BYTES)
        return 0;
    for (size_t i = 0; i < len; i++)
        label[i] = dfopt_hostname_fold(name[i]);
    return len;
}

static struct dfopt_zmq_host *find_host(const struct dfopt_zmq_topics *t,
                                        const char *name, size_t n)
{
    struct dfopt_zmq_host *found = NULL;
    char label[LABEL_BYTES];
    const size_t len = label_of(name, n, label);
    if (t->hosts && len)
        HASH_FIND(hh, t->hosts, label, len, found);
    return found;
}

static void join_host(struct dfopt_zmq_topics *t, struct dfopt_zmq_topic *topic)
{
    char label[LABEL_BYTES];
    const size_t len = label_of(topic->name, topic->len, label);
    struct dfopt_zmq_host *host = find_host(t, topic->name, topic->len);
    if (!host) {
        if (!len || !(host = calloc(1, sizeof *host + len + 1)))
            return;
        memcpy(host->label, label, len);
        HASH_ADD_KEYPTR(hh, t->hosts, host->label, len, host);
        if (!host->hh.tbl) {
            free(host);
            return;
        }
    }
    topic->host = host;
    DL_APPEND(host->topics, topic);
}

static void leave_host(struct dfopt_zmq_topics *t, struct dfopt_zmq_topic *topic)
{
    struct dfopt_zmq_host *host = topic->host;
    if (!host)
        return;
    DL_DELETE(host->topics, topic);
    if (host->topics)
        return;
    HASH_DELETE(hh, t->hosts, host);
    free(host);
}

/* ---- subscriptions ---- */

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
    topic->len = n;
    memcpy(topic->name, name, n);
    HASH_ADD_KEYPTR(hh, t->table, topic->name, n, topic);
    if (!topic->hh.tbl)
        free(topic);
    else
        join_host(t, topic);
}

static void unsubscribe(struct dfopt_zmq_topics *t, const char *name, size_t n)
{
    struct dfopt_zmq_topic *topic = find(t, name, n);
    if (!topic || --topic->subscribers > 0)
        return;
    leave_host(t, topic);
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

/* ---- forms of a name ---- */

static bool is_full(const struct dfopt_zmq_topic *topic)
{
    return dfopt_hostname_label(topic->name, topic->len) + 1 < topic->len;
}

/* Whether full names of two hosts share this label, `node` included if full. */
static bool is_ambiguous(const struct dfopt_zmq_host *host, const char *node,
                         size_t len)
{
    const char *first = dfopt_hostname_label(node, len) + 1 < len ? node : NULL;
    size_t first_len = len;
    const struct dfopt_zmq_topic *topic;
    DL_FOREACH(host->topics, topic)
    {
        if (!is_full(topic))
            continue;
        if (first &&
            !dfopt_hostname_equal(first, first_len, topic->name, topic->len))
            return true;
        first = topic->name;
        first_len = topic->len;
    }
    return false;
}

/* Adds a form, unless a longer one reaches its subscribers as well. */
static size_t add_form(const char **forms, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(forms[i], name, len) == 0)
            return n;
    for (size_t i = 0; i < n; i++)
        if (strncmp(name, forms[i], strlen(forms[i])) == 0) {
            forms[i] = name;
            return n;
        }
    if (n < DFOPT_ZMQ_TOPIC_FORMS)
        forms[n++] = name;
    return n;
}

size_t dfopt_zmq_topics_forms(const struct dfopt_zmq_topics *t, const char *topic,
                              const char *forms[DFOPT_ZMQ_TOPIC_FORMS])
{
    const size_t len = strlen(topic);
    const struct dfopt_zmq_host *host = find_host(t, topic, len);
    const struct dfopt_zmq_topic *found;
    size_t n = 0;
    if (host) {
        const bool whole = is_ambiguous(host, topic, len);
        DL_FOREACH(host->topics, found)
        {
            if (whole ? dfopt_hostname_equal(topic, len, found->name, found->len)
                      : dfopt_hostname_same(topic, len, found->name, found->len))
                n = add_form(forms, n, found->name, found->len);
        }
    } else if (find(t, topic, len)) { /* not a host name */
        forms[n++] = topic;
    }
    if (n == 0 && find(t, "", 0))
        forms[n++] = topic;
    return n;
}

/* ---- for a message ---- */

/* Whether one name starts with the other's first label, ignoring case: n1 and
 * n1-ib0. */
static bool is_like(const char *a, size_t a_len, const char *b, size_t b_len)
{
    a_len = dfopt_hostname_label(a, a_len);
    b_len = dfopt_hostname_label(b, b_len);
    const size_t len = a_len < b_len ? a_len : b_len;
    return len > 0 && dfopt_hostname_equal(a, len, b, len);
}

void dfopt_zmq_topics_like(const struct dfopt_zmq_topics *t, const char *topic,
                           char *text, size_t size)
{
    const struct dfopt_zmq_topic *found, *next;
    const size_t len = strlen(topic);
    text[0] = '\0';
    for (int like = 1; like >= 0 && text[0] == '\0'; like--) {
        size_t n = 0, at = 0;
        HASH_ITER(hh, t->table, found, next)
        {
            if (n == NAMED || at >= size)
                break;
            if (found->len == 0 || strcmp(found->name, "*") == 0 ||
                (like && !is_like(topic, len, found->name, found->len)))
                continue;
            const int put = snprintf(text + at, size - at, "%s%.64s",
                                     n++ ? ", " : "", found->name);
            at += put > 0 ? (size_t)put : 0;
        }
    }
}

void dfopt_zmq_topics_free(struct dfopt_zmq_topics *t)
{
    struct dfopt_zmq_topic *topic, *next;
    HASH_ITER(hh, t->table, topic, next)
    {
        leave_host(t, topic);
        HASH_DELETE(hh, t->table, topic);
        free(topic);
    }
}
