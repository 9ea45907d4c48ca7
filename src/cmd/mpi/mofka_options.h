/* Mofka options of the live service: group files, topics, names. Part of
 * dfopt-mpi's command line (options.h), where they are checked with the rest. */
#ifndef DFOPT_CMD_MPI_MOFKA_OPTIONS_H
#define DFOPT_CMD_MPI_MOFKA_OPTIONS_H

#include "cmd/option/option.h"

#define DFOPT_MOFKA_OBJECTIVES_TOPIC "optimizer.objectives"

struct dfopt_mofka_options {
    const char *group_file;
    const char *input_topic, *output_topic, *registry_topic, *acks_topic;
    const char *control_topic;     /* NULL or "": commands are not read */
    const char *objectives_topic;  /* NULL: the default topic if it exists */
    const char *consumer_name;     /* "": from the topic */
    bool no_registry;              /* read neither registrations nor acks */
    const char *global_group_file; /* NULL or "": no global optimizer */
    const char *global_input_topic;
    bool relay_only;
    int copies; /* how often to send each plan */
    int64_t broker_timeout_ms;
};

/* The table, and the defaults. */
extern const struct dfopt_option dfopt_mofka_options[];
void dfopt_mofka_options_init(struct dfopt_mofka_options *o);

/* Checks them as a whole. Returns 0, or EINVAL (reported). */
error_t dfopt_mofka_options_check(struct argp_state *state,
                                  struct dfopt_mofka_options *o);

#endif
