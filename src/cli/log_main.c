/* dfopt-log: looks into decision logs. This file holds the command line and
 * the command `check`; the other commands have a file each. */
#include "cli/log.h"

#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"dump", log_dump}, {"summary", log_summary}, {"check", log_check}};

/* ---- check ---- */

#define CHECK_BLOCK 1024
#define CHECK_BYTES 65536

static const struct {
    enum dfopt_declog_table table;
    size_t row_size;
} tables[] = {
    {DFOPT_TABLE_FINDINGS, sizeof(struct dfopt_declog_finding_row)},
    {DFOPT_TABLE_REJECTS, sizeof(struct dfopt_declog_reject_row)},
    {DFOPT_TABLE_VERDICTS, sizeof(struct dfopt_verdict_row)},
    {DFOPT_TABLE_PLANS, sizeof(struct dfopt_declog_plan_row)},
    {DFOPT_TABLE_ACKS, sizeof(struct dfopt_declog_ack_row)},
    {DFOPT_TABLE_REGISTRATIONS, sizeof(struct dfopt_declog_registration_row)},
    {DFOPT_TABLE_KNOBS, sizeof(struct dfopt_declog_knob_row)},
    {DFOPT_TABLE_KNOB_VALUES, sizeof(struct dfopt_declog_knob_value_row)},
    {DFOPT_TABLE_RESPONSES, sizeof(struct dfopt_declog_response_row)},
    {DFOPT_TABLE_GLOBAL_PLANS, sizeof(struct dfopt_relay_row)},
    {DFOPT_TABLE_SUPPRESSIONS, sizeof(struct dfopt_suppression_row)},
};

static enum dfopt_err read_table(struct dfopt_declog_reader *r, size_t which,
                                 uint64_t *rows, struct dfopt_error *err)
{
    struct log_cursor c;
    const void *row = NULL;
    enum dfopt_err e =
        log_cursor_init(&c, r, tables[which].table, tables[which].row_size);
    do {
        if (!e)
            e = log_cursor_row(&c, &row, err);
        c.next = c.end;
    } while (!e && row);
    *rows += dfopt_declog_reader_rows(r, tables[which].table);
    log_cursor_free(&c);
    return e;
}

static enum dfopt_err read_pool(struct dfopt_declog_reader *r,
                                enum dfopt_declog_pool pool,
                                struct dfopt_error *err)
{
    uint64_t n = dfopt_declog_reader_run(r)->last.pool[pool];
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t at = 0; !e && at < n; at += CHECK_BYTES) {
        const char *bytes;
        uint64_t end = n - at < CHECK_BYTES ? n : at + CHECK_BYTES;
        e = dfopt_declog_reader_text(r, pool, (struct dfopt_declog_text){at, end},
                                     &bytes, err);
    }
    return e;
}

static int check(const char *path)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    uint64_t rows = 0;
    struct dfopt_declog_reader *r = log_open(path);
    if (!r)
        return CHECK_UNREADABLE;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < sizeof tables / sizeof *tables; i++)
        e = read_table(r, i, &rows, &err);
    for (uint32_t p = DFOPT_POOL_RATIONALE; !e && p < DFOPT_POOL_COUNT; p++)
        e = read_pool(r, p, &err);
    bool complete = dfopt_declog_reader_run(r)->complete;
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&err, e, "%s: out of memory", path);
    if (e)
        log_trouble(&err);
    else
        printf("%s: %s: %" PRIu64 " events, %" PRIu64 " rows, %" PRIu64
               " commits\n",
               path,
               complete ? "complete"
                        : "not complete: still being written, or its writer was "
                          "stopped; readable up to its last commit",
               dfopt_declog_reader_run(r)->last.at.next_seq, rows,
               dfopt_declog_reader_run(r)->commits);
    dfopt_declog_reader_close(r);
    if (e)
        return CHECK_UNREADABLE;
    return complete ? CHECK_COMPLETE : CHECK_INCOMPLETE;
}

static error_t parse_check(int key, char *text, struct argp_state *state)
{
    const char **path = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*path)
            argp_error(state, "one FILE only");
        *path = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no FILE given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int log_check(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_check,
        .args_doc = "FILE",
        .doc = "Says whether a decision log is whole; reads all of it.\v"
               "Exit status: 0 complete, 1 readable but not complete, 2 not "
               "readable."};
    const char *path = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &path);
    return check(path);
}

/* ---- the command line ---- */

struct choice {
    const struct command *command;
    int at; /* its place in argv */
};

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
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
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
            "being written, or one whose writer was killed.\v"
            "Commands:\n"
            "  dump       every row as JSON, one a line, in the order of events\n"
            "  summary    the run, what was decided and why, on one screen\n"
            "  check      whether the log is whole\n\n"
            "`dfopt-log COMMAND --help` tells a command's options.\n"
            "Exit status: 0 fine, 1 trouble with the file (check: see there), 64 "
            "wrong usage."};
    char name[64];
    struct choice choice = {.command = NULL};
    argp_program_version_hook = print_version;
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is seen by log_write */
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    snprintf(name, sizeof name, "dfopt-log %s", choice.command->name);
    argv[choice.at] = name;
    return choice.command->run(argc - choice.at, argv + choice.at);
}
