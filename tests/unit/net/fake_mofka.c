/* A module for Mofka without a broker: it has one topic, of the name that its group
 * file names, and keeps what is pushed there. */
#include "fake_mofka.h"
#include "net/mofka/module.h"

#include <pthread.h>
#include <string.h>

static char only[64];

static enum dfopt_err connect_to(struct dfopt_mofka_broker **out,
                                 const char *group_file, struct dfopt_error *err)
{
    (void)err;
    strncpy(only, group_file, sizeof only - 1);
    *out = (struct dfopt_mofka_broker *)(void *)only;
    return DFOPT_OK;
}

static enum dfopt_err topic_open(struct dfopt_mofka_topic **out,
                                 struct dfopt_mofka_broker *b, const char *name,
                                 struct dfopt_error *err)
{
    (void)b;
    if (strcmp(name, only) != 0) {
        strcpy(err->text, "no such topic");
        return err->code = DFOPT_ERR_ARG;
    }
    *out = (struct dfopt_mofka_topic *)(void *)only;
    return DFOPT_OK;
}

static enum dfopt_err always(const struct dfopt_mofka_broker *b,
                             struct dfopt_error *err)
{
    (void)b;
    (void)err;
    return DFOPT_OK;
}

static enum dfopt_err pong(struct dfopt_mofka_broker *b, struct dfopt_error *err)
{
    return always(b, err);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char bodies[FAKE_MOFKA_BODIES][FAKE_MOFKA_BYTES];
static size_t n_bodies;

size_t fake_mofka_sent(char body[FAKE_MOFKA_BYTES], size_t i)
{
    pthread_mutex_lock(&lock);
    const size_t n = n_bodies;
    if (i < n)
        strcpy(body, bodies[i]);
    pthread_mutex_unlock(&lock);
    return n;
}

static enum dfopt_err produce(struct dfopt_mofka_producer **out,
                              struct dfopt_mofka_topic *t, struct dfopt_error *err)
{
    (void)err;
    *out = (struct dfopt_mofka_producer *)(void *)t;
    return DFOPT_OK;
}

static enum dfopt_err push(struct dfopt_mofka_producer *p, const char *metadata,
                           size_t metadata_len, const char *body, size_t body_len,
                           size_t where, struct dfopt_error *err)
{
    (void)p, (void)metadata, (void)metadata_len, (void)where, (void)err;
    pthread_mutex_lock(&lock);
    if (n_bodies < FAKE_MOFKA_BODIES && body_len < FAKE_MOFKA_BYTES)
        memcpy(bodies[n_bodies++], body, body_len);
    pthread_mutex_unlock(&lock);
    return DFOPT_OK;
}

static enum dfopt_err flush(struct dfopt_mofka_producer *p, int timeout_ms,
                            struct dfopt_error *err)
{
    (void)p, (void)timeout_ms, (void)err;
    return DFOPT_OK;
}

extern const struct dfopt_mofka_module dfopt_mofka_module;
__attribute__((visibility("default")))
const struct dfopt_mofka_module dfopt_mofka_module = {.abi = DFOPT_MOFKA_ABI,
                                                      .connect = connect_to,
                                                      .topic_open = topic_open,
                                                      .check = always,
                                                      .ping = pong,
                                                      .producer_create = produce,
                                                      .push = push,
                                                      .flush = flush};
