/* Options of dfopt-demo-loader: a table, and what holds between them. */
#include "cmd/demo/options.h"

#include "cmd/option/option.h"
#include "net/zmq/endpoint.h"

#include <errno.h>
#include <stdio.h>
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

static const char *const computing[] = {"wait", "cpu", NULL};   /* compute_cpu */
static const char *const whether[] = {"on", "off", NULL};       /* no_optimizer */
static const char *const transports[] = {"zmq", "mofka", NULL}; /* mofka */
static const char *const patterns[] = {
    [DFOPT_CLIENT_PULL] = "pull", [DFOPT_CLIENT_SUB] = "sub", NULL};

/* The last of --data and --make-data counts. */
static error_t read_data(struct argp_state *state, const char *text, void *into)
{
    struct demo_options *o = into;
    (void)state;
    o->folder = text;
    o->make_data = false;
    return 0;
}

static error_t make_data(struct argp_state *state, const char *text, void *into)
{
    const error_t e = read_data(state, text, into);
    ((struct demo_options *)into)->make_data = true;
    return e;
}

#define AT(member) DFOPT_OPTION_AT(struct demo_options, member)

static const struct dfopt_option table[] = {
    DFOPT_OPTION_TITLE("Data", 1),
    {"data", DFOPT_OPTION_CALL, "DIR", "Read the files that are there",
     .call = read_data},
    {"make-data", DFOPT_OPTION_CALL, "DIR",
     "The same; make them first, if they are not there", .call = make_data},
    {"files", DFOPT_OPTION_NUMBER, "N", "Files to make (default 16)",
     AT(shape.files), .lo = 1, .hi = DEMO_MAX_FILES},
    {"records", DFOPT_OPTION_NUMBER, "N", "Records a file (default 256)",
     AT(shape.records), .lo = 1, .hi = DEMO_MAX_RECORDS},
    {"record-bytes", DFOPT_OPTION_NUMBER, "N", "Bytes a record (default 16384)",
     AT(shape.record_bytes), .lo = 1, .hi = DEMO_MAX_RECORD_BYTES},
    {"seed", DFOPT_OPTION_NUMBER, "N",
     "Of the bytes made, and of the order (default 1)", AT(shape.seed), .lo = 0,
     .hi = INT64_MAX},
    DFOPT_OPTION_TITLE("Load", 2),
    {"threads", DFOPT_OPTION_NUMBER, "N",
     "Reader threads to begin with (default 1)", AT(reader.threads), .lo = 1,
     .hi = DEMO_MAX_THREADS},
    {"prefetch", DFOPT_OPTION_NUMBER, "N",
     "Samples read ahead, to begin with (default 1)", AT(reader.prefetch), .lo = 1,
     .hi = DEMO_MAX_PREFETCH},
    {"max-threads", DFOPT_OPTION_NUMBER, "N",
     "What threads may become (default 32)", AT(reader.max_threads), .lo = 1,
     .hi = DEMO_MAX_THREADS},
    {"max-prefetch", DFOPT_OPTION_NUMBER, "N",
     "What the prefetch queue may become (default 64)", AT(reader.max_prefetch),
     .lo = 1, .hi = DEMO_MAX_PREFETCH},
    {"latency", DFOPT_OPTION_REAL, "MS",
     "Latency of the storage, added to each read (default 2)",
     AT(reader.latency_ns), .hi = 60000, .scale = 1e6},
    {"compute", DFOPT_OPTION_REAL, "MS", "Computing on a sample (default 0.25)",
     AT(compute_ns), .hi = 60000, .scale = 1e6},
    {"compute-kind", DFOPT_OPTION_WORD, "KIND",
     "wait: as for an accelerator (the default); cpu: on a processor",
     AT(compute_cpu), .words = computing},
    {"windows", DFOPT_OPTION_NUMBER, "N", "Windows to run (default 20)",
     AT(windows), .lo = 1, .hi = 1000000},
    {"window-ms", DFOPT_OPTION_REAL, "MS", "Length of a window (default 500)",
     AT(window_ns), .hi = 60000, .scale = 1e6},
    {"window-samples", DFOPT_OPTION_NUMBER, "N",
     "End a window after so many samples instead", AT(window_samples), .lo = 1,
     .hi = INT64_MAX},
    DFOPT_OPTION_TITLE("Optimizer", 3),
    {"optimizer", DFOPT_OPTION_WORD, "WHETHER",
     "on (the default, with the endpoints given), or off: none is used",
     AT(no_optimizer), .words = whether},
    {"transport", DFOPT_OPTION_WORD, "NAME",
     "zmq (the default), or mofka: the endpoints below are topics then", AT(mofka),
     .words = transports},
    {"group-file", DFOPT_OPTION_TEXT, "FILE", "Of the Mofka service",
     AT(client.group_file)},
    {"findings", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Send findings there, as tcp://127.0.0.1:5555; it is bound", AT(findings)},
    {"findings-connect", DFOPT_OPTION_FLAG, NULL,
     "Connect the findings endpoint instead of binding it", AT(findings_connect)},
    {"plans", DFOPT_OPTION_TEXT, "ENDPOINT", "Take plans from there",
     AT(client.plans_endpoint)},
    {"plans-pattern", DFOPT_OPTION_WORD, "PATTERN",
     "pull (the default), or sub: the optimizer publishes",
     AT(client.plans_pattern), .words = patterns},
    {"registry", DFOPT_OPTION_TEXT, "ENDPOINT", "Register the knobs there",
     AT(client.registry_endpoint)},
    {"acks", DFOPT_OPTION_TEXT, "ENDPOINT", "Acknowledge plans there",
     AT(client.acks_endpoint)},
    {"hostname", DFOPT_OPTION_TEXT, "NAME",
     "The node's name in findings and plans (default: this host's)",
     AT(client.hostname)},
    {"wait-optimizer", DFOPT_OPTION_REAL, "SECONDS",
     "Wait so long for it before the first window (default 0)",
     AT(wait_optimizer_ns), .hi = 3600, .scale = 1e9},
    {"stop-optimizer", DFOPT_OPTION_FLAG, NULL, "Tell it to stop, at the end",
     AT(stop_optimizer)},
    DFOPT_OPTION_TITLE("Report", 4),
    {"json", DFOPT_OPTION_TEXT, "FILE",
     "Write windows, plans and the summary there, too, one JSON object a line",
     AT(json_file)},
    {"against", DFOPT_OPTION_TEXT, "FILE",
     "Compare with a run whose --json file this is: the throughput at the end has "
     "to be a multiple of its, the fetch share at most half of what it was at the "
     "start, and every applied plan acknowledged",
     AT(against)},
    {"at-least", DFOPT_OPTION_REAL, "X", "The multiple (default 3)", AT(at_least),
     .hi = 1000000},
    {"verbose", DFOPT_OPTION_FLAG, NULL,
     "Say on standard error what the client library does", AT(verbose)},
    DFOPT_OPTION_TITLE("Help", 5),
    DFOPT_OPTION_HELP_ROWS,
    {.name = NULL}};

static void print_client_line(void *arg, enum dfopt_client_level level,
                              const char *text)
{
    static const char *const levels[] = {"debug", "info", "warning"};
    (void)arg;
    fprintf(stderr, "client: %s: %s\n", levels[level], text);
}

static void check_mofka(struct argp_state *state, const struct demo_options *o)
{
    if (!o->mofka && o->client.group_file)
        argp_error(state, "--group-file is for --transport=mofka");
    if (!o->mofka)
        return;
    if (!o->client.group_file)
        argp_error(state, "--transport=mofka needs --group-file");
    if (o->findings_connect)
        argp_error(state, "--findings-connect is for --transport=zmq");
    if (o->stop_optimizer)
        argp_error(state, "--stop-optimizer is for --transport=zmq: over Mofka an "
                          "optimizer ends by itself or by a signal");
}

static void check_endpoints(struct argp_state *state, const struct demo_options *o)
{
    const struct {
        const char *option, *endpoint;
        bool bind;
    } all[] = {{"--findings", o->findings, !o->findings_connect},
               {"--plans", o->client.plans_endpoint, false},
               {"--registry", o->client.registry_endpoint, false},
               {"--acks", o->client.acks_endpoint, false}};
    struct dfopt_error err;
    for (size_t i = 0; !o->mofka && i < sizeof all / sizeof *all; i++)
        if (all[i].endpoint &&
            dfopt_zmq_endpoint_check(all[i].endpoint, all[i].bind, &err))
            argp_error(state, "%s: %s", all[i].option, err.text);
}

static void check(struct argp_state *state, const struct demo_options *o)
{
    const struct demo_reader_options *r = &o->reader;
    const char *host = o->client.hostname;
    if (host && (!*host || strlen(host) > 255 || strchr(host, ':')))
        argp_error(state, "--hostname takes 1 to 255 characters, no ':'");
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
    check_endpoints(state, o);
}

static error_t parse_rest(int key, char *text, struct argp_state *state)
{
    const struct dfopt_option_line *line = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        argp_error(state, "'%s': there are options only", text);
        return EINVAL;
    case ARGP_KEY_END:
        check(state, line->arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void demo_options_parse(int argc, char **argv, struct demo_options *out)
{
    struct dfopt_option_part part = {.rows = table, .into = out};
    struct dfopt_option_line line = {.parts = &part,
                                     .n_parts = 1,
                                     .doc = doc,
                                     .flags = ARGP_NO_HELP,
                                     .help_flags = ARGP_HELP_STD_HELP,
                                     .version = "dfopt-demo-loader " DFOPT_VERSION,
                                     .rest = parse_rest,
                                     .arg = out};
    *out = (struct demo_options){
        .shape = {.files = 16, .records = 256, .record_bytes = 16384, .seed = 1},
        .reader = {.threads = 1,
                   .prefetch = 1,
                   .max_threads = 32,
                   .max_prefetch = 64,
                   .latency_ns = 2000000},
        .compute_ns = 250000,
        .windows = 20,
        .window_ns = 500000000,
        .client = {.app_namespace = "demo", .function = "demo.loader"},
        .at_least = 3,
    };
    dfopt_option_parse(&line, argc, argv);
    out->reader.seed = out->shape.seed;
    out->client.transport = out->mofka ? "mofka" : NULL;
    out->client.log = out->verbose ? print_client_line : NULL;
}
