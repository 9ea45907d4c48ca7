/* Options of the live service over Mofka, as an argp child of those of dfopt-mpi.
 * Names, defaults and variables are those of DFOptimizer 0.1.0 (main.py). */
#include "cmd/mpi/mofka_options.h"

#include "cmd/mpi/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GLOBAL_PLANS "global_plans"
#define COPIES_MAX   1024

enum key {
    KEY_GROUP_FILE = 0x300,
    KEY_INPUT_TOPIC,
    KEY_OUTPUT_TOPIC,
    KEY_REGISTRY_TOPIC,
    KEY_ACKS_TOPIC,
    KEY_CONSUMER_NAME,
    KEY_NO_REGISTRY,
    KEY_GLOBAL_GROUP_FILE,
    KEY_GLOBAL_INPUT_TOPIC,
    KEY_RELAY_ONLY,
    KEY_BROKER_TIMEOUT
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Live service over Mofka", 1},
    {"group-file", KEY_GROUP_FILE, "FILE", 0,
     "Group file of the Mofka service (default: MOFKA_GROUP_FILE, or "
     "mofka.group.json)",
     0},
    {"input-topic", KEY_INPUT_TOPIC, "TOPIC", 0,
     "Where findings come from (default: DFOPTIMIZER_INPUT_TOPIC, or "
     "diagnosis.findings)",
     0},
    {"output-topic", KEY_OUTPUT_TOPIC, "TOPIC", 0,
     "Where plans go (default: DFOPTIMIZER_OUTPUT_TOPIC, or optimizer.plans); "
     "global_plans makes this a global optimizer, which sends each plan "
     "DFOPTIMIZER_GLOBAL_PLAN_FANOUT times",
     0},
    {"registry-topic", KEY_REGISTRY_TOPIC, "TOPIC", 0,
     "Where registrations of knobs come from (default: DFOPTIMIZER_REGISTRY_TOPIC, "
     "or optimizer.registry)",
     0},
    {"acks-topic", KEY_ACKS_TOPIC, "TOPIC", 0,
     "Where acknowledgements come from (default optimizer_acks)", 0},
    {"consumer-name", KEY_CONSUMER_NAME, "NAME", 0,
     "Under this name the service goes on where it left off (default: "
     "DFOPTIMIZER_CONSUMER_NAME, or dfopt-mpi. and the topic)",
     0},
    {"no-registry", KEY_NO_REGISTRY, 0, 0,
     "Read neither registrations nor acknowledgements", 0},
    {"global-group-file", KEY_GLOBAL_GROUP_FILE, "FILE", 0,
     "Group file of the Mofka service of a global optimizer, whose plans are "
     "passed on",
     0},
    {"global-input-topic", KEY_GLOBAL_INPUT_TOPIC, "TOPIC", 0,
     "Where its plans come from (default " GLOBAL_PLANS ")", 0},
    {"relay-only", KEY_RELAY_ONLY, 0, 0,
     "Read no findings, pass on the plans of the global optimizer only (default: "
     "DFOPTIMIZER_RELAY_ONLY=1)",
     0},
    {"broker-timeout", KEY_BROKER_TIMEOUT, "SECONDS", 0,
     "A broker that does not answer for so long is gone: the service ends (default "
     "10)",
     0},
    {0, 0, 0, 0, 0, 0},
};

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
    struct dfopt_mofka_options *o = state->input;
    switch (key) {
    case KEY_GROUP_FILE:
        o->group_file = arg;
        return 0;
    case KEY_INPUT_TOPIC:
        o->input_topic = arg;
        return 0;
    case KEY_OUTPUT_TOPIC:
        o->output_topic = arg;
        return 0;
    case KEY_REGISTRY_TOPIC:
        o->registry_topic = arg;
        return 0;
    case KEY_ACKS_TOPIC:
        o->acks_topic = arg;
        return 0;
    case KEY_CONSUMER_NAME:
        o->consumer_name = arg;
        return 0;
    case KEY_NO_REGISTRY:
        o->no_registry = true;
        return 0;
    case KEY_GLOBAL_GROUP_FILE:
        o->global_group_file = arg;
        return 0;
    case KEY_GLOBAL_INPUT_TOPIC:
        o->global_input_topic = arg;
        return 0;
    case KEY_RELAY_ONLY:
        o->relay_only = true;
        return 0;
    case KEY_BROKER_TIMEOUT:
        return dfopt_option_seconds(state, "broker-timeout", arg, 3600,
                                    &o->broker_timeout_ms);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dfopt_mofka_argp = {.options = table, .parser = parse_one};

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

void dfopt_mofka_options_init(struct dfopt_mofka_options *o)
{
    const char *relay_only = from_environment("DFOPTIMIZER_RELAY_ONLY", "");
    *o = (struct dfopt_mofka_options){
        .group_file = from_environment("MOFKA_GROUP_FILE", "mofka.group.json"),
        .input_topic =
            from_environment("DFOPTIMIZER_INPUT_TOPIC", "diagnosis.findings"),
        .output_topic =
            from_environment("DFOPTIMIZER_OUTPUT_TOPIC", "optimizer.plans"),
        .registry_topic =
            from_environment("DFOPTIMIZER_REGISTRY_TOPIC", "optimizer.registry"),
        .acks_topic = "optimizer_acks",
        .consumer_name = from_environment("DFOPTIMIZER_CONSUMER_NAME", ""),
        .global_input_topic = GLOBAL_PLANS,
        .relay_only = strcmp(relay_only, "1") == 0,
        .copies = 1,
        .broker_timeout_ms = 10000,
    };
}

/* A global optimizer's plans are for so many: what the environment says. */
static error_t take_copies(struct argp_state *state, struct dfopt_mofka_options *o)
{
    char *end;
    if (strcmp(o->output_topic, GLOBAL_PLANS) != 0)
        return 0;
    const char *text = from_environment("DFOPTIMIZER_GLOBAL_PLAN_FANOUT", "1");
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
    if (!wrong)
        return take_copies(state, o);
    argp_error(state, "%s", wrong);
    return EINVAL;
}
