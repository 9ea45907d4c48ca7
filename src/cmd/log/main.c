/* dfopt-log: looks into decision logs. The commands have a file each. */
#include "base/standard.h"
#include "cmd/log/commands.h"
#include "cmd/option/option.h"
#include "declog/format.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
    int at; /* its place in argv */
};

/* What --help says behind the options: the commands, one a line. */
static char *help_text(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    struct dfopt_buf b = {0};
    enum dfopt_err e = dfopt_buf_printf(&b, "Commands:\n");
    for (size_t i = 0; !e && i < COMMANDS; i++)
        e = dfopt_buf_printf(&b, "  %-10s %s\n", commands[i].name,
                             commands[i].text);
    if (!e)
        e = dfopt_buf_printf(&b, "%s", text);
    return b.data; /* argp frees it */
}

static void print_version(FILE *out, struct argp_state *state)
{
    (void)state;
    fprintf(out, "dfopt-log %s, decision log format %d\n", DFOPT_VERSION,
            DFOPT_DECLOG_VERSION);
}

static error_t parse_command(int key, char *text, struct argp_state *state)
{
    struct choice *choice = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < COMMANDS; i++)
            if (strcmp(commands[i].name, text) == 0)
                choice->command = &commands[i];
        if (!choice->command)
            argp_error(state, "no such command: %s", text);
        choice->at = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no command given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_command,
        .args_doc = "COMMAND [OPTION...] FILE",
        .doc =
            "Looks into a decision log of dfopt-mpi: a finished one, one that is "
            "being written, or one whose writer was killed.\v\n"
            "`dfopt-log COMMAND --help` tells a command's options.\n"
            "Exit status: 0 fine, 1 trouble with the file (diff and check: see "
            "there), 2 wrong usage.\n",
        .help_filter = help_text};
    char name[64];
    struct choice choice = {.command = NULL};
    argp_err_exit_status = DFOPT_USAGE_EXIT;
    argp_program_version_hook = print_version;
    dfopt_standard_open();
    signal(SIGXFSZ, SIG_IGN); /* an error of a write */
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is seen by dl_print_flush */
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    snprintf(name, sizeof name, "dfopt-log %s", choice.command->name);
    argv[choice.at] = name;
    return choice.command->run(argc - choice.at, argv + choice.at);
}
