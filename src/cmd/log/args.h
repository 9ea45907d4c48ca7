/* The command line of a dfopt-log command: FILE and the options that all of
 * them have, beside the command's own. */
#ifndef DFOPT_CMD_LOG_ARGS_H
#define DFOPT_CMD_LOG_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_FILES_MAX 2

struct log_args {
    size_t n_files; /* set before parsing: how many FILEs the command takes */
    const char *file[LOG_FILES_MAX];
    bool json;
    bool color; /* stdout is to be coloured */
};

/* Parses a command's line. `own` has the command's options, doc and args_doc;
 * its parser gets `input` (as state->input) and leaves FILE, --json and --color
 * to this. Ends the program at a mistake, said with the option's name, and
 * after --help. */
void log_args_parse(struct log_args *a, const struct argp *own, void *input,
                    int argc, char **argv);

/* A number from 0 to max. A mistake names the option and ends the program. */
uint64_t log_args_number(struct argp_state *state, const char *option,
                         const char *text, uint64_t max);

#endif
