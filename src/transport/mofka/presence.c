/* The body is JSON in one fixed form, written and read only here. */
#include "transport/mofka/presence.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define METADATA   "{\"type\":\"" DFOPT_MOFKA_PRESENCE "\"}"
#define HOST_SIZE  65
#define BODY_SIZE  256
#define OTHERS_MAX 64 /* others to report at most */
#define NAME_SHOWN 200

struct body {
    uint64_t token; /* of the process */
    uint64_t reads; /* topic and consumer name */
    char host[HOST_SIZE];
    long process;
    int answer;
};

struct dfopt_mofka_presence {
    struct dfopt_mofka_outbox *outbox;
    struct body own;
    bool seen_own;
    uint64_t others[OTHERS_MAX];
    size_t n_others;
    char findings[NAME_SHOWN], consumer[NAME_SHOWN];
};

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (h ^ '\n') * UINT64_C(1099511628211);
}

/* The host's name, reduced to valid characters. */
static void put_host(char host[HOST_SIZE])
{
    char name[256] = "";
    size_t n = 0;
    (void)gethostname(name, sizeof name - 1);
    for (const char *c = name; *c && n < HOST_SIZE - 1; c++)
        if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
            (*c >= 'A' && *c <= 'Z') || *c == '.' || *c == '-')
            host[n++] = *c;
    if (n == 0)
        host[n++] = '-';
    host[n] = '\0';
}

static enum dfopt_err send(struct dfopt_mofka_presence *p, int answer,
                           struct dfopt_error *err)
{
    char body[BODY_SIZE];
    const int n =
        snprintf(body, sizeof body,
                 "{\"token\":\"%016" PRIx64 "\",\"reads\":\"%016" PRIx64
                 "\",\"host\":\"%s\",\"process\":%ld,\"answer\":%d}",
                 p->own.token, p->own.reads, p->own.host, p->own.process, answer);
    const struct dfopt_mofka_message message = {.metadata = METADATA,
                                                .metadata_len = strlen(METADATA),
                                                .body = body,
                                                .body_len = (size_t)n,
                                                .where = 0}; /* one order for all */
    return dfopt_mofka_outbox_send(p->outbox, &message, err);
}

static bool parse(const char *text, size_t len, struct body *b)
{
    char copy[BODY_SIZE];
    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return sscanf(copy,
                  "{\"token\":\"%16" SCNx64 "\",\"reads\":\"%16" SCNx64
                  "\",\"host\":\"%64[0-9A-Za-z.-]\",\"process\":%ld,\"answer\":%d}",
                  &b->token, &b->reads, b->host, &b->process, &b->answer) == 5;
}

static bool is_known(const struct dfopt_mofka_presence *p, uint64_t token)
{
    for (size_t i = 0; i < p->n_others; i++)
        if (p->others[i] == token)
            return true;
    return p->n_others == OTHERS_MAX;
}

enum dfopt_err
dfopt_mofka_presence_create(struct dfopt_mofka_presence **out,
                            struct dfopt_mofka_link *l, const char *group_file,
                            const char *acks_topic, const char *findings,
                            const char *consumer, struct dfopt_error *err)
{
    const uint64_t seed = UINT64_C(14695981039346656037);
    struct dfopt_mofka_presence *p = calloc(1, sizeof *p);
    if (!p)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    snprintf(p->findings, sizeof p->findings, "%s", findings);
    snprintf(p->consumer, sizeof p->consumer, "%s", consumer);
    put_host(p->own.host);
    p->own.process = (long)getpid();
    p->own.reads = hash(hash(seed, findings), consumer);
    p->own.token = hash(seed ^ (uint64_t)dfopt_clock_wall_ns(), p->own.host) ^
                   (uint64_t)p->own.process << 40;
    const enum dfopt_err e =
        dfopt_mofka_outbox_create(&p->outbox, l, group_file, acks_topic, err);
    if (e)
        free(p);
    else
        *out = p;
    return e;
}

enum dfopt_err dfopt_mofka_presence_hello(struct dfopt_mofka_presence *p,
                                          struct dfopt_error *err)
{
    return send(p, 0, err);
}

bool dfopt_mofka_presence_take(struct dfopt_mofka_presence *p, const char *body,
                               size_t len, char *text, size_t size)
{
    struct body b;
    if (!parse(body, len, &b) || b.reads != p->own.reads)
        return false;
    if (b.token == p->own.token)
        p->seen_own = true;
    if (b.token == p->own.token || !p->seen_own || is_known(p, b.token))
        return false;
    p->others[p->n_others++] = b.token;
    if (!b.answer)
        (void)send(p, 1, NULL);
    snprintf(text, size,
             "process %ld on %s also reads '%s' as consumer '%s': both services "
             "decide everything and send every plan twice. Stop one of them, or "
             "give it another --consumer-name and its own topics",
             b.process, b.host, p->findings, p->consumer);
    return true;
}

bool dfopt_mofka_presence_destroy(struct dfopt_mofka_presence *p)
{
    if (!p)
        return true;
    const bool back = dfopt_mofka_outbox_destroy(p->outbox, 0);
    if (back)
        free(p);
    return back;
}
