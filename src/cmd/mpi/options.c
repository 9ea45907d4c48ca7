/* Options of dfopt-mpi, by argp. Each mistake is said with the option's name. */
#include "cmd/mpi/options.h"

#include "cmd/mpi/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Decide what a job should change about itself: findings of DFDiagnoser come "
    "in, plans (knob, old value, new value, when, why) go out, and every "
    "decision is logged.\v"
    "Runs alone or on many ranks (mpirun -n N dfopt-mpi ...): what is decided "
    "is the same. Inputs are JSON lines, a JSON array, or an event log with "
    "registrations and acks; gzip is recognised.\n\n"
    "Exit codes: 0 all is done, also when a signal ended a live service; 1 "
    "something could not be read or written, or --strict met a bad record; 2 "
    "bad options or configuration, nothing was done; 3 a replay was ended early "
    "by a signal, what had been read is decided and written.\n\n"
    "Environment: DFOPTIMIZER_TRANSPORT, DFOPTIMIZER_ZMQ_FINDINGS, "
    "DFOPTIMIZER_ZMQ_PLANS, MOFKA_GROUP_FILE, DFOPTIMIZER_INPUT_TOPIC, "
    "DFOPTIMIZER_OUTPUT_TOPIC, DFOPTIMIZER_REGISTRY_TOPIC, "
    "DFOPTIMIZER_CONSUMER_NAME, DFOPTIMIZER_RELAY_ONLY=1, "
    "DFOPTIMIZER_GLOBAL_PLAN_FANOUT, DFOPT_MOFKA_MODULE, "
    "DFOPTIMIZER_IDLE_TIMEOUT_SEC, DFOPTIMIZER_PULL_TIMEOUT_MS, "
    "DFOPTIMIZER_DEBUG=1, and for knobs without a registration "
    "DFOPTIMIZER_BOOTSTRAP_DLIO=1 with DLIO_KNOB_MIN_THREADS, "
    "DLIO_KNOB_MAX_THREADS, DLIO_KNOB_BOUNDARY, "
    "DFOPTIMIZER_BOOTSTRAP_PREFETCH_SIZE, DFOPTIMIZER_BOOTSTRAP_READ_THREADS.";

enum key {
    KEY_TRANSPORT = 0x100,
    KEY_FINDINGS,
    KEY_REGISTRY,
    KEY_MAX_RECORD,
    KEY_STRICT,
    KEY_PLANS,
    KEY_FINAL_STATE,
    KEY_DECISION_LOG,
    KEY_RESUME,
    KEY_POLICY_CHANGE,
    KEY_LOG_COMPRESSION,
    KEY_LOG_DETAIL,
    KEY_LOG_FLUSH,
    KEY_COMPAT,
    KEY_POLICY,
    KEY_ACKS,
    KEY_RELAY_HOSTNAME,
    KEY_BATCH,
    KEY_ON_WAY,
    KEY_READERS,
    KEY_READ_BYTES,
    KEY_LOG_FORMAT,
    KEY_LOG_LEVEL,
    KEY_DEBUG,
    KEY_NO_PROGRESS
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Input", 1},
    {"transport", KEY_TRANSPORT, "NAME", 0,
     "Where findings come from: file (a replay; the default with --findings-file), "
     "zmq or mofka (a live service); without, DFOPTIMIZER_TRANSPORT, or mofka",
     0},
    {"findings-file", KEY_FINDINGS, "FILE", 0,
     "Findings or an event log to replay: a path, a glob, or - for standard input; "
     "may be repeated, read in order",
     0},
    {"registry-file", KEY_REGISTRY, "FILE", 0,
     "Knobs to register before the first record: a JSON array of registrations", 0},
    {"max-record-bytes", KEY_MAX_RECORD, "N", 0,
     "Reject records longer than this (default 1048576)", 0},
    {"strict", KEY_STRICT, 0, 0,
     "End at the first record, input or output that is bad, instead of counting it "
     "and going on",
     0},
    {0, 0, 0, 0, "Output", 2},
    {"plans-file", KEY_PLANS, "FILE", 0,
     "Write plans there, one JSON object a line; - for standard output", 0},
    {"final-state", KEY_FINAL_STATE, "FILE", 0,
     "Write the state at the end there, as JSON; - for standard output", 0},
    {"decision-log", KEY_DECISION_LOG, "FILE.h5", 0,
     "Log everything that came in and every decision to this HDF5 file; read it "
     "with dfopt-log or h5py",
     0},
    {"resume", KEY_RESUME, "LOG.h5", 0,
     "Go on with the run of this decision log, which was stopped or killed: in its "
     "state, at its place in the input files, and in the same log and plans file. "
     "Detail and compression stay those of the log",
     0},
    {"allow-policy-change", KEY_POLICY_CHANGE, 0, 0,
     "With --resume: go on also if policy, acks, relay hostname or registry are "
     "not those of the log, by the new ones",
     0},
    {"log-detail", KEY_LOG_DETAIL, "WHAT", 0,
     "What the decision log keeps: plans, verdicts (and plans), or findings "
     "(everything; "
     "the default)",
     0},
    {"log-compression", KEY_LOG_COMPRESSION, "0..9", 0,
     "Deflate level of the decision log (default 1)", 0},
    {"log-flush-interval", KEY_LOG_FLUSH, "SECONDS", 0,
     "How much a killed run may lose from the decision log (default 1)", 0},
    {0, 0, 0, 0, "Decisions", 4},
    {"compat", KEY_COMPAT, "PRESET", 0,
     "default, or upstream: decide bit for bit as DFOptimizer 0.1.0", 0},
    {"policy", KEY_POLICY, "FILE", 0,
     "Switches and overrides of responses, as JSON", 0},
    {"acks", KEY_ACKS, "HOW", 0,
     "explicit: a plan is in flight until it is acknowledged; assumed: it "
     "counts as applied at once; auto (the default): explicit for an event log, "
     "with --acks-address, over Mofka unless --no-registry, and with --compat "
     "upstream, else assumed",
     0},
    {"relay-hostname", KEY_RELAY_HOSTNAME, "NAME", 0,
     "Drop global plans that name other hosts only (default: pass on all; over "
     "Mofka: the name of this host)",
     0},
    {0, 0, 0, 0, "Ranks", 5},
    {"readers", KEY_READERS, "WHO", 0,
     "all: every rank reads and decodes its part of the input, which must be files "
     "of JSON lines; one: rank 0 does; auto (the default): all where they can",
     0},
    {"read-bytes", KEY_READ_BYTES, "N", 0,
     "With all readers: how much a rank reads at a time (default: by the number of "
     "ranks, 16 MiB at most)",
     0},
    {"batch-events", KEY_BATCH, "N", 0,
     "With one reader: events decided together, at most (default 4096)", 0},
    {"batches-in-flight", KEY_ON_WAY, "N", 0,
     "With one reader: batches in flight to the ranks at once, at most (default "
     "4)",
     0},
    {0, 0, 0, 0, "Messages", 6},
    {"log-level", KEY_LOG_LEVEL, "LEVEL", 0,
     "debug, info (the default), warning, error or off", 0},
    {"log-format", KEY_LOG_FORMAT, "FORMAT", 0,
     "Of the lines on standard error: json (the default), or text for people", 0},
    {"debug", KEY_DEBUG, 0, 0, "The same as --log-level debug", 0},
    {"no-progress", KEY_NO_PROGRESS, 0, 0,
     "No progress line (there is none unless standard error is a terminal)", 0},
    {0, 0, 0, 0, "Help", 7},
    {"help", '?', 0, 0, "Show this help", 0},
    {"usage", 'U', 0, 0, "Show the options in short", 0},
    {"version", 'V', 0, 0, "Show the version", 0},
    {0, 0, 0, 0, 0, 0},
};

static error_t add_findings(struct dfopt_options *o, const char *path)
{
    const char **files =
        realloc(o->findings_files, (o->n_findings_files + 1) * sizeof *files);
    if (!files)
        return ENOMEM;
    o->findings_files = files;
    files[o->n_findings_files++] = path;
    return 0;
}

/* The transport by its name; what the command line says goes before the
 * environment. */
static error_t choose_transport(struct argp_state *state, struct dfopt_options *o)
{
    const char *named = getenv("DFOPTIMIZER_TRANSPORT");
    o->transport_by_default =
        !o->transport_name && !o->n_findings_files && !(named && *named);
    if (!o->transport_name)
        o->transport_name = o->n_findings_files    ? "file"
                            : named && *named != 0 ? named
                                                   : "mofka";
    const char *name = o->transport_name;
    int w = 0;
    error_t e =
        DFOPT_OPTION_WORD(state, "transport", name, &w, "file", "zmq", "mofka");
    o->transport = (enum dfopt_transport)w;
    return e;
}

static error_t check_transport(struct argp_state *state, struct dfopt_options *o)
{
    error_t e = choose_transport(state, o);
    if (e)
        return e;
    if (o->transport == DFOPT_TRANSPORT_ZMQ)
        e = dfopt_live_options_check_zmq(state, &o->live);
    if (o->transport == DFOPT_TRANSPORT_MOFKA)
        e = dfopt_live_options_check(state, &o->live);
    if (!e && o->transport == DFOPT_TRANSPORT_MOFKA)
        e = dfopt_mofka_options_check(state, &o->mofka);
    if (e)
        return e;
    const bool file = o->transport == DFOPT_TRANSPORT_FILE;
    const char *wrong = file && o->n_findings_files == 0 ? "needs --findings-file"
                        : !file && o->n_findings_files ? "takes no --findings-file"
                        : file && o->live.record       ? "has nothing to --record"
                                                       : NULL;
    if (!wrong)
        return 0;
    argp_error(state, "--transport %s %s", o->transport_name, wrong);
    return EINVAL;
}

/* A sweep replays, and every rank by itself. */
static error_t check_sweep(struct argp_state *state, const struct dfopt_options *o)
{
    error_t e = dfopt_sweep_options_check(state, &o->sweep);
    if (e || !o->sweep.file)
        return e;
    bool pipe = o->transport != DFOPT_TRANSPORT_FILE;
    for (size_t i = 0; i < o->n_findings_files; i++)
        pipe = pipe || strcmp(o->findings_files[i], "-") == 0;
    const char *wrong = NULL;
    if (o->resume)
        wrong = "--resume is for decision logs; a sweep takes --sweep-resume";
    else if (pipe)
        wrong = "--sweep reads regular files only";
    else if (o->plans_file || o->final_state_file || o->decision_log)
        wrong = "--sweep leaves no plans, final state or decision log; see "
                "--sweep-decisions";
    if (!wrong)
        return 0;
    argp_error(state, "%s", wrong);
    return EINVAL;
}

static error_t check_whole(struct argp_state *state, struct dfopt_options *o)
{
    if (o->action != DFOPT_ACTION_RUN)
        return 0;
    if (o->live.keygen) {
        o->action = DFOPT_ACTION_KEYGEN;
        return 0;
    }
    error_t e = check_transport(state, o);
    if (e)
        return e;
    if (o->plans_file && o->final_state_file && strcmp(o->plans_file, "-") == 0 &&
        strcmp(o->final_state_file, "-") == 0) {
        argp_error(state,
                   "--plans-file and --final-state cannot both go to standard "
                   "output");
        return EINVAL;
    }
    if (o->resume && o->decision_log && strcmp(o->resume, o->decision_log) != 0) {
        argp_error(state, "--resume goes on in its log: --decision-log cannot be "
                          "another file");
        return EINVAL;
    }
    if (o->resume)
        o->decision_log = o->resume;
    if (o->allow_policy_change && !o->resume) {
        argp_error(state, "--allow-policy-change is for --resume");
        return EINVAL;
    }
    if (o->preset == DFOPT_PRESET_UPSTREAM && o->acks == DFOPT_ACKS_ASSUMED) {
        argp_error(state, "--compat upstream has explicit acks only");
        return EINVAL;
    }
    return check_sweep(state, o);
}

static error_t parse_level(struct argp_state *state, const char *arg,
                           struct dfopt_options *o)
{
    if (!dfopt_log_level_parse(arg, &o->log_level))
        return 0;
    argp_error(state,
               "--log-level takes one of debug, info, warning, error, off, "
               "not '%s'",
               arg);
    return EINVAL;
}

/* Where an option that is a text goes; NULL: it is none. */
static const char **text_of(struct dfopt_options *o, int key)
{
    switch (key) {
    case KEY_TRANSPORT:
        return &o->transport_name;
    case KEY_REGISTRY:
        return &o->registry_file;
    case KEY_PLANS:
        return &o->plans_file;
    case KEY_FINAL_STATE:
        return &o->final_state_file;
    case KEY_DECISION_LOG:
        return &o->decision_log;
    case KEY_RESUME:
        return &o->resume;
    case KEY_POLICY:
        return &o->policy_file;
    case KEY_RELAY_HOSTNAME:
        return &o->relay_hostname;
    default:
        return NULL;
    }
}

/* Where an option that is said or not goes; NULL: it is none. */
static bool *flag_of(struct dfopt_options *o, int key)
{
    switch (key) {
    case KEY_STRICT:
        return &o->strict;
    case KEY_POLICY_CHANGE:
        return &o->allow_policy_change;
    case KEY_NO_PROGRESS:
        return &o->no_progress;
    default:
        return NULL;
    }
}

static error_t parse_number(int key, const char *arg, struct argp_state *state,
                            struct dfopt_options *o)
{
    int64_t n;
    error_t e;
    switch (key) {
    case KEY_MAX_RECORD:
        return dfopt_option_number(state, "max-record-bytes", arg, 1024,
                                   (int64_t)1 << 30, &o->max_record_bytes);
    case KEY_LOG_COMPRESSION:
        e = dfopt_option_number(state, "log-compression", arg, 0, 9, &n);
        if (!e)
            o->log_compression = (int)n;
        return e;
    case KEY_LOG_FLUSH:
        return dfopt_option_seconds(state, "log-flush-interval", arg, 86400,
                                    &o->log_flush_ms);
    case KEY_BATCH:
        return dfopt_option_number(state, "batch-events", arg, 1, 1 << 20,
                                   &o->batch_events);
    case KEY_ON_WAY:
        return dfopt_option_number(state, "batches-in-flight", arg, 1, 256,
                                   &o->batches_on_way);
    case KEY_READ_BYTES:
        return dfopt_option_number(state, "read-bytes", arg, 1, (int64_t)1 << 30,
                                   &o->read_bytes);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_word(int key, const char *arg, struct argp_state *state,
                          struct dfopt_options *o)
{
    int w = 0;
    error_t e;
    switch (key) {
    case KEY_LOG_DETAIL:
        e = DFOPT_OPTION_WORD(state, "log-detail", arg, &w, "plans", "verdicts",
                              "findings");
        o->log_detail = (enum dfopt_declog_detail)w;
        return e;
    case KEY_COMPAT:
        e = DFOPT_OPTION_WORD(state, "compat", arg, &w, "default", "upstream");
        o->preset = (enum dfopt_preset)w;
        return e;
    case KEY_ACKS:
        e = DFOPT_OPTION_WORD(state, "acks", arg, &w, "auto", "explicit",
                              "assumed");
        o->acks = (enum dfopt_acks_option)w;
        return e;
    case KEY_READERS:
        e = DFOPT_OPTION_WORD(state, "readers", arg, &w, "auto", "one", "all");
        o->readers = (enum dfopt_readers)w;
        return e;
    case KEY_LOG_FORMAT:
        e = DFOPT_OPTION_WORD(state, "log-format", arg, &w, "json", "text");
        o->log_text = w == 1;
        return e;
    case KEY_LOG_LEVEL:
        return parse_level(state, arg, o);
    default:
        return parse_number(key, arg, state, o);
    }
}

static void show(struct argp_state *state, struct dfopt_options *o, unsigned what)
{
    o->action = DFOPT_ACTION_HELP;
    argp_state_help(state, stdout, what);
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
    struct dfopt_options *o = state->input;
    const char **text = text_of(o, key);
    bool *flag = flag_of(o, key);
    if (text)
        *text = arg;
    else if (flag)
        *flag = true;
    if (text || flag)
        return 0;
    switch (key) {
    case KEY_FINDINGS:
        return add_findings(o, arg);
    case KEY_DEBUG:
        o->log_level = DFOPT_LOG_DEBUG;
        return 0;
    case '?':
        show(state, o, ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
        return 0;
    case 'U':
        show(state, o, ARGP_HELP_USAGE);
        return 0;
    case 'V':
        o->action = DFOPT_ACTION_VERSION;
        printf("dfopt-mpi %s\n", DFOPT_VERSION);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->mofka;
        state->child_inputs[1] = &o->live;
        state->child_inputs[2] = &o->sweep;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        return check_whole(state, o);
    default:
        return parse_word(key, arg, state, o);
    }
}

enum dfopt_err dfopt_options_parse(int argc, char **argv, struct dfopt_options *out)
{
    static const struct argp_child children[] = {
        {.argp = &dfopt_mofka_argp, .group = 3},
        {.argp = &dfopt_live_argp, .group = 3},
        {.argp = &dfopt_sweep_argp, .group = 5},
        {0}};
    const struct argp argp = {
        .options = table, .parser = parse_one, .doc = doc, .children = children};
    const char *debug = getenv("DFOPTIMIZER_DEBUG");
    *out = (struct dfopt_options){
        .relay_hostname = "",
        .max_record_bytes = 1 << 20,
        .log_detail = DFOPT_DETAIL_FINDINGS,
        .log_compression = 1,
        .log_flush_ms = 1000,
        .log_level =
            debug && strcmp(debug, "1") == 0 ? DFOPT_LOG_DEBUG : DFOPT_LOG_INFO,
    };
    dfopt_live_options_init(&out->live);
    dfopt_mofka_options_init(&out->mofka);
    dfopt_sweep_options_init(&out->sweep);
    error_t e =
        argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, out);
    return e == 0 ? DFOPT_OK : e == ENOMEM ? DFOPT_ERR_NOMEM : DFOPT_ERR_ARG;
}

enum dfopt_err dfopt_options_join(int argc, char **argv, struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; i < argc && !e; i++)
        e = dfopt_buf_printf(out, "%s%s", i ? " " : "", argv[i]);
    return e ? e : dfopt_buf_add(out, "", 1);
}

void dfopt_options_free(struct dfopt_options *o)
{
    dfopt_sweep_options_free(&o->sweep);
    free(o->findings_files);
    o->findings_files = NULL;
}
