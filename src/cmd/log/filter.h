/* The filters --knob, --node, --tag and --window. */
#ifndef DFOPT_CMD_LOG_FILTER_H
#define DFOPT_CMD_LOG_FILTER_H

#include "cmd/log/common.h"

struct dl_filter {
    const char *knob, *node, *tag;         /* NULL: any */
    bool windows;                          /* --window was given */
    int64_t from, to;                      /* windows */
    dfopt_sym knob_sym, node_sym, tag_sym; /* dl_filter_resolve; none: any */
};

/* Option rows for a struct with a member `filter`. Node "" is the whole job. */
#define DL_OPTION_KNOB(type)                                                       \
    {                                                                              \
        "knob", DFOPT_OPTION_TEXT, "KNOB", "Show only KNOB", 'k',                  \
            DFOPT_OPTION_AT(type, filter.knob)                                     \
    }
#define DL_OPTION_NEEDED_KNOB(type)                                                \
    {                                                                              \
        "knob", DFOPT_OPTION_TEXT, "KNOB", "Show KNOB (required)", 'k',            \
            DFOPT_OPTION_AT(type, filter.knob), .needed = true                     \
    }
#define DL_OPTION_NODE(type)                                                       \
    {                                                                              \
        "node", DFOPT_OPTION_TEXT, "NODE", "Show only NODE; '' is the whole job",  \
            'n', DFOPT_OPTION_AT(type, filter.node)                                \
    }
#define DL_OPTION_TAG(type)                                                        \
    {                                                                              \
        "tag", DFOPT_OPTION_TEXT, "TAG",                                           \
            "Show only plans for the opportunity tag TAG", 't',                    \
            DFOPT_OPTION_AT(type, filter.tag)                                      \
    }
#define DL_OPTION_WINDOW(type)                                                     \
    {                                                                              \
        "window", DFOPT_OPTION_CALL, "A:B",                                        \
            "Show only windows A to B (or A:, :B, A)", 'w',                        \
            DFOPT_OPTION_AT(type, filter), .call = dl_filter_windows               \
    }

error_t dl_filter_windows(struct argp_state *state, const char *text, void *filter);

/* Looks up the names in the log's dictionary. Returns ARG if one is missing; for a
 * knob, the error lists the log's knobs. */
enum dfopt_err dl_filter_resolve(struct dl_filter *f, struct dl_job *j);

bool dl_filter_window(const struct dl_filter *f, int64_t window);

/* Whether a plan is for the filter's node, alone or among others. */
bool dl_filter_plan(const struct dl_filter *f, const struct dfopt_dict *dict,
                    const struct dfopt_plan *p);

/* Appends "knob K on node N, windows A to B", with only the filters given. */
void dl_filter_describe(const struct dl_filter *f, struct dl_print *p);

#endif
