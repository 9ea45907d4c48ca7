/* The opening thread runs one job at a time for a caller that waits with a
 * deadline. Both own a job until it is done; a job that misses the deadline is
 * never freed, and neither is the link. */
#include "net/mofka/link.h"

#include "net/mofka/load.h"
#include "net/mofka/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct job {
    void (*run)(struct job *j, const struct dfopt_mofka_module *m);
    struct dfopt_mofka_broker *broker;
    struct dfopt_mofka_topic *topic;
    struct dfopt_mofka_consumer *consumer;
    const struct dfopt_mofka_bounds *bounds;
    const char *text; /* group file, topic or consumer */
    enum dfopt_err e;
    struct dfopt_error err;
    bool done;
};

struct connection {
    struct connection *next;
    struct dfopt_mofka_broker *broker;
    char group_file[];
};

struct opened {
    struct opened *next;
    char name[];
};

struct dfopt_mofka_link {
    const struct dfopt_mofka_module *module;
    int timeout_ms;
    atomic_bool stuck;
    struct dfopt_mofka_watch *watch;
    struct connection *connections;
    struct opened *opened;
    pthread_mutex_t lock; /* protects the job */
    pthread_cond_t changed;
    struct job *job;
};

/* ---- the opening thread ---- */

/* Sleeps forever when idle: it is Argobots' primary thread and must live as
 * long as the process. */
static void *open_all(void *arg)
{
    struct dfopt_mofka_link *l = arg;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->job || l->job->done)
            pthread_cond_wait(&l->changed, &l->lock);
        struct job *j = l->job;
        pthread_mutex_unlock(&l->lock);
        j->run(j, l->module);
        pthread_mutex_lock(&l->lock);
        j->done = true;
        pthread_cond_broadcast(&l->changed);
    }
    return NULL;
}

static void run_connect(struct job *j, const struct dfopt_mofka_module *m)
{
    j->e = m->connect(&j->broker, j->text, &j->err);
}

static void run_topic(struct job *j, const struct dfopt_mofka_module *m)
{
    j->e = m->topic_open(&j->topic, j->broker, j->text, &j->err);
}

static void run_consumer(struct job *j, const struct dfopt_mofka_module *m)
{
    j->e = m->consumer_prepare(&j->consumer, j->topic, j->text, j->bounds, &j->err);
}

/* Runs a copy of the job and stores the result in *j. */
static enum dfopt_err do_job(struct dfopt_mofka_link *l, struct job *j,
                             struct dfopt_error *err)
{
    if (atomic_load(&l->stuck))
        return dfopt_error_set(
            err, DFOPT_ERR_IO,
            "the Mofka client is stuck in an earlier call; restart");
    struct job *own = malloc(sizeof *own);
    if (!own)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    *own = *j;
    const int64_t deadline_ns = dfopt_mofka_in_ms(l->timeout_ms);
    bool in_time = true;
    pthread_mutex_lock(&l->lock);
    l->job = own;
    pthread_cond_broadcast(&l->changed);
    while (!own->done && in_time)
        in_time = dfopt_mofka_cond_wait(&l->changed, &l->lock, deadline_ns);
    const bool done = own->done;
    if (done)
        l->job = NULL;
    pthread_mutex_unlock(&l->lock);
    if (!done) {
        dfopt_mofka_link_set_stuck(l);
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "no answer of the broker for %d ms: it has ended, "
                               "or the group file is outdated",
                               l->timeout_ms);
    }
    *j = *own;
    free(own);
    if (j->e && err)
        *err = j->err;
    return j->e;
}

/* ---- connections and topics ---- */

static struct connection *find(struct dfopt_mofka_link *l, const char *group_file)
{
    struct connection *c = l->connections;
    while (c && strcmp(c->group_file, group_file) != 0)
        c = c->next;
    return c;
}

static enum dfopt_err connect_to(struct dfopt_mofka_link *l, const char *group_file,
                                 struct connection **out, struct dfopt_error *err)
{
    const size_t size = strlen(group_file) + 1;
    struct connection *c = malloc(sizeof *c + size);
    if (!c)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    memcpy(c->group_file, group_file, size);
    struct job j = {.run = run_connect, .text = c->group_file};
    enum dfopt_err e = do_job(l, &j, err);
    if (!e)
        e = dfopt_mofka_watch_add(l->watch, j.broker, c->group_file, err);
    if (e) {
        if (!atomic_load(&l->stuck))
            free(c);
        return e;
    }
    c->broker = j.broker;
    c->next = l->connections;
    l->connections = *out = c;
    return DFOPT_OK;
}

/* Opens a topic by its name with `dot` in place of each dot. out->name is that
 * name, unless out of memory. */
static enum dfopt_err open_named(struct dfopt_mofka_link *l,
                                 const struct connection *c, const char *topic,
                                 char dot, struct dfopt_mofka_at *out,
                                 struct dfopt_error *err)
{
    const size_t size = strlen(topic) + 1;
    struct opened *o = malloc(sizeof *o + size);
    if (!o)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < size; i++)
        o->name[i] = topic[i] == '.' ? dot : topic[i];
    o->next = l->opened;
    l->opened = o; /* before the job: a stuck job keeps using the name */
    *out = (struct dfopt_mofka_at){.name = o->name};
    struct job j = {.run = run_topic, .broker = c->broker, .text = o->name};
    const enum dfopt_err e = do_job(l, &j, err);
    if (!e)
        out->topic = j.topic;
    return e;
}

/* By the given name or, if there is no such topic, with _ for each dot. */
static enum dfopt_err open_either(struct dfopt_mofka_link *l,
                                  const struct connection *c, const char *topic,
                                  struct dfopt_mofka_at *out,
                                  struct dfopt_error *err)
{
    enum dfopt_err e = open_named(l, c, topic, '.', out, err);
    if (e != DFOPT_ERR_ARG || !strchr(topic, '.'))
        return e;
    e = open_named(l, c, topic, '_', out, err);
    return e == DFOPT_ERR_ARG
               ? dfopt_error_set(err, e,
                                 "no such topic, nor one '%s' (brokers "
                                 "started by Bedrock take no dots)",
                                 out->name)
               : e;
}

enum dfopt_err dfopt_mofka_link_open(struct dfopt_mofka_link *l,
                                     const char *group_file, const char *topic,
                                     struct dfopt_mofka_at *out,
                                     struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    struct connection *c = find(l, group_file);
    if (!c)
        e = connect_to(l, group_file, &c, err);
    if (e) {
        dfopt_error_prefix(err, "Mofka group file '%s'", group_file);
        return e;
    }
    struct dfopt_mofka_at at = {NULL, NULL};
    e = open_either(l, c, topic, &at, err);
    if (!e)
        *out = at;
    else
        dfopt_error_prefix(err, "Mofka topic '%s' (group file '%s')", topic,
                           group_file);
    return e;
}

enum dfopt_err dfopt_mofka_link_consumer(struct dfopt_mofka_link *l,
                                         const struct dfopt_mofka_at *at,
                                         const char *name,
                                         const struct dfopt_mofka_bounds *bounds,
                                         struct dfopt_mofka_consumer **out,
                                         struct dfopt_error *err)
{
    struct job j = {
        .run = run_consumer, .topic = at->topic, .text = name, .bounds = bounds};
    const enum dfopt_err e = do_job(l, &j, err);
    if (e)
        dfopt_error_prefix(err, "Mofka topic '%s'", at->name);
    else
        *out = j.consumer;
    return e;
}

/* ---- the link ---- */

enum dfopt_err dfopt_mofka_link_create(struct dfopt_mofka_link **out,
                                       const char *module_path, int timeout_ms,
                                       struct dfopt_error *err)
{
    const struct dfopt_mofka_module *module;
    pthread_t opener;
    enum dfopt_err e = dfopt_mofka_load(&module, module_path, err);
    if (e)
        return e;
    struct dfopt_mofka_link *l = calloc(1, sizeof *l);
    if (!l)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    l->module = module;
    l->timeout_ms = timeout_ms;
    pthread_mutex_init(&l->lock, NULL);
    dfopt_mofka_cond_init(&l->changed);
    e = dfopt_mofka_watch_create(&l->watch, module, timeout_ms, err);
    if (!e)
        e = dfopt_mofka_thread_start(&opener, open_all, l, err);
    if (e) {
        dfopt_mofka_watch_destroy(l->watch);
        free(l);
        return e;
    }
    pthread_detach(opener);
    *out = l;
    return DFOPT_OK;
}

/* The opening thread keeps sleeping: its data stays. */
bool dfopt_mofka_link_destroy(struct dfopt_mofka_link *l)
{
    if (!l)
        return true;
    if (!dfopt_mofka_watch_destroy(l->watch))
        dfopt_mofka_link_set_stuck(l);
    l->watch = NULL;
    return !atomic_load(&l->stuck);
}

void dfopt_mofka_link_set_stuck(struct dfopt_mofka_link *l)
{
    atomic_store(&l->stuck, true);
}

const struct dfopt_mofka_module *
dfopt_mofka_link_module(const struct dfopt_mofka_link *l)
{
    return l->module;
}

struct dfopt_mofka_watch *dfopt_mofka_link_watch(const struct dfopt_mofka_link *l)
{
    return l->watch;
}

int dfopt_mofka_link_timeout_ms(const struct dfopt_mofka_link *l)
{
    return l->timeout_ms;
}
