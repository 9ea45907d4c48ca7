/* Options of dfopt-demo-loader: a table, and checks across options. */
#include "cmd/demo/options.h"

#include "cmd/option/option.h"
#include "net/zmq/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char doc[] =
    "Run a data loader that is tuned while it runs. Reader threads fill a prefetch "
    "queue with records from files; a consumer verifies them and computes on them. "
    "In each window the loader measures how long the consumer waited, sends "
    "findings to an optimizer (dfopt-mpi), and applies the plans it receives to "
    "its two knobs, read_threads and prefetch_size. It reports the samples/s of "
    "each window as its "
    "objective. With --grid it measures static settings instead.\v"
    "Without an optimizer it does the same work untuned. It verifies the checksum "
    "of every record, and that each is delivered exactly once per epoch.\n"
    "\n"
    "Exit status:\n"
    "  0\tsuccess\n"
    "  1\tbad data, or a file or endpoint that cannot be used\n"
    "  2\tusage error\n"
    "  3\tstopped early by a signal\n"
    "  4\trequirements of --against not met\n";

static const char *const computing[] = {"wait", "cpu", NULL};   /* compute_cpu */
static const char *const whether[] = {"on", "off", NULL};       /* no_optimizer */
static const char *const transports[] = {"zmq", "mofka", NULL}; /* mofka */
static const char *const profiles[] = {[DEMO_LATENCY] = "latency",
                                       [DEMO_BANDWIDTH] = "bandwidth",
                                       [DEMO_CONTENTION] = "contention",
                                       [DEMO_MEMORY] = "memory",
                                       [DEMO_STEP] = "step",
                                       NULL};
static const char *const steps[] = {[DEMO_LATENCY] = "latency",
                                    [DEMO_BANDWIDTH] = "bandwidth",
                                    [DEMO_CONTENTION] = "contention",
                                    [DEMO_MEMORY] = "memory",
                                    NULL};
static const char *const grids[] = {[DEMO_GRID_NONE] = "none",
                                    [DEMO_GRID_POWERS] = "powers",
                                    [DEMO_GRID_FULL] = "full",
                                    NULL};
static const char *const habits[] = {
    [DFOPT_DIAGNOSIS_CURRENT] = "current", [DFOPT_DIAGNOSIS_PEAK] = "peak", NULL};
static const char *const scopes[] = {
    [DEMO_SCOPE_NODE] = "node", [DEMO_SCOPE_JOB] = "job", NULL};
static const char *const patterns[] = {
    [DFOPT_CLIENT_PULL] = "pull", [DFOPT_CLIENT_SUB] = "sub", NULL};

/* The last of --data and --make-data wins. */
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
    {"data", DFOPT_OPTION_CALL, "DIR", "Read an existing data set in DIR",
     .call = read_data},
    {"make-data", DFOPT_OPTION_CALL, "DIR",
     "Read the data set in DIR; create missing files first", .call = make_data},
    {"files", DFOPT_OPTION_NUMBER, "N", "Create N files (default 16)",
     AT(shape.files), .lo = 1, .hi = DEMO_MAX_FILES},
    {"records", DFOPT_OPTION_NUMBER, "N",
     "Put N records into each file (default 256)", AT(shape.records), .lo = 1,
     .hi = DEMO_MAX_RECORDS},
    {"record-bytes", DFOPT_OPTION_NUMBER, "N",
     "Make records of N bytes (default 16384)", AT(shape.record_bytes), .lo = 1,
     .hi = DEMO_MAX_RECORD_BYTES},
    {"seed", DFOPT_OPTION_NUMBER, "N",
     "Derive contents and order from the seed N (default 1)", AT(shape.seed),
     .lo = 0, .hi = INT64_MAX},
    DFOPT_OPTION_TITLE("Load", 2),
    {"threads", DFOPT_OPTION_NUMBER, "N", "Start with N reader threads (default 1)",
     AT(reader.threads), .lo = 1, .hi = DEMO_MAX_THREADS},
    {"prefetch", DFOPT_OPTION_NUMBER, "N",
     "Start by reading at most N samples ahead (default 1)", AT(reader.prefetch),
     .lo = 1, .hi = DEMO_MAX_PREFETCH},
    {"max-threads", DFOPT_OPTION_NUMBER, "N",
     "Bound read_threads by N (default 32)", AT(reader.max_threads), .lo = 1,
     .hi = DEMO_MAX_THREADS},
    {"max-prefetch", DFOPT_OPTION_NUMBER, "N",
     "Bound prefetch_size by N (default 64)", AT(reader.max_prefetch), .lo = 1,
     .hi = DEMO_MAX_PREFETCH},
    {"compute", DFOPT_OPTION_REAL, "MS",
     "Compute on each sample for MS milliseconds (default 0.25)", AT(compute_ns),
     .hi = 60000, .scale = 1e6},
    {"compute-kind", DFOPT_OPTION_WORD, "KIND",
     "Compute by wait (sleep, as for an accelerator; the default) or cpu (consume "
     "CPU time)",
     AT(compute_cpu), .words = computing},
    {"windows", DFOPT_OPTION_NUMBER, "N", "Run N windows, then exit (default 20)",
     AT(windows), .lo = 1, .hi = 1000000},
    {"window-ms", DFOPT_OPTION_REAL, "MS",
     "End each window after MS milliseconds (default 500)", AT(window_ns),
     .hi = 60000, .scale = 1e6},
    {"window-samples", DFOPT_OPTION_NUMBER, "N",
     "End each window after N samples instead", AT(window_samples), .lo = 1,
     .hi = INT64_MAX},
    DFOPT_OPTION_TITLE("Storage", 3),
    {"storage", DFOPT_OPTION_WORD, "PROFILE",
     "Select what limits reading: latency (the default), bandwidth, contention, "
     "memory, or step (latency, then --step-to)",
     AT(reader.storage.profile), .words = profiles},
    {"latency", DFOPT_OPTION_REAL, "MS",
     "Delay each read by MS milliseconds (default 2)",
     AT(reader.storage.latency_ns), .hi = 60000, .scale = 1e6},
    {"bandwidth", DFOPT_OPTION_REAL, "MB",
     "bandwidth: share MB megabytes/s among all readers (default 20)",
     AT(reader.storage.bytes_per_second), .lo = 1, .hi = 1000000, .scale = 1e6},
    {"best-readers", DFOPT_OPTION_NUMBER, "N",
     "contention: peak at N concurrent readers (default 4)",
     AT(reader.storage.best_readers), .lo = 1, .hi = DEMO_MAX_THREADS},
    {"memory-budget", DFOPT_OPTION_NUMBER, "BYTES",
     "memory: slow down while prefetch buffers hold more than BYTES (default "
     "131072)",
     AT(reader.storage.budget), .lo = 1, .hi = INT64_MAX},
    {"step-at", DFOPT_OPTION_NUMBER, "WINDOW",
     "step: change the profile before WINDOW (default: the middle one)",
     AT(reader.storage.step_at), .lo = 1, .hi = 1000000},
    {"step-to", DFOPT_OPTION_WORD, "PROFILE",
     "step: change to PROFILE (default contention)", AT(reader.storage.step_to),
     .words = steps},
    DFOPT_OPTION_TITLE("Optimizer", 4),
    {"optimizer", DFOPT_OPTION_WORD, "on|off",
     "Use the endpoints given (on, the default), or ignore them (off)",
     AT(no_optimizer), .words = whether},
    {"transport", DFOPT_OPTION_WORD, "NAME",
     "Use zmq (the default), or mofka, where endpoints are names of topics",
     AT(mofka), .words = transports},
    {"group-file", DFOPT_OPTION_TEXT, "FILE",
     "Read the group file of the Mofka service from FILE", AT(client.group_file)},
    {"findings", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Bind ENDPOINT, such as tcp://127.0.0.1:5555, and send findings there",
     AT(findings)},
    {"findings-connect", DFOPT_OPTION_FLAG, NULL,
     "Connect to the endpoint of --findings instead of binding it",
     AT(findings_connect)},
    {"diagnosis", DFOPT_OPTION_WORD, "HABIT",
     "Take severity and metrics of a finding from the current window (current, the "
     "default), or from the worst window so far, as DFDiagnoser does (peak)",
     AT(habit), .words = habits},
    {"plans", DFOPT_OPTION_TEXT, "ENDPOINT", "Receive plans from ENDPOINT",
     AT(client.plans_endpoint)},
    {"plans-pattern", DFOPT_OPTION_WORD, "PATTERN",
     "Receive plans by pull (the default), or by sub from an optimizer with "
     "--plans-pattern=pub",
     AT(client.plans_pattern), .words = patterns},
    {"registry", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Send registrations of the knobs to ENDPOINT", AT(client.registry_endpoint)},
    {"acks", DFOPT_OPTION_TEXT, "ENDPOINT", "Send acknowledgements to ENDPOINT",
     AT(client.acks_endpoint)},
    {"objectives", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Report the samples/s of each window to ENDPOINT",
     AT(client.objectives_endpoint)},
    {"endpoints-file", DFOPT_OPTION_TEXT, "FILE",
     "Read the endpoints that are not given from FILE, which dfopt-mpi writes with "
     "--endpoints-file",
     AT(client.endpoints_file)},
    {"knob-scope", DFOPT_OPTION_WORD, "SCOPE",
     "Declare the knobs and report the objective for the node (node, the default) "
     "or"
     " the job (job)",
     AT(scope), .words = scopes},
    {"hostname", DFOPT_OPTION_TEXT, "NAME",
     "Use this node name (default: the host name)", AT(client.hostname)},
    {"wait-optimizer", DFOPT_OPTION_REAL, "SECONDS",
     "Wait at most SECONDS for the optimizer to connect (default 0)",
     AT(wait_optimizer_ns), .hi = 3600, .scale = 1e9},
    {"stop-optimizer", DFOPT_OPTION_FLAG, NULL,
     "Tell the optimizer to stop when the run ends", AT(stop_optimizer)},
    DFOPT_OPTION_TITLE("Report", 5),
    {"json", DFOPT_OPTION_TEXT, "FILE",
     "Also write windows, plans and the summary to FILE, one JSON object per line",
     AT(json_file)},
    {"against", DFOPT_OPTION_TEXT, "FILE",
     "Compare with the run whose --json file is FILE: require --at-least times its "
     "throughput at the end, half the fetch share of the start, and an "
     "acknowledgement of every applied plan",
     AT(against)},
    {"at-least", DFOPT_OPTION_REAL, "X",
     "Require X times the throughput in --against (default 3)", AT(at_least),
     .hi = 1000000},
    {"grid", DFOPT_OPTION_WORD, "VALUES",
     "Measure static settings and print the best: powers (1, 2, 4 ... and the "
     "maximum of each knob), full (every value), or none (the default)",
     AT(grid), .words = grids},
    {"grid-windows", DFOPT_OPTION_NUMBER, "N",
     "Run each setting of a grid for N windows; the median counts (default 1)",
     AT(grid_windows), .lo = 1, .hi = DEMO_GRID_MAX_WINDOWS},
    {"against-grid", DFOPT_OPTION_TEXT, "FILE",
     "Compare with the best setting of the --grid run whose --json file is FILE",
     AT(against_grid)},
    {"verbose", DFOPT_OPTION_FLAG, NULL,
     "Log what the client library does to standard error", AT(verbose)},
    DFOPT_OPTION_TITLE("Help", 6),
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

static void check_storage(struct argp_state *state,
                          const struct demo_storage_options *s)
{
    if (s->profile != DEMO_STEP && s->step_at)
        argp_error(state, "--step-at is for --storage=step");
}

static void check_grid(struct argp_state *state, const struct demo_options *o)
{
    const struct dfopt_client_options *c = &o->client;
    if (!o->grid)
        return;
    if (!o->no_optimizer &&
        (o->findings || c->plans_endpoint || c->registry_endpoint ||
         c->acks_endpoint || c->objectives_endpoint || c->endpoints_file))
        argp_error(state, "--grid measures static settings: add --optimizer=off");
    if (o->against || o->against_grid)
        argp_error(state,
                   "--grid makes a file for --against-grid; it takes neither "
                   "--against nor --against-grid");
    if (o->reader.storage.profile == DEMO_STEP)
        argp_error(state,
                   "--storage=step has no best setting: run --grid on each of "
                   "its two profiles");
}

static void check_endpoints(struct argp_state *state, const struct demo_options *o)
{
    const struct {
        const char *option, *endpoint;
        bool bind;
    } all[] = {{"--findings", o->findings, !o->findings_connect},
               {"--plans", o->client.plans_endpoint, false},
               {"--registry", o->client.registry_endpoint, false},
               {"--acks", o->client.acks_endpoint, false},
               {"--objectives", o->client.objectives_endpoint, false}};
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
        argp_error(state, "no data set given; use --make-data=DIR or --data=DIR");
    if (r->threads > r->max_threads)
        argp_error(state, "--threads exceeds --max-threads");
    if (r->prefetch > r->max_prefetch)
        argp_error(state, "--prefetch exceeds --max-prefetch");
    if (o->window_ns == 0 && o->window_samples == 0)
        argp_error(state,
                   "--window-ms must be above 0 unless --window-samples is given");
    if (o->stop_optimizer && !o->findings)
        argp_error(state, "--stop-optimizer needs --findings");
    check_storage(state, &o->reader.storage);
    check_grid(state, o);
    check_mofka(state, o);
    check_endpoints(state, o);
}

static error_t parse_rest(int key, char *text, struct argp_state *state)
{
    const struct dfopt_option_line *line = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", text);
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
                                     .version = "dfopt-demo-loader " DFOPT_VERSION,
                                     .rest = parse_rest,
                                     .arg = out};
    *out = (struct demo_options){
        .shape = {.files = 16, .records = 256, .record_bytes = 16384, .seed = 1},
        .reader = {.threads = 1,
                   .prefetch = 1,
                   .max_threads = 32,
                   .max_prefetch = 64,
                   .storage = {.profile = DEMO_LATENCY,
                               .latency_ns = 2000000,
                               .bytes_per_second = 20000000,
                               .best_readers = 4,
                               .budget = 131072,
                               .step_to = DEMO_CONTENTION}},
        .compute_ns = 250000,
        .windows = 20,
        .window_ns = 500000000,
        .client = {.app_namespace = "demo", .function = "demo.loader"},
        .grid_windows = 1,
        .at_least = 3,
    };
    dfopt_option_parse(&line, argc, argv);
    out->reader.seed = out->reader.storage.seed = out->shape.seed;
    if (out->reader.storage.step_at == 0)
        out->reader.storage.step_at = out->windows / 2 + 1;
    out->client.transport = out->mofka ? "mofka" : NULL;
    out->client.log = out->verbose ? print_client_line : NULL;
}
