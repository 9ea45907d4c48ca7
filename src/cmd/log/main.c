/* dfopt-log: inspects decision logs. Each command has its own file. */
#include "base/standard.h"
#include "cmd/log/common.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} commands[] = {
#define DL_COMMAND_ROW(name, text) {#name, text, dl_##name},
    DL_COMMAND_LIST(DL_COMMAND_ROW)
#undef DL_COMMAND_ROW
};
#define COMMANDS (sizeof commands / sizeof *commands)

struct choice {
    const struct command *command;
    int at; /* its index in argv */
};

static const char doc[] = "Reads a decision log of dfopt-mpi: finished, still "
                          "being written, or left by a "
                          "killed run.\n\n"
                          "Commands:\n"
#define DL_COMMAND_LINE(name, text) "  " #name "\t" text "\n"
    DL_COMMAND_LIST(DL_COMMAND_LINE)
#undef DL_COMMAND_LINE
        "\v"
        "`dfopt-log COMMAND --help' lists the options of a command.\n\n"
        "Exit status (diff, follow and check list their own):\n"
        "  0\tsuccess\n"
        "  1\tunreadable file\n"
        "  2\tusage error\n";

static const struct dfopt_option options[] = {DFOPT_OPTION_HELP_ROWS,
                                              {.name = NULL}};

static error_t parse_command(int key, char *text, struct argp_state *state)
{
    struct choice *choice = ((struct dfopt_option_line *)state->input)->arg;
    switch (key) {
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < COMMANDS; i++)
            if (strcmp(commands[i].name, text) == 0)
                choice->command = &commands[i];
        if (!choice->command)
            argp_error(state, "unknown command '%s'; dfopt-log --help lists them",
                       text);
        choice->at = state->next - 1;
        state->next = state->argc; /* the rest belongs to the command */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no command given; dfopt-log --help lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    char name[64];
    struct choice choice = {.command = NULL};
    struct dfopt_option_part part = {.rows = options};
    struct dfopt_option_line line = {.parts = &part,
                                     .n_parts = 1,
                                     .doc = doc,
                                     .args_doc = "COMMAND [OPTION...] FILE",
                                     .flags = ARGP_IN_ORDER,
                                     .version = DL_VERSION,
                                     .rest = parse_command,
                                     .arg = &choice};
    dfopt_standard_open();
    signal(SIGXFSZ, SIG_IGN); /* make it a write error */
    signal(SIGPIPE, SIG_IGN); /* dl_print_flush detects a closed pipe */
    dfopt_option_parse(&line, argc, argv);
    snprintf(name, sizeof name, "dfopt-log %s", choice.command->name);
    argv[choice.at] = name;
    return choice.command->run(argc - choice.at, argv + choice.at);
}
