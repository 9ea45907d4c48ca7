/* Asks the optimizer to report when the client's findings and objectives are
 * decided. Each item has the next number of its queue; an answer says up to which
 * number the queue is decided. Only a client that diagnoses itself asks: where
 * others publish findings, more may follow than its own objectives trigger. */
#include "client/impl.h"
#include "json/json.h"
#include "json/write.h"

#include <string.h>

void dfopt_client_diagnoses(dfopt_client *c)
{
    pthread_mutex_lock(&c->lock);
    c->diagnoses = c->options.plans_endpoint && c->options.findings_endpoint &&
                   strcmp(c->options.transport, "zmq") == 0;
    pthread_mutex_unlock(&c->lock);
}

enum dfopt_err dfopt_client_ask_json(const dfopt_client *c,
                                     const struct client_item *item,
                                     struct dfopt_buf *meta)
{
    struct dfopt_put p = dfopt_put_start(meta, NULL);
    dfopt_put_bytes(&p, item->bytes, item->meta_len - 1);
    dfopt_put_raw(&p, ",\"answer\":{");
    dfopt_member_text(&p, "instance", c->instance);
    dfopt_member_text(&p, "node", c->options.hostname);
    dfopt_member_uint(&p, "number", item->number);
    dfopt_put_raw(&p, "}}");
    return dfopt_put_end(&p);
}

bool dfopt_client_all_decided(const dfopt_client *c)
{
    return c->asked && c->findings.decided == c->findings.asked &&
           c->objectives.decided == c->objectives.asked;
}

void dfopt_client_ask_no_more(dfopt_client *c)
{
    c->asked = false;
    c->findings.decided = c->findings.asked;
    c->objectives.decided = c->objectives.asked;
}

/* Ignores numbers that were never asked for. */
static void decided(struct client_queue *q, struct json_object *body,
                    const char *name)
{
    int64_t number = 0;
    if (dfopt_json_get_whole(body, name, &number, NULL) || number < 0)
        return;
    const uint64_t n = (uint64_t)number;
    if (n > q->decided && n <= q->asked)
        q->decided = n;
}

static void read_answer(dfopt_client *c, struct json_object *body)
{
    struct dfopt_text instance = dfopt_text_z("");
    if (dfopt_json_get_text(body, "instance", &instance, NULL) ||
        !dfopt_text_is(instance, c->instance))
        return;
    pthread_mutex_lock(&c->lock);
    c->stats.answers_received++;
    decided(&c->findings, body, "finding");
    decided(&c->objectives, body, "objective");
    pthread_cond_broadcast(&c->arrived);
    pthread_mutex_unlock(&c->lock);
}

static bool is_answer(dfopt_client *c, const struct dfopt_client_message *m)
{
    struct json_object *meta = NULL;
    struct dfopt_text type = dfopt_text_z("");
    if (dfopt_json_parse(c->parser, m->meta, m->meta_len, &meta, NULL))
        return false;
    (void)dfopt_json_get_text(meta, "type", &type, NULL);
    const bool is = dfopt_text_is(type, "decided");
    json_object_put(meta);
    return is;
}

bool dfopt_client_answer_take(dfopt_client *c, const struct dfopt_client_message *m)
{
    struct json_object *body = NULL;
    if (!is_answer(c, m))
        return false;
    if (!dfopt_json_parse(c->parser, m->body, m->body_len, &body, NULL))
        read_answer(c, body);
    json_object_put(body);
    return true;
}
