/* Options of dfopt-mpi: a table, and checks across options. */
#include "cmd/mpi/options.h"

#include "cmd/mpi/paths.h"

#include "base/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Tune a running job, or replay its findings: read findings of DFDiagnoser, "
    "decide which knobs to change, and write plans (knob, old value, new value, "
    "when, why) and a log of every decision.\v"
    "Runs alone or on many ranks (mpirun -n N dfopt-mpi ...); the decisions are "
    "the same. The input is JSON lines, a JSON array, or an event log with "
    "registrations and acknowledgements; gzip is recognised.\n"
    "\n"
    "Exit status:\n"
    "  0\tsuccess; also when a signal stopped a live service\n"
    "  1\ta file, endpoint or record failed (a bad record only with --strict)\n"
    "  2\tbad options or configuration; nothing was done\n"
    "  3\ta signal stopped a replay; everything read by then is decided and "
    "written\n"
    "\n"
    "Environment: DFOPTIMIZER_TRANSPORT, DFOPTIMIZER_GLOBAL_PLAN_FANOUT, "
    "DFOPT_MOFKA_MODULE; for knobs without a registration "
    "DFOPTIMIZER_BOOTSTRAP_DLIO=1 with DLIO_KNOB_MIN_THREADS, "
    "DLIO_KNOB_MAX_THREADS, DLIO_KNOB_BOUNDARY, "
    "DFOPTIMIZER_BOOTSTRAP_PREFETCH_SIZE and DFOPTIMIZER_BOOTSTRAP_READ_THREADS. "
    "dfopt-mpi(1) describes them.\n";

/* An option's words are in the order of its enumeration. */
static const char *const transports[] = {[DFOPT_TRANSPORT_FILE] = "file",
                                         [DFOPT_TRANSPORT_ZMQ] = "zmq",
                                         [DFOPT_TRANSPORT_MOFKA] = "mofka",
                                         NULL};
static const char *const details[] = {DFOPT_DETAIL_LIST(DFOPT_NAME_TEXT) NULL};
static const char *const presets[] = {
    [DFOPT_PRESET_DEFAULT] = "default", [DFOPT_PRESET_UPSTREAM] = "upstream", NULL};
static const char *const acks[] = {[DFOPT_ACKS_AUTO] = "auto",
                                   [DFOPT_ACKS_EXPLICIT] = "explicit",
                                   [DFOPT_ACKS_ASSUMED] = "assumed",
                                   NULL};
static const char *const readers[] = {[DFOPT_READERS_AUTO] = "auto",
                                      [DFOPT_READERS_ONE] = "one",
                                      [DFOPT_READERS_ALL] = "all",
                                      NULL};
static const char *const levels[] = {DFOPT_LOG_LEVEL_LIST(DFOPT_NAME_TEXT) NULL};
static const char *const formats[] = {"json", "text", NULL}; /* log_text */

static error_t add_findings(struct argp_state *state, const char *path, void *into)
{
    struct dfopt_options *o = into;
    (void)state;
    const char **files =
        realloc(o->findings_files, (o->n_findings_files + 1) * sizeof *files);
    if (!files)
        return ENOMEM;
    o->findings_files = files;
    files[o->n_findings_files++] = path;
    return 0;
}

#define AT(member) DFOPT_OPTION_AT(struct dfopt_options, member)

static const struct dfopt_option table[] = {
    DFOPT_OPTION_TITLE("Input", 1),
    {"transport", DFOPT_OPTION_TEXT, "NAME",
     "Read from file (a replay), zmq or mofka (a live service). The default is "
     "file "
     "with --findings-file, else DFOPTIMIZER_TRANSPORT, else mofka",
     AT(transport_name), .words = transports},
    {"findings-file", DFOPT_OPTION_CALL, "FILE",
     "Replay the findings or the event log in FILE: a path, a glob, or - for "
     "standard input. Repeat the option to read several, in the order given",
     .call = add_findings},
    {"registry-file", DFOPT_OPTION_TEXT, "FILE",
     "Register the knobs in FILE, a JSON array of registrations, before the first "
     "record",
     AT(registry_file)},
    {"max-record-bytes", DFOPT_OPTION_NUMBER, "N",
     "Reject records longer than N bytes (default 1048576)", AT(max_record_bytes),
     .lo = 1024, .hi = 1 << 30},
    {"strict", DFOPT_OPTION_FLAG, NULL,
     "Stop at the first bad record, input or output instead of counting it and "
     "continuing",
     AT(strict)},
    DFOPT_OPTION_TITLE("Output", 2),
    {"plans-file", DFOPT_OPTION_TEXT, "FILE",
     "Write plans to FILE, one JSON object per line; - is standard output",
     AT(plans_file)},
    {"final-state", DFOPT_OPTION_TEXT, "FILE",
     "Write the state of the planner at the end to FILE, as JSON; - is standard "
     "output",
     AT(final_state_file)},
    {"decision-log", DFOPT_OPTION_TEXT, "FILE.h5",
     "Log all input and every decision to FILE.h5 (HDF5), to be read with "
     "dfopt-log "
     "or h5py",
     AT(decision_log)},
    {"resume", DFOPT_OPTION_TEXT, "LOG.h5",
     "Resume the stopped or killed run recorded in LOG.h5: restore its state and "
     "its"
     " position in the input files, and append to the same log and plans file. "
     "Detail and compression stay those of the log",
     AT(resume)},
    {"allow-policy-change", DFOPT_OPTION_FLAG, NULL,
     "Resume even if policy, acks, relay hostname or registry differ from those in "
     "the log, and use the new ones",
     AT(allow_policy_change)},
    {"log-detail", DFOPT_OPTION_WORD, "DETAIL",
     "Keep in the decision log: plans, verdicts (and plans), or findings "
     "(everything, the default; --resume needs it)",
     AT(log_detail), .words = details},
    {"log-compression", DFOPT_OPTION_NUMBER, "LEVEL",
     "Deflate the decision log at LEVEL, 0 to 9 (default 1)", AT(log_compression),
     .lo = 0, .hi = 9},
    {"log-flush-interval", DFOPT_OPTION_SECONDS, "SECONDS",
     "Flush the decision log at least every SECONDS (default 1)", AT(log_flush_ms),
     .hi = 86400, .scale = 1000},
    DFOPT_OPTION_TITLE("Decisions", 4),
    {"compat", DFOPT_OPTION_WORD, "PRESET",
     "Use the preset default, or upstream to decide bit for bit as DFOptimizer "
     "0.1.0",
     AT(preset), .words = presets},
    {"policy", DFOPT_OPTION_TEXT, "FILE",
     "Read switches and overrides of responses from FILE, as JSON",
     AT(policy_file)},
    {"policy-check", DFOPT_OPTION_TEXT, "FILE",
     "Check the policy in FILE against --registry-file and exit: report names that "
     "match nothing and responses that can never act",
     AT(policy_check)},
    {"acks", DFOPT_OPTION_WORD, "MODE",
     "Keep each plan in flight until it is acknowledged (explicit), or count it as "
     "applied at once (assumed). auto, the default, is explicit for an event log, "
     "with --acks-address or --applications-address, over Mofka unless "
     "--no-registry, and with --compat upstream; else assumed",
     AT(acks), .words = acks},
    {"relay-hostname", DFOPT_OPTION_TEXT, "NAME",
     "Drop global plans that name only hosts other than NAME (default: forward "
     "all; "
     "over Mofka, the name of this host)",
     AT(relay_hostname)},
    DFOPT_OPTION_TITLE("Ranks", 5),
    {"readers", DFOPT_OPTION_WORD, "WHO",
     "Read and decode the input on all ranks (all; files of JSON lines only), on "
     "rank 0 (one), or on all where possible (auto, the default)",
     AT(readers), .words = readers},
    {"read-bytes", DFOPT_OPTION_NUMBER, "N",
     "Read N bytes at a time on each rank, with all readers (default: by the "
     "number "
     "of ranks, at most 16 MiB)",
     AT(read_bytes), .lo = 1, .hi = 1 << 30},
    {"batch-events", DFOPT_OPTION_NUMBER, "N",
     "Decide at most N events together, with one reader (default 4096)",
     AT(batch_events), .lo = 1, .hi = 1 << 20},
    {"batches-in-flight", DFOPT_OPTION_NUMBER, "N",
     "Keep at most N batches in flight to the ranks, with one reader (default 4)",
     AT(batches_on_way), .lo = 1, .hi = 256},
    DFOPT_OPTION_TITLE("Messages", 6),
    {"log-level", DFOPT_OPTION_WORD, "LEVEL",
     "Log messages of LEVEL and above: debug, info (the default), warning, error "
     "or "
     "off",
     AT(log_level), .words = levels},
    {"log-format", DFOPT_OPTION_WORD, "FORMAT",
     "Write log lines to standard error as json (the default), or as text for "
     "people",
     AT(log_text), .words = formats},
    {"debug", DFOPT_OPTION_SET, NULL,
     "Log debug messages, too; the same as --log-level=debug", AT(log_level),
     .lo = DFOPT_LOG_DEBUG, .env = "DFOPTIMIZER_DEBUG"},
    {"no-progress", DFOPT_OPTION_FLAG, NULL,
     "Hide the progress line, which is shown only on a terminal", AT(no_progress)},
    {"fault-trace", DFOPT_OPTION_FLAG, NULL,
     "Print to standard error where a process died of a fault, such as SIGSEGV",
     AT(fault_trace)},
    DFOPT_OPTION_TITLE("Help", 7),
    DFOPT_OPTION_HELP_ROWS,
    {.name = NULL}};

/* The parts of the table and their destinations. */
struct parts {
    struct dfopt_option_part all[4];
    struct dfopt_options *o;
};

enum { MAIN, LIVE, MOFKA, SWEEP };

/* Looks up the transport by name; the command line overrides the environment. */
static void choose_transport(struct dfopt_options *o)
{
    const char *named = getenv("DFOPTIMIZER_TRANSPORT");
    o->transport_by_default =
        !o->transport_name && !o->n_findings_files && !(named && *named);
    if (!o->transport_name)
        o->transport_name = o->n_findings_files    ? "file"
                            : named && *named != 0 ? named
                                                   : "mofka";
}

static error_t check_transport(struct argp_state *state, const struct parts *p)
{
    struct dfopt_options *o = p->o;
    choose_transport(o);
    error_t e = dfopt_option_word(state, "transport", transports, o->transport_name,
                                  &o->transport);
    const bool file = o->transport == DFOPT_TRANSPORT_FILE;
    if (!e && !file)
        e = dfopt_option_environment(state, &p->all[LIVE]);
    if (!e && !file)
        e = dfopt_live_options_check(state, &o->live);
    if (!e && o->transport == DFOPT_TRANSPORT_ZMQ)
        e = dfopt_live_options_check_zmq(state, &o->live);
    if (!e && o->transport == DFOPT_TRANSPORT_MOFKA)
        e = dfopt_mofka_options_check(state, &o->mofka);
    if (e)
        return e;
    const char *wrong = file && o->n_findings_files == 0 ? "needs --findings-file"
                        : !file && o->n_findings_files ? "takes no --findings-file"
                        : file && o->live.record       ? "has nothing to --record"
                        : file && o->live.metrics_address
                            ? "takes no --metrics-address: it is for a live service"
                            : NULL;
    if (!wrong)
        return 0;
    argp_error(state, "--transport %s %s", o->transport_name, wrong);
    return EINVAL;
}

/* A sweep is a replay in which every rank works by itself. */
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
    return dfopt_option_wrong(state, wrong);
}

/* Log and journal are found by one name, through whichever links. */
static error_t follow_links(struct dfopt_options *o)
{
    const char **paths[] = {&o->decision_log, &o->resume};
    for (size_t i = 0; i < 2; i++) {
        if (!*paths[i])
            continue;
        o->followed[i] = dfopt_path_follow(*paths[i]);
        if (!o->followed[i])
            return ENOMEM;
        *paths[i] = o->followed[i];
    }
    return 0;
}

static error_t check_whole(struct argp_state *state, const struct parts *p)
{
    struct dfopt_options *o = p->o;
    if (o->live.keygen) {
        o->action = DFOPT_ACTION_KEYGEN;
        return 0;
    }
    if (o->policy_check) {
        o->action = DFOPT_ACTION_POLICY_CHECK;
        return 0;
    }
    error_t e = check_transport(state, p);
    if (!e)
        e = follow_links(o);
    if (e)
        return e;
    const char *wrong = NULL;
    if (o->plans_file && o->final_state_file && strcmp(o->plans_file, "-") == 0 &&
        strcmp(o->final_state_file, "-") == 0)
        wrong = "--plans-file and --final-state cannot both go to standard output";
    else if (o->resume && o->decision_log &&
             strcmp(o->resume, o->decision_log) != 0)
        wrong =
            "--resume goes on in its log: --decision-log cannot be another file";
    else if (o->live.endpoints_file && o->transport != DFOPT_TRANSPORT_ZMQ)
        wrong = "--endpoints-file is for --transport zmq";
    else if (o->allow_policy_change && !o->resume)
        wrong = "--allow-policy-change is for --resume";
    else if (o->preset == DFOPT_PRESET_UPSTREAM && o->acks == DFOPT_ACKS_ASSUMED)
        wrong = "--compat upstream has explicit acks only";
    if (o->resume)
        o->decision_log = o->resume;
    return wrong ? dfopt_option_wrong(state, wrong) : check_sweep(state, o);
}

static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
    const struct dfopt_option_line *line = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        argp_error(state,
                   "unexpected argument '%s'; give inputs with --findings-file",
                   arg);
        return EINVAL;
    case ARGP_KEY_END:
        return line->answered ? 0 : check_whole(state, line->arg);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum dfopt_err dfopt_options_parse(int argc, char **argv, struct dfopt_options *out)
{
    struct parts p = {
        .all = {[MAIN] = {.rows = table, .into = out},
                [LIVE] = {dfopt_live_options, &out->live, .group = 3},
                [MOFKA] = {dfopt_mofka_options, &out->mofka, .group = 3},
                [SWEEP] = {dfopt_sweep_options, &out->sweep, .group = 5}},
        .o = out};
    struct dfopt_option_line line = {.parts = p.all,
                                     .n_parts = sizeof p.all / sizeof *p.all,
                                     .doc = doc,
                                     .flags = ARGP_NO_EXIT,
                                     .version = "dfopt-mpi " DFOPT_VERSION,
                                     .rest = parse_rest,
                                     .arg = &p};
    *out = (struct dfopt_options){
        .relay_hostname = "",
        .max_record_bytes = 1 << 20,
        .log_detail = DFOPT_DETAIL_FINDINGS,
        .log_compression = 1,
        .log_flush_ms = 1000,
        .log_level = DFOPT_LOG_INFO,
    };
    dfopt_live_options_init(&out->live);
    dfopt_mofka_options_init(&out->mofka);
    dfopt_sweep_options_init(&out->sweep);
    error_t e = dfopt_option_environment(NULL, &p.all[MAIN]);
    if (!e)
        e = dfopt_option_environment(NULL, &p.all[MOFKA]);
    if (!e)
        e = dfopt_option_parse(&line, argc, argv);
    if (line.answered)
        out->action = DFOPT_ACTION_NONE;
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
    for (size_t i = 0; i < 2; i++)
        free(o->followed[i]);
    free(o->findings_files);
    o->findings_files = NULL;
}
