/* Mofka options of the live service: part of dfopt-mpi's table. Names, defaults and
 * variables are those of DFOptimizer 0.1.0 (main.py). */
#include "cmd/mpi/mofka_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GLOBAL_PLANS "global_plans"
#define COPIES_MAX   1024

#define AT(member) DFOPT_OPTION_AT(struct dfopt_mofka_options, member)

const struct dfopt_option dfopt_mofka_options[] = {
    DFOPT_OPTION_TITLE("Live service over Mofka", 1),
    {"group-file", DFOPT_OPTION_TEXT, "FILE",
     "Read the group file of the Mofka service from FILE (default "
     "mofka.group.json)",
     AT(group_file), .env = "MOFKA_GROUP_FILE"},
    {"input-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read findings from TOPIC (default diagnosis.findings)", AT(input_topic),
     .env = "DFOPTIMIZER_INPUT_TOPIC"},
    {"output-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Write plans to TOPIC (default optimizer.plans). global_plans makes this a "
     "global optimizer, which sends each plan DFOPTIMIZER_GLOBAL_PLAN_FANOUT times",
     AT(output_topic), .env = "DFOPTIMIZER_OUTPUT_TOPIC"},
    {"registry-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read registrations of knobs from TOPIC (default optimizer.registry)",
     AT(registry_topic), .env = "DFOPTIMIZER_REGISTRY_TOPIC"},
    {"acks-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read acknowledgements from TOPIC (default optimizer_acks)", AT(acks_topic)},
    {"objectives-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read objectives, such as samples/s in a window, from TOPIC (default "
     "optimizer.objectives, if it exists)",
     AT(objectives_topic)},
    {"control-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read commands, as dfopt-ctl sends them, from TOPIC; anyone who can write "
     "there can issue commands",
     AT(control_topic)},
    {"consumer-name", DFOPT_OPTION_TEXT, "NAME",
     "Consume topics under NAME; a service continues where the last one of its "
     "name "
     "stopped (default: dfopt-mpi. and the input topic)",
     AT(consumer_name), .env = "DFOPTIMIZER_CONSUMER_NAME"},
    {"no-registry", DFOPT_OPTION_FLAG, NULL,
     "Read neither registrations nor acknowledgements", AT(no_registry)},
    {"global-group-file", DFOPT_OPTION_TEXT, "FILE",
     "Forward the plans of a global optimizer, whose Mofka service has the group "
     "file FILE",
     AT(global_group_file)},
    {"global-input-topic", DFOPT_OPTION_TEXT, "TOPIC",
     "Read the plans of the global optimizer from TOPIC (default global_plans)",
     AT(global_input_topic)},
    {"relay-only", DFOPT_OPTION_FLAG, NULL,
     "Read no findings; only forward the plans of the global optimizer",
     AT(relay_only), .env = "DFOPTIMIZER_RELAY_ONLY"},
    {"broker-timeout", DFOPT_OPTION_SECONDS, "SECONDS",
     "Exit when the broker has not answered for SECONDS (default 10)",
     AT(broker_timeout_ms), .hi = 3600, .scale = 1000},
    {.name = NULL}};

void dfopt_mofka_options_init(struct dfopt_mofka_options *o)
{
    *o = (struct dfopt_mofka_options){
        .group_file = "mofka.group.json",
        .input_topic = "diagnosis.findings",
        .output_topic = "optimizer.plans",
        .registry_topic = "optimizer.registry",
        .acks_topic = "optimizer_acks",
        .consumer_name = "",
        .global_input_topic = GLOBAL_PLANS,
        .copies = 1,
        .broker_timeout_ms = 10000,
    };
}

/* Number of copies of a global optimizer's plans: what the environment says. */
static error_t take_copies(struct argp_state *state, struct dfopt_mofka_options *o)
{
    char *end;
    if (strcmp(o->output_topic, GLOBAL_PLANS) != 0)
        return 0;
    const char *text = getenv("DFOPTIMIZER_GLOBAL_PLAN_FANOUT");
    if (!text || !*text)
        return 0;
    const long n = strtol(text, &end, 10);
    if (*end || n > COPIES_MAX) {
        argp_error(state,
                   "DFOPTIMIZER_GLOBAL_PLAN_FANOUT takes a whole number up to %d, "
                   "not '%s'",
                   COPIES_MAX, text);
        return EINVAL;
    }
    o->copies = n > 1 ? (int)n : 1;
    return 0;
}

/* Whether two names may be the same topic: _ replaces dots where not allowed. */
static bool same_topic(const char *a, const char *b)
{
    while (*a && (*a == '.' ? '_' : *a) == (*b == '.' ? '_' : *b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The input option that names the output as well; NULL: none. */
static const char *own_input(const struct dfopt_mofka_options *o)
{
    const char *objectives =
        o->objectives_topic ? o->objectives_topic : DFOPT_MOFKA_OBJECTIVES_TOPIC;
    const struct {
        const char *option, *topic;
        bool read;
    } inputs[] = {{"--input-topic", o->input_topic, !o->relay_only},
                  {"--registry-topic", o->registry_topic, !o->no_registry},
                  {"--acks-topic", o->acks_topic, !o->no_registry},
                  {"--objectives-topic", objectives, !o->relay_only},
                  {"--control-topic", o->control_topic, o->control_topic}};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i].read && same_topic(o->output_topic, inputs[i].topic))
            return inputs[i].option;
    return NULL;
}

error_t dfopt_mofka_options_check(struct argp_state *state,
                                  struct dfopt_mofka_options *o)
{
    const bool global = o->global_group_file && *o->global_group_file;
    const char *wrong = NULL;
    if (o->relay_only && !global)
        wrong = "--relay-only needs --global-group-file";
    else if (!*o->output_topic)
        wrong = "--output-topic needs a name";
    else if (!o->relay_only && !*o->input_topic)
        wrong = "--input-topic needs a name";
    else if (o->broker_timeout_ms < 100)
        wrong = "--broker-timeout takes 0.1 seconds or more";
    else if (global && strcmp(o->output_topic, o->global_input_topic) == 0 &&
             strcmp(o->group_file, o->global_group_file) == 0)
        wrong = "--output-topic and --global-input-topic are the same: plans would "
                "go in circles";
    const char *input = wrong ? NULL : own_input(o);
    if (input) {
        argp_error(state,
                   "--output-topic and %s are the same, %s: plans would be read "
                   "as input",
                   input, o->output_topic);
        return EINVAL;
    }
    return wrong ? dfopt_option_wrong(state, wrong) : take_copies(state, o);
}
