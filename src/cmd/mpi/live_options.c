/* Options of the live service: part of dfopt-mpi's table. */
#include "cmd/mpi/live_options.h"

#include "metrics/address.h"
#include "metrics/server.h"
#include "net/zmq/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZMQ_IDLE_TIMEOUT_MS 10000 /* as in DFOptimizer, where 0 stands for it */
#define SECONDS_MAX         (INT64_C(86400) * 365)

static const char *const patterns[] = {"push", "pub", NULL}; /* plans_pub */
static const char *const never[] = {"never", NULL};

static error_t take_client_keys(struct argp_state *state, const char *text,
                                void *into)
{
    struct dfopt_zmq_curve *c = &((struct dfopt_live_options *)into)->curve;
    (void)state;
    c->allow_any_client = strcmp(text, "any") == 0;
    c->allowed_clients = c->allow_any_client ? NULL : text;
    return 0;
}

#define AT(member) DFOPT_OPTION_AT(struct dfopt_live_options, member)

const struct dfopt_option dfopt_live_options[] = {
    DFOPT_OPTION_TITLE("Live service over ZMQ", 1),
    {"address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Receive findings from ENDPOINT, such as tcp://host:port; connect to it "
     "unless "
     "--bind is given",
     AT(address), .env = "DFOPTIMIZER_ZMQ_FINDINGS"},
    {"bind", DFOPT_OPTION_FLAG, NULL,
     "Bind the endpoint of --address instead of connecting to it", AT(bind)},
    {"plans-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and send plans from it", AT(plans_address),
     .env = "DFOPTIMIZER_ZMQ_PLANS"},
    {"plans-pattern", DFOPT_OPTION_WORD, "PATTERN",
     "Send each plan to one peer in turn, as DFOptimizer does (push, the default), "
     "or to every peer that subscribes to its node, or to * for the whole job "
     "(pub)",
     AT(plans_pub), .words = patterns},
    {"plans-queue", DFOPT_OPTION_NUMBER, "N",
     "Queue at most N plans for absent or slow peers, then drop the oldest, if "
     "possible of the same knob and node (default 4096)",
     AT(plans_queue), .lo = 1, .hi = 1 << 24},
    {"registry-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and receive registrations of knobs there",
     AT(registry_address)},
    {"acks-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and receive acknowledgements there", AT(acks_address)},
    {"objectives-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and receive objectives there, such as samples/s in a window",
     AT(objectives_address), .env = "DFOPTIMIZER_ZMQ_OBJECTIVES"},
    {"applications-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and receive registrations, acknowledgements and objectives "
     "there, distinguished by the type in their metadata",
     AT(applications_address)},
    {"control-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT and accept commands of dfopt-ctl there: ipc:///DIR/NAME, where "
     "DIR belongs to you alone (created if missing), or tcp://host:port with CURVE "
     "(default: off)",
     AT(control_address)},
    {"restore-at-end", DFOPT_OPTION_SECONDS, "SECONDS",
     "Restore all knobs to their registered values when told to stop, and wait up "
     "to"
     " SECONDS for the acknowledgements; log those that are missing (default: "
     "leave "
     "the values)",
     AT(restore_ms), .hi = 3600, .scale = 1000},
    {"endpoints-file", DFOPT_OPTION_TEXT, "FILE",
     "Write the endpoints to FILE for applications, as JSON with the public key "
     "(mode 0600), and remove it at exit",
     AT(endpoints_file)},
    {"idle-timeout", DFOPT_OPTION_SECONDS, "SECONDS",
     "Exit after SECONDS without input, counted from the first finding, or never. "
     "The default, 0, means 10 over ZMQ and never over Mofka",
     AT(idle_timeout_ms), .hi = SECONDS_MAX, .scale = 1000, .words = never,
     .env = "DFOPTIMIZER_IDLE_TIMEOUT_SEC"},
    {"pull-timeout-ms", DFOPT_OPTION_NUMBER, "MS",
     "Wait at most MS milliseconds for input at a time (default 1000); a signal is "
     "noticed within 100 in any case",
     AT(pull_timeout_ms), .lo = 1, .hi = 60000,
     .env = "DFOPTIMIZER_PULL_TIMEOUT_MS"},
    {"linger", DFOPT_OPTION_SECONDS, "SECONDS",
     "Wait at exit up to SECONDS for peers to take the last plans (default 1)",
     AT(linger_ms), .hi = 3600, .scale = 1000},
    {"ipv6", DFOPT_OPTION_FLAG, NULL,
     "Let host names in endpoints resolve to IPv6 addresses", AT(ipv6)},
    DFOPT_OPTION_TITLE("Encryption (CURVE)", 2),
    {"zmq-curve-server-key", DFOPT_OPTION_TEXT, "FILE",
     "Encrypt and authenticate every ZMQ endpoint; FILE holds the secret key of "
     "the "
     "endpoints that are bound here",
     AT(curve.server_secret)},
    {"zmq-curve-client-keys", DFOPT_OPTION_CALL, "DIR",
     "Admit clients whose public keys are in DIR, one file each; DIR is reread "
     "when "
     "it changes. any admits every client that knows our public key",
     .call = take_client_keys},
    {"zmq-curve-client-key", DFOPT_OPTION_TEXT, "FILE",
     "Connect to --address with the secret key in FILE", AT(curve.client_secret)},
    {"zmq-curve-peer-key", DFOPT_OPTION_TEXT, "FILE",
     "Expect the public key in FILE of the peer at --address",
     AT(curve.server_public)},
    {"zmq-keygen", DFOPT_OPTION_TEXT, "NAME",
     "Create a key pair, NAME.key (public) and NAME.key_secret, and exit",
     AT(keygen)},
    DFOPT_OPTION_TITLE("Recording and monitoring", 3),
    {"record", DFOPT_OPTION_TEXT, "FILE",
     "Record all input to FILE, as an event log to replay; - is standard output",
     AT(record)},
    {"status-interval", DFOPT_OPTION_SECONDS, "SECONDS",
     "Log a line of rates, backlog and plans every SECONDS (default 60); 0 turns "
     "it "
     "off",
     AT(status_interval_ms), .hi = 86400, .scale = 1000},
    {"metrics-address", DFOPT_OPTION_TEXT, "HOST:PORT",
     "Serve /metrics (OpenMetrics), /healthz and /readyz at HOST:PORT over HTTP, "
     "without encryption. 127.0.0.1:9464 serves this host alone; port 0 picks a "
     "free"
     " one (default: off)",
     AT(metrics_address)},
    {.name = NULL}};

void dfopt_live_options_init(struct dfopt_live_options *o)
{
    *o = (struct dfopt_live_options){
        .pull_timeout_ms = 1000,
        .plans_queue = DFOPT_ZMQ_MAX_QUEUED,
        .linger_ms = DFOPT_ZMQ_LINGER_MS,
        .status_interval_ms = 60000,
        .restore_ms = -1,
    };
}

static bool has(const char *text)
{
    return text && text[0] != '\0';
}

/* CURVE needs a key for each role of the endpoints. */
static error_t check_curve(struct argp_state *state, struct dfopt_live_options *o)
{
    struct dfopt_zmq_curve *c = &o->curve;
    const bool binds = o->bind || has(o->plans_address) ||
                       has(o->registry_address) || has(o->acks_address) ||
                       has(o->objectives_address) || has(o->applications_address);
    const char *wrong = NULL;
    o->use_curve = c->server_secret || c->allowed_clients || c->allow_any_client ||
                   c->client_secret || c->server_public;
    if (binds && !c->server_secret)
        wrong = "endpoints that are bound need --zmq-curve-server-key";
    else if (binds && !c->allowed_clients && !c->allow_any_client)
        wrong = "endpoints that are bound need --zmq-curve-client-keys";
    else if (!o->bind && (!c->client_secret || !c->server_public))
        wrong = "connecting to --address needs --zmq-curve-client-key and "
                "--zmq-curve-peer-key";
    return dfopt_option_wrong(state, o->use_curve ? wrong : NULL);
}

/* Checks each address completely before anything is opened. */
static error_t check_endpoints(struct argp_state *state,
                               const struct dfopt_live_options *o)
{
    const struct {
        const char *option, *endpoint;
        bool bind;
    } all[] = {{"--address", o->address, o->bind},
               {"--plans-address", o->plans_address, true},
               {"--registry-address", o->registry_address, true},
               {"--acks-address", o->acks_address, true},
               {"--objectives-address", o->objectives_address, true},
               {"--applications-address", o->applications_address, true},
               {"--control-address", o->control_address, true}};
    struct dfopt_error err;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (has(all[i].endpoint) &&
            dfopt_zmq_endpoint_check(all[i].endpoint, all[i].bind, &err)) {
            argp_error(state, "%s: %s", all[i].option, err.text);
            return EINVAL;
        }
    return 0;
}

error_t dfopt_live_options_check(struct argp_state *state,
                                 struct dfopt_live_options *o)
{
    struct dfopt_error err;
    if (!has(o->metrics_address))
        o->metrics_address = NULL;
    if (!o->metrics_address)
        return 0;
    if (!dfopt_metrics_can_serve())
        return dfopt_option_wrong(
            state, "--metrics-address: this dfopt-mpi was built "
                   "without GNU libmicrohttpd, which serves metrics");
    if (!dfopt_listen_check(o->metrics_address, &err))
        return 0;
    argp_error(state, "--metrics-address: %s", err.text);
    return EINVAL;
}

error_t dfopt_live_options_check_zmq(struct argp_state *state,
                                     struct dfopt_live_options *o)
{
    if (!has(o->address))
        return dfopt_option_wrong(state, "--transport zmq needs --address");
    if (o->idle_timeout_ms == 0)
        o->idle_timeout_ms = ZMQ_IDLE_TIMEOUT_MS;
    const error_t e = check_endpoints(state, o);
    return e ? e : check_curve(state, o);
}
