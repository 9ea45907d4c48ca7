/* dfopt-ctl: controls a running dfopt-mpi. Parses options and picks the command. */
#include "base/standard.h"
#include "cmd/ctl/commands.h"
#include "cmd/option/option.h"

#include <stdio.h>

static const char doc[] =
    "Control a dfopt-mpi that runs with --control-address.\n"
    "\n"
    "Commands:\n"
    "  status\tPrint endpoints, rates, modes, values, plans and the last outcomes\n"
    "  plans\tPrint plans in flight and proposals\n"
    "  mode MODE [TARGET]\tSet the mode to auto, advise, shadow or off, for * (all "
    "knobs, the default), tag:NAME or knob:ID\n"
    "  approve PLAN_ID\tMake a proposed plan\n"
    "  reject PLAN_ID\tDrop a proposed plan\n"
    "  freeze\tMake no new plans until thaw or --until-window\n"
    "  thaw\tMake plans again\n"
    "  set KNOB VALUE [NODE]\tSet a knob, for the whole job or NODE; put -- before "
    "a "
    "negative VALUE\n"
    "  restore [NODE]\tRestore the registered values: of the whole job and all "
    "nodes, or of NODE\n"
    "  policy check FILE\tCheck whether the policy in FILE could be put in force\n"
    "  policy apply FILE\tPut the policy in FILE in force\n"
    "  policy show\tPrint the policy in force, as JSON\n"
    "  stop\tStop the service after it has written its results\n"
    "\v"
    "Exit status:\n"
    "  0\tsuccess\n"
    "  1\tcommand refused, or no answer\n"
    "  2\tusage error\n";

#define AT(member) DFOPT_OPTION_AT(struct ctl, member)

static error_t any_client(struct argp_state *state, const char *text, void *into)
{
    (void)state;
    ((struct ctl *)into)->line.curve.client_secret = text;
    return 0;
}

static const struct dfopt_option options[] = {
    {"control-address", DFOPT_OPTION_TEXT, "ENDPOINT",
     "Connect to the service at ENDPOINT, its --control-address", 'a',
     AT(line.endpoint), .env = "DFOPTIMIZER_CONTROL"},
    {"json", DFOPT_OPTION_FLAG, NULL, "Print answers as JSON", 'j', AT(json)},
    {"until-window", DFOPT_OPTION_NUMBER, "WINDOW",
     "With freeze: make no plans until the first finding of WINDOW or a later "
     "window",
     AT(until), .lo = 0, .hi = INT64_C(1) << 53},
    {"restore", DFOPT_OPTION_FLAG, NULL,
     "With stop: restore the registered values first, and wait for the acks as "
     "long "
     "as --restore-at-end says, else 10 s",
     AT(restore)},
    {"timeout", DFOPT_OPTION_SECONDS, "SECONDS",
     "Wait at most SECONDS for an answer (default 10)", AT(line.timeout_ms),
     .hi = 3600, .scale = 1000},
    {"zmq-curve-client-key", DFOPT_OPTION_CALL, "FILE",
     "Connect over tcp with the secret key in FILE", .call = any_client},
    {"zmq-curve-peer-key", DFOPT_OPTION_TEXT, "FILE",
     "Expect the public key in FILE of the service, over tcp",
     AT(line.curve.server_public)},
    DFOPT_OPTION_HELP_ROWS,
    {.name = NULL}};

static error_t rest(int key, char *text, struct argp_state *state)
{
    struct ctl *c = ((struct dfopt_option_line *)state->input)->arg;
    if (key == ARGP_KEY_ARG && c->n_args == CTL_ARGS_MAX)
        argp_error(state, "too many arguments for a command");
    else if (key == ARGP_KEY_ARG)
        c->arg[c->n_args++] = text;
    else if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "no command given; dfopt-ctl --help lists them");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int main(int argc, char **argv)
{
    struct ctl c = {.line = {.timeout_ms = 10000}, .until = -1};
    struct dfopt_option_part part = {.rows = options, .into = &c};
    struct dfopt_option_line line = {.parts = &part,
                                     .n_parts = 1,
                                     .doc = doc,
                                     .args_doc = "COMMAND [ARGUMENT...]",
                                     .version = "dfopt-ctl " DFOPT_VERSION,
                                     .rest = rest,
                                     .arg = &c};
    argp_err_exit_status = DFOPT_USAGE_EXIT;
    dfopt_standard_open();
    if (dfopt_option_parse(&line, argc, argv))
        return DFOPT_USAGE_EXIT;
    if (line.answered)
        return dfopt_standard_flush(0);
    if (dfopt_option_environment(NULL, &part))
        return DFOPT_USAGE_EXIT;
    if (!c.line.endpoint) {
        fprintf(stderr, "dfopt-ctl: no service given; use --control-address "
                        "ENDPOINT or DFOPTIMIZER_CONTROL\n");
        return DFOPT_USAGE_EXIT;
    }
    c.line.use_curve = c.line.curve.client_secret || c.line.curve.server_public;
    const int code = ctl_run(&c);
    ctl_free(&c);
    return dfopt_standard_flush(code);
}
