/* Options of the live service, as an argp child of those of dfopt-mpi. */
#include "cmd/mpi/live_options.h"

#include "cmd/mpi/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZMQ_IDLE_TIMEOUT_MS 10000 /* as DFOptimizer's, where 0 stands for it */
#define UNSET               INT64_MIN
#define SECONDS_MAX         (INT64_C(86400) * 365)

enum key {
    KEY_ADDRESS = 0x200,
    KEY_BIND,
    KEY_PLANS_ADDRESS,
    KEY_PLANS_PATTERN,
    KEY_PLANS_QUEUE,
    KEY_REGISTRY_ADDRESS,
    KEY_ACKS_ADDRESS,
    KEY_IDLE_TIMEOUT,
    KEY_PULL_TIMEOUT,
    KEY_LINGER,
    KEY_IPV6,
    KEY_SERVER_KEY,
    KEY_CLIENT_KEYS,
    KEY_CLIENT_KEY,
    KEY_PEER_KEY,
    KEY_KEYGEN,
    KEY_RECORD,
    KEY_STATUS
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Live service over ZMQ", 1},
    {"address", KEY_ADDRESS, "ENDPOINT", 0,
     "Where findings come from, as tcp://host:port: connected, or bound with "
     "--bind (default: DFOPTIMIZER_ZMQ_FINDINGS)",
     0},
    {"bind", KEY_BIND, 0, 0, "Bind the findings endpoint instead of connecting it",
     0},
    {"plans-address", KEY_PLANS_ADDRESS, "ENDPOINT", 0,
     "Where plans go: bound (default: DFOPTIMIZER_ZMQ_PLANS)", 0},
    {"plans-pattern", KEY_PLANS_PATTERN, "PATTERN", 0,
     "push (the default): each plan to one of the peers in turn, as DFOptimizer; "
     "pub: each to all that subscribe to its node, or to * for the whole job",
     0},
    {"plans-queue", KEY_PLANS_QUEUE, "N", 0,
     "Plans to keep for absent or slow peers; then the oldest of the same knob and "
     "node gives way (default 4096)",
     0},
    {"registry-address", KEY_REGISTRY_ADDRESS, "ENDPOINT", 0,
     "Where applications send registrations of knobs: bound", 0},
    {"acks-address", KEY_ACKS_ADDRESS, "ENDPOINT", 0,
     "Where applications send acknowledgements: bound", 0},
    {"idle-timeout", KEY_IDLE_TIMEOUT, "SECONDS", 0,
     "End when nothing has come for so long, counted from the first finding; "
     "never: go on until stopped (default: DFOPTIMIZER_IDLE_TIMEOUT_SEC, or 0, "
     "which is 10 for zmq)",
     0},
    {"pull-timeout-ms", KEY_PULL_TIMEOUT, "N", 0,
     "Longest wait for input at a time (default: DFOPTIMIZER_PULL_TIMEOUT_MS, or "
     "1000; a signal is noticed within 100 anyway)",
     0},
    {"linger", KEY_LINGER, "SECONDS", 0,
     "How long to wait at the end for peers to take the last plans (default 1)", 0},
    {"ipv6", KEY_IPV6, 0, 0, "Names in endpoints may stand for IPv6 addresses", 0},
    {0, 0, 0, 0, "Encryption (CURVE)", 2},
    {"zmq-curve-server-key", KEY_SERVER_KEY, "FILE", 0,
     "Secret key of the endpoints that are bound here; with it every ZMQ endpoint "
     "is encrypted and authenticated",
     0},
    {"zmq-curve-client-keys", KEY_CLIENT_KEYS, "DIR", 0,
     "Public keys of those who may talk to the bound endpoints, a file each; "
     "looked at again when it changes. any: whoever knows our public key",
     0},
    {"zmq-curve-client-key", KEY_CLIENT_KEY, "FILE", 0,
     "Secret key to connect to --address with", 0},
    {"zmq-curve-peer-key", KEY_PEER_KEY, "FILE", 0,
     "Public key of the peer that --address connects to", 0},
    {"zmq-keygen", KEY_KEYGEN, "NAME", 0,
     "Make a pair of keys, NAME.key (public) and NAME.key_secret, and end", 0},
    {0, 0, 0, 0, "Service life", 3},
    {"record", KEY_RECORD, "FILE", 0,
     "Write what comes in there, as an event log to replay", 0},
    {"status-interval", KEY_STATUS, "SECONDS", 0,
     "Log a line of rates, backlog and plans so often (default 60; 0: never)", 0},
    {0, 0, 0, 0, 0, 0},
};

/* Seconds, or never. */
static error_t idle_timeout(struct argp_state *state, const char *text,
                            struct dfopt_live_options *o)
{
    if (strcmp(text, "never") != 0)
        return dfopt_option_seconds(state, "idle-timeout", text, SECONDS_MAX,
                                    &o->idle_timeout_ms);
    o->idle_timeout_ms = -1;
    return 0;
}

static error_t pull_timeout(struct argp_state *state, const char *text,
                            struct dfopt_live_options *o)
{
    return dfopt_option_number(state, "pull-timeout-ms", text, 1, 60000,
                               &o->pull_timeout_ms);
}

static error_t plans_pattern(struct argp_state *state, const char *text,
                             struct dfopt_live_options *o)
{
    int w = 0;
    error_t e = DFOPT_OPTION_WORD(state, "plans-pattern", text, &w, "push", "pub");
    o->plans_pub = w == 1;
    return e;
}

static error_t parse_key_option(int key, char *arg, struct dfopt_live_options *o)
{
    switch (key) {
    case KEY_SERVER_KEY:
        o->curve.server_secret = arg;
        break;
    case KEY_CLIENT_KEYS:
        o->curve.allow_any_client = strcmp(arg, "any") == 0;
        o->curve.allowed_clients = o->curve.allow_any_client ? NULL : arg;
        break;
    case KEY_CLIENT_KEY:
        o->curve.client_secret = arg;
        break;
    case KEY_PEER_KEY:
        o->curve.server_public = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    o->use_curve = true;
    return 0;
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
    struct dfopt_live_options *o = state->input;
    switch (key) {
    case KEY_ADDRESS:
        o->address = arg;
        return 0;
    case KEY_BIND:
        o->bind = true;
        return 0;
    case KEY_PLANS_ADDRESS:
        o->plans_address = arg;
        return 0;
    case KEY_PLANS_PATTERN:
        return plans_pattern(state, arg, o);
    case KEY_PLANS_QUEUE:
        return dfopt_option_number(state, "plans-queue", arg, 1, 1 << 24,
                                   &o->plans_queue);
    case KEY_REGISTRY_ADDRESS:
        o->registry_address = arg;
        return 0;
    case KEY_ACKS_ADDRESS:
        o->acks_address = arg;
        return 0;
    case KEY_IDLE_TIMEOUT:
        return idle_timeout(state, arg, o);
    case KEY_PULL_TIMEOUT:
        return pull_timeout(state, arg, o);
    case KEY_LINGER:
        return dfopt_option_seconds(state, "linger", arg, 3600, &o->linger_ms);
    case KEY_IPV6:
        o->ipv6 = true;
        return 0;
    case KEY_KEYGEN:
        o->keygen = arg;
        return 0;
    case KEY_RECORD:
        o->record = arg;
        return 0;
    case KEY_STATUS:
        return dfopt_option_seconds(state, "status-interval", arg, 86400,
                                    &o->status_interval_ms);
    default:
        return parse_key_option(key, arg, o);
    }
}

const struct argp dfopt_live_argp = {.options = table, .parser = parse_one};

void dfopt_live_options_init(struct dfopt_live_options *o)
{
    *o = (struct dfopt_live_options){
        .address = getenv("DFOPTIMIZER_ZMQ_FINDINGS"),
        .plans_address = getenv("DFOPTIMIZER_ZMQ_PLANS"),
        .idle_timeout_ms = UNSET,
        .pull_timeout_ms = UNSET,
        .plans_queue = DFOPT_ZMQ_MAX_QUEUED,
        .linger_ms = DFOPT_ZMQ_LINGER_MS,
        .status_interval_ms = 60000,
    };
}

/* What the environment says where the command line does not. Looked at only for
 * a service: a mistake there is not one of a replay. */
error_t dfopt_live_options_check(struct argp_state *state,
                                 struct dfopt_live_options *o)
{
    const char *idle = getenv("DFOPTIMIZER_IDLE_TIMEOUT_SEC");
    const char *pull = getenv("DFOPTIMIZER_PULL_TIMEOUT_MS");
    error_t e = 0;
    if (o->idle_timeout_ms == UNSET && idle && *idle)
        e = idle_timeout(state, idle, o);
    if (!e && o->pull_timeout_ms == UNSET && pull && *pull)
        e = pull_timeout(state, pull, o);
    if (o->idle_timeout_ms == UNSET)
        o->idle_timeout_ms = 0;
    if (o->pull_timeout_ms == UNSET)
        o->pull_timeout_ms = 1000;
    return e;
}

static bool has(const char *text)
{
    return text && text[0] != '\0';
}

/* CURVE needs a key for each role that the endpoints have. */
static error_t check_curve(struct argp_state *state,
                           const struct dfopt_live_options *o)
{
    const struct dfopt_zmq_curve *c = &o->curve;
    const bool binds = o->bind || has(o->plans_address) ||
                       has(o->registry_address) || has(o->acks_address);
    const char *wrong = NULL;
    if (binds && !c->server_secret)
        wrong = "endpoints that are bound need --zmq-curve-server-key";
    else if (binds && !c->allowed_clients && !c->allow_any_client)
        wrong = "endpoints that are bound need --zmq-curve-client-keys";
    else if (!o->bind && (!c->client_secret || !c->server_public))
        wrong = "connecting to --address needs --zmq-curve-client-key and "
                "--zmq-curve-peer-key";
    if (!o->use_curve || !wrong)
        return 0;
    argp_error(state, "%s", wrong);
    return EINVAL;
}

error_t dfopt_live_options_check_zmq(struct argp_state *state,
                                     struct dfopt_live_options *o)
{
    error_t e = dfopt_live_options_check(state, o);
    if (e)
        return e;
    if (!has(o->address)) {
        argp_error(state, "--transport zmq needs --address");
        return EINVAL;
    }
    if (o->idle_timeout_ms == 0)
        o->idle_timeout_ms = ZMQ_IDLE_TIMEOUT_MS;
    return check_curve(state, o);
}
