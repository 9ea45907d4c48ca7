/* --knob, --node, --tag and --window: which rows a command is asked for. */
#ifndef DFOPT_CMD_LOG_FILTER_H
#define DFOPT_CMD_LOG_FILTER_H

#include "cmd/log/job.h"

struct log_filter {
    const char *knob, *node, *tag;         /* NULL: any */
    bool windows;                          /* --window was given */
    int64_t from, to;                      /* windows */
    dfopt_sym knob_sym, node_sym, tag_sym; /* log_filter_resolve; none: any */
};

/* Lines of a table of argp options. A node of "" is the whole job. */
#define LOG_OPTION_KNOB                                                            \
    {                                                                              \
        "knob", 'k', "KNOB", 0, "Of this knob", 0                                  \
    }
#define LOG_OPTION_NODE                                                            \
    {                                                                              \
        "node", 'n', "NODE", 0, "Of this node; '' is the whole job", 0             \
    }
#define LOG_OPTION_TAG                                                             \
    {                                                                              \
        "tag", 't', "TAG", 0, "For this opportunity tag", 0                        \
    }
#define LOG_OPTION_WINDOW                                                          \
    {                                                                              \
        "window", 'w', "A:B", 0,                                                   \
            "From window A to window B; A:, :B and A alone are understood", 0      \
    }

/* Takes an option of the above. Returns ARGP_ERR_UNKNOWN for any other key. */
error_t log_filter_option(struct log_filter *f, int key, char *text,
                          struct argp_state *state);

/* Looks up the names in the log's dictionary. Returns ARG, with an error that
 * lists the log's knobs where it is the knob that is not there. */
enum dfopt_err log_filter_resolve(struct log_filter *f, struct log_job *j);

bool log_filter_window(const struct log_filter *f, int64_t window);

/* Whether a plan is for a node that is asked for: a plan for some nodes is for
 * each of them. */
bool log_filter_plan(const struct log_filter *f, const struct dfopt_dict *dict,
                     const struct dfopt_plan *p);

/* "knob K on node N, windows A to B", as far as it was asked for. */
void log_filter_describe(const struct log_filter *f, struct log_print *p);

#endif
