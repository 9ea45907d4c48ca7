#include "cmd/demo/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "A data loader that is tuned while it runs: reader threads fill a prefetch "
    "queue with records of files, a consumer verifies and computes on them. "
    "Each window it measures how long the consumer waited, sends what it finds "
    "to an optimizer (dfopt-mpi), and applies the plans that come back to its "
    "two knobs, read_threads and prefetch_size.\v"
    "Without an optimizer it runs the same, untuned. Every record is checked, "
    "and that each comes once an epoch.\n\n"
    "Exit codes: 0 fine; 1 data or files are bad; 2 wrong usage; 3 ended early "
    "by a signal; 4 fell short of what --against asks for.";

enum key {
    KEY_DATA = 0x100,
    KEY_MAKE_DATA,
    KEY_FILES,
    KEY_RECORDS,
    KEY_RECORD_BYTES,
    KEY_THREADS,
    KEY_PREFETCH,
    KEY_MAX_THREADS,
    KEY_MAX_PREFETCH,
    KEY_LATENCY,
    KEY_COMPUTE,
    KEY_COMPUTE_KIND,
    KEY_SEED,
    KEY_WINDOWS,
    KEY_WINDOW_MS,
    KEY_WINDOW_SAMPLES,
    KEY_OPTIMIZER,
    KEY_TRANSPORT,
    KEY_GROUP_FILE,
    KEY_FINDINGS,
    KEY_FINDINGS_CONNECT,
    KEY_PLANS,
    KEY_PATTERN,
    KEY_REGISTRY,
    KEY_ACKS,
    KEY_HOSTNAME,
    KEY_WAIT,
    KEY_STOP,
    KEY_JSON,
    KEY_AGAINST,
    KEY_AT_LEAST,
    KEY_VERBOSE
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Data", 1},
    {"data", KEY_DATA, "DIR", 0, "Read the files that are there", 0},
    {"make-data", KEY_MAKE_DATA, "DIR", 0,
     "The same; make them first, if they are not there", 0},
    {"files", KEY_FILES, "N", 0, "Files to make (default 16)", 0},
    {"records", KEY_RECORDS, "N", 0, "Records a file (default 256)", 0},
    {"record-bytes", KEY_RECORD_BYTES, "N", 0, "Bytes a record (default 16384)", 0},
    {"seed", KEY_SEED, "N", 0, "Of the bytes made, and of the order (default 1)",
     0},
    {0, 0, 0, 0, "Load", 2},
    {"threads", KEY_THREADS, "N", 0, "Reader threads to begin with (default 1)", 0},
    {"prefetch", KEY_PREFETCH, "N", 0,
     "Samples read ahead, to begin with (default 1)", 0},
    {"max-threads", KEY_MAX_THREADS, "N", 0, "What threads may become (default 32)",
     0},
    {"max-prefetch", KEY_MAX_PREFETCH, "N", 0,
     "What the prefetch queue may become (default 64)", 0},
    {"latency", KEY_LATENCY, "MS", 0,
     "Latency of the storage, added to each read (default 2)", 0},
    {"compute", KEY_COMPUTE, "MS", 0, "Computing on a sample (default 0.25)", 0},
    {"compute-kind", KEY_COMPUTE_KIND, "KIND", 0,
     "wait: as for an accelerator (the default); cpu: on a processor", 0},
    {"windows", KEY_WINDOWS, "N", 0, "Windows to run (default 20)", 0},
    {"window-ms", KEY_WINDOW_MS, "MS", 0, "Length of a window (default 500)", 0},
    {"window-samples", KEY_WINDOW_SAMPLES, "N", 0,
     "End a window after so many samples instead", 0},
    {0, 0, 0, 0, "Optimizer", 3},
    {"optimizer", KEY_OPTIMIZER, "WHETHER", 0,
     "on (the default, with the endpoints given), or off: none is used", 0},
    {"transport", KEY_TRANSPORT, "NAME", 0,
     "zmq (the default), or mofka: the endpoints below are topics then", 0},
    {"group-file", KEY_GROUP_FILE, "FILE", 0, "Of the Mofka service", 0},
    {"findings", KEY_FINDINGS, "ENDPOINT", 0,
     "Send findings there, as tcp://127.0.0.1:5555; it is bound", 0},
    {"findings-connect", KEY_FINDINGS_CONNECT, 0, 0,
     "Connect the findings endpoint instead of binding it", 0},
    {"plans", KEY_PLANS, "ENDPOINT", 0, "Take plans from there", 0},
    {"plans-pattern", KEY_PATTERN, "PATTERN", 0,
     "pull (the default), or sub: the optimizer publishes", 0},
    {"registry", KEY_REGISTRY, "ENDPOINT", 0, "Register the knobs there", 0},
    {"acks", KEY_ACKS, "ENDPOINT", 0, "Acknowledge plans there", 0},
    {"hostname", KEY_HOSTNAME, "NAME", 0,
     "The node's name in findings and plans (default: this host's)", 0},
    {"wait-optimizer", KEY_WAIT, "SECONDS", 0,
     "Wait so long for it before the first window (default 0)", 0},
    {"stop-optimizer", KEY_STOP, 0, 0, "Tell it to stop, at the end", 0},
    {0, 0, 0, 0, "Report", 4},
    {"json", KEY_JSON, "FILE", 0,
     "Write windows, plans and the summary there, too, one JSON object a line", 0},
    {"against", KEY_AGAINST, "FILE", 0,
     "Compare with a run whose --json file this is: the throughput at the end has "
     "to be a multiple of its, the fetch share at most half of what it was at the "
     "start, and every applied plan acknowledged",
     0},
    {"at-least", KEY_AT_LEAST, "X", 0, "The multiple (default 3)", 0},
    {"verbose", KEY_VERBOSE, 0, 0,
     "Say on standard error what the client library does", 0},
    {0, 0, 0, 0, "Help", 5},
    {"help", '?', 0, 0, "Show this help", 0},
    {"usage", 'U', 0, 0, "Show the options in short", 0},
    {"version", 'V', 0, 0, "Show the version", 0},
    {0, 0, 0, 0, 0, 0},
};

/* ---- values, or a message that names the option ---- */

static const char *name_of(int key)
{
    const struct argp_option *o = table;
    while (o->key != key)
        o++;
    return o->name;
}

static int64_t whole(struct argp_state *state, int key, const char *text,
                     int64_t lo, int64_t hi)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < lo || v > hi)
        argp_error(state, "--%s takes a whole number from %lld to %lld, not '%s'",
                   name_of(key), (long long)lo, (long long)hi, text);
    return v;
}

static double real(struct argp_state *state, int key, const char *text, double lo,
                   double hi)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= lo && v <= hi))
        argp_error(state, "--%s takes a number from %g to %g, not '%s'",
                   name_of(key), lo, hi, text);
    return v;
}

static int64_t milliseconds(struct argp_state *state, int key, const char *text)
{
    return (int64_t)(real(state, key, text, 0, 60000) * 1e6);
}

/* Whether it is the second of two words. */
static bool second(struct argp_state *state, int key, const char *text,
                   const char *one, const char *two)
{
    const bool is_two = strcmp(text, two) == 0;
    if (!is_two && strcmp(text, one) != 0)
        argp_error(state, "--%s takes %s or %s, not '%s'", name_of(key), one, two,
                   text);
    return is_two;
}

/* ---- keys ---- */

static bool parse_data(int key, char *text, struct argp_state *state,
                       struct demo_options *o)
{
    switch (key) {
    case KEY_MAKE_DATA:
    case KEY_DATA:
        o->folder = text;
        o->make_data = key == KEY_MAKE_DATA;
        return true;
    case KEY_FILES:
        o->shape.files = (uint32_t)whole(state, key, text, 1, DEMO_MAX_FILES);
        return true;
    case KEY_RECORDS:
        o->shape.records = (uint32_t)whole(state, key, text, 1, DEMO_MAX_RECORDS);
        return true;
    case KEY_RECORD_BYTES:
        o->shape.record_bytes =
            (uint32_t)whole(state, key, text, 1, DEMO_MAX_RECORD_BYTES);
        return true;
    case KEY_SEED:
        o->shape.seed = (uint64_t)whole(state, key, text, 0, INT64_MAX);
        o->reader.seed = o->shape.seed;
        return true;
    default:
        return false;
    }
}

static bool parse_load(int key, char *text, struct argp_state *state,
                       struct demo_options *o)
{
    struct demo_reader_options *r = &o->reader;
    switch (key) {
    case KEY_THREADS:
        r->threads = (unsigned)whole(state, key, text, 1, DEMO_MAX_THREADS);
        return true;
    case KEY_PREFETCH:
        r->prefetch = (unsigned)whole(state, key, text, 1, DEMO_MAX_PREFETCH);
        return true;
    case KEY_MAX_THREADS:
        r->max_threads = (unsigned)whole(state, key, text, 1, DEMO_MAX_THREADS);
        return true;
    case KEY_MAX_PREFETCH:
        r->max_prefetch = (unsigned)whole(state, key, text, 1, DEMO_MAX_PREFETCH);
        return true;
    case KEY_LATENCY:
        r->latency_ns = milliseconds(state, key, text);
        return true;
    case KEY_COMPUTE:
        o->compute_ns = milliseconds(state, key, text);
        return true;
    case KEY_COMPUTE_KIND:
        o->compute_cpu = second(state, key, text, "wait", "cpu");
        return true;
    case KEY_WINDOWS:
        o->windows = whole(state, key, text, 1, 1000000);
        return true;
    case KEY_WINDOW_MS:
        o->window_ns = milliseconds(state, key, text);
        return true;
    case KEY_WINDOW_SAMPLES:
        o->window_samples = whole(state, key, text, 1, INT64_MAX);
        return true;
    default:
        return false;
    }
}

static void print_client_line(void *arg, enum dfopt_client_level level,
                              const char *text)
{
    static const char *const levels[] = {"debug", "info", "warning"};
    (void)arg;
    fprintf(stderr, "client: %s: %s\n", levels[level], text);
}

static bool parse_optimizer(int key, char *text, struct argp_state *state,
                            struct demo_options *o)
{
    switch (key) {
    case KEY_OPTIMIZER:
        o->optimizer = !second(state, key, text, "on", "off");
        return true;
    case KEY_TRANSPORT:
        o->client.transport =
            second(state, key, text, "zmq", "mofka") ? "mofka" : NULL;
        return true;
    case KEY_GROUP_FILE:
        o->client.group_file = text;
        return true;
    case KEY_FINDINGS:
        o->findings = text;
        return true;
    case KEY_FINDINGS_CONNECT:
        o->findings_connect = true;
        return true;
    case KEY_PLANS:
        o->client.plans_endpoint = text;
        return true;
    case KEY_PATTERN:
        o->client.plans_pattern = second(state, key, text, "pull", "sub")
                                      ? DFOPT_CLIENT_SUB
                                      : DFOPT_CLIENT_PULL;
        return true;
    case KEY_REGISTRY:
        o->client.registry_endpoint = text;
        return true;
    case KEY_ACKS:
        o->client.acks_endpoint = text;
        return true;
    case KEY_HOSTNAME:
        if (!*text || strlen(text) > 255 || strchr(text, ':'))
            argp_error(state, "--hostname takes 1 to 255 characters, no ':'");
        o->client.hostname = text;
        return true;
    case KEY_WAIT:
        o->wait_optimizer_ns = (int64_t)(real(state, key, text, 0, 3600) * 1e9);
        return true;
    case KEY_STOP:
        o->stop_optimizer = true;
        return true;
    case KEY_VERBOSE:
        o->client.log = print_client_line;
        return true;
    default:
        return false;
    }
}

static void check_mofka(struct argp_state *state, const struct demo_options *o)
{
    if (!o->client.transport && o->client.group_file)
        argp_error(state, "--group-file is for --transport=mofka");
    if (!o->client.transport)
        return;
    if (!o->client.group_file)
        argp_error(state, "--transport=mofka needs --group-file");
    if (o->findings_connect)
        argp_error(state, "--findings-connect is for --transport=zmq");
    if (o->stop_optimizer)
        argp_error(state, "--stop-optimizer is for --transport=zmq: over Mofka an "
                          "optimizer ends by itself or by a signal");
}

static void check(struct argp_state *state, const struct demo_options *o)
{
    const struct demo_reader_options *r = &o->reader;
    if (!o->folder)
        argp_error(state, "no data: --make-data=DIR or --data=DIR");
    if (r->threads > r->max_threads)
        argp_error(state, "--threads is more than --max-threads");
    if (r->prefetch > r->max_prefetch)
        argp_error(state, "--prefetch is more than --max-prefetch");
    if (o->window_ns == 0 && o->window_samples == 0)
        argp_error(state, "--window-ms=0: a window has to have an end");
    if (o->stop_optimizer && !o->findings)
        argp_error(state, "--stop-optimizer needs --findings");
    check_mofka(state, o);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct demo_options *o = state->input;
    switch (key) {
    case KEY_JSON:
        o->json_file = text;
        return 0;
    case KEY_AGAINST:
        o->against = text;
        return 0;
    case KEY_AT_LEAST:
        o->at_least = real(state, key, text, 0, 1e6);
        return 0;
    case '?':
        argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
        return 0;
    case 'U':
        argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
        return 0;
    case 'V':
        printf("dfopt-demo-loader %s\n", DFOPT_VERSION);
        exit(0);
    case ARGP_KEY_ARG:
        argp_error(state, "'%s': there are options only", text);
        return EINVAL;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    default:
        return parse_data(key, text, state, o) || parse_load(key, text, state, o) ||
                       parse_optimizer(key, text, state, o)
                   ? 0
                   : ARGP_ERR_UNKNOWN;
    }
}

void demo_options_parse(int argc, char **argv, struct demo_options *out)
{
    static const struct argp argp = {table, parse, NULL, doc, NULL, NULL, NULL};
    *out = (struct demo_options){
        .shape = {.files = 16, .records = 256, .record_bytes = 16384, .seed = 1},
        .reader = {.threads = 1,
                   .prefetch = 1,
                   .max_threads = 32,
                   .max_prefetch = 64,
                   .latency_ns = 2000000,
                   .seed = 1},
        .compute_ns = 250000,
        .windows = 20,
        .window_ns = 500000000,
        .optimizer = true,
        .client = {.app_namespace = "demo", .function = "demo.loader"},
        .at_least = 3,
    };
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, out);
}
