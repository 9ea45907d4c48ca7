/* The commands of dfopt-ctl. */
#ifndef DFOPT_CMD_CTL_COMMANDS_H
#define DFOPT_CMD_CTL_COMMANDS_H

#include "cmd/ctl/ask.h"

#define CTL_ARGS_MAX 4

enum { CTL_EXIT_FAILED = 1 }; /* refused, no answer, or not printed */

/* A parsed command line. Initialise with {.line = ...}; ctl_free. */
struct ctl {
    struct ctl_line line;
    bool json, restore;
    int64_t until; /* negative: not given */
    const char *arg[CTL_ARGS_MAX];
    int n_args;
    struct dfopt_buf request, answer; /* private */
    struct dfopt_error err;           /* private */
};

/* Runs the command named by arg[0] and prints its result. Returns an exit code. */
int ctl_run(struct ctl *c);

void ctl_free(struct ctl *c);

#endif
