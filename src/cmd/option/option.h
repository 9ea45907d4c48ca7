/* Option tables for every program: a row has an option's name, its value, where to
 * store that value, and the --help text, which the manual page repeats. Parsing (by
 * argp), --help (help.c) and shell completion use the rows. Mistakes are usage
 * errors that name the option. */
#ifndef DFOPT_CMD_OPTION_OPTION_H
#define DFOPT_CMD_OPTION_OPTION_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DFOPT_USAGE_EXIT 2 /* the exit code of a usage error, in every program */

enum dfopt_option_kind {
    DFOPT_OPTION_TITLE,  /* a heading of --help */
    DFOPT_OPTION_FLAG,   /* takes no value; stores true */
    DFOPT_OPTION_SET,    /* takes no value; stores lo */
    DFOPT_OPTION_TEXT,   /* const char *, borrowed */
    DFOPT_OPTION_NUMBER, /* an integer in [lo, hi], of any width */
    DFOPT_OPTION_COUNT,  /* uint64_t up to hi; hi 0: no limit */
    DFOPT_OPTION_REAL,   /* a number in [lo, hi]: double, or int64_t: times scale */
    DFOPT_OPTION_SECONDS, /* the same in seconds, or a word that stores -1 */
    DFOPT_OPTION_WORD,    /* one of the words: its index */
    DFOPT_OPTION_WORDS,   /* may be repeated: uint32_t, one bit per index */
    DFOPT_OPTION_CALL     /* handled by `call`; takes a text if it has a metavar */
};

/* Returns 0, EINVAL (reported) or ENOMEM. `text` is NULL if the option takes no
 * value; `into` is the row's member, or the whole struct. */
typedef error_t (*dfopt_option_call)(struct argp_state *state, const char *text,
                                     void *into);

struct dfopt_option {
    const char *name; /* NULL: a title, or the end of the table */
    enum dfopt_option_kind kind;
    const char *metavar; /* of the value; NULL: takes no value */
    const char *help;
    int key;             /* its letter, or 0 */
    size_t offset, size; /* of the member: DFOPT_OPTION_AT */
    int64_t lo, hi;
    double scale;             /* REAL and SECONDS; 0: stores a double */
    const char *const *words; /* the last is NULL */
    const char *env;          /* variable with its value; empty counts as unset */
    bool needed;              /* required */
    dfopt_option_call call;
};

#define DFOPT_OPTION_AT(type, member)                                              \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Titles number the groups of --help in ascending order, below
 * DFOPT_OPTION_GROUPS. */
#define DFOPT_OPTION_GROUPS 128
#define DFOPT_OPTION_TITLE(text, group)                                            \
    {                                                                              \
        .help = (text), .key = (group)                                             \
    }

/* --help, --usage and --version; put them in the first part of a line. */
#define DFOPT_OPTION_HELP_ROW(name, letter, text)                                  \
    {                                                                              \
#name, DFOPT_OPTION_CALL, NULL, text, letter,                              \
            .call = dfopt_option_show_##name                                       \
    }
#define DFOPT_OPTION_HELP_ROWS                                                     \
    DFOPT_OPTION_HELP_ROW(help, '?', "Print this help and exit"),                  \
        DFOPT_OPTION_HELP_ROW(usage, 'U', "Print a short usage message and exit"), \
        DFOPT_OPTION_HELP_ROW(version, 'V', "Print the version and exit")

error_t dfopt_option_show_help(struct argp_state *state, const char *text,
                               void *into);
error_t dfopt_option_show_usage(struct argp_state *state, const char *text,
                                void *into);
error_t dfopt_option_show_version(struct argp_state *state, const char *text,
                                  void *into);

#define DFOPT_OPTION_ROWS_MAX  64
#define DFOPT_OPTION_PARTS_MAX 4

/* A table, and the struct that receives its values. */
struct dfopt_option_part {
    const struct dfopt_option *rows; /* ends at a row without name and help */
    void *into;
    int group;      /* in --help, where it follows the first part's group */
    uint64_t given; /* bits by row: given on the command line */
};

/* A command line. Zero-initialise. */
struct dfopt_option_line {
    struct dfopt_option_part *parts;
    size_t n_parts;
    const char *doc; /* for --help: before the options, and after \v behind them */
    const char *args_doc; /* as argp's, or NULL */
    unsigned flags;       /* for argp_parse, besides ARGP_NO_HELP */
    const char *version;  /* the line that --version prints */
    /* Takes arguments (ARGP_KEY_ARG) and checks the whole line (ARGP_KEY_END); may
     * be NULL. state->input is this line. */
    argp_parser_t rest;
    void *arg;     /* for rest */
    bool answered; /* by --help, --usage or --version: nothing left to do */
};

/* Parses a command line. Returns 0; with ARGP_NO_EXIT in flags also EINVAL
 * (reported) or ENOMEM; without it a mistake ends the program. */
error_t dfopt_option_parse(struct dfopt_option_line *line, int argc, char **argv);

/* Reads the variables of rows not given on the command line. Returns 0 or EINVAL
 * (reported). `state` may be NULL if no value can be invalid. */
error_t dfopt_option_environment(struct argp_state *state,
                                 const struct dfopt_option_part *part);

/* Parses one of a few words (the last is NULL) to its index: an int or an
 * enumeration. Returns 0, or EINVAL (reported with the option's name). */
error_t dfopt_option_word(struct argp_state *state, const char *name,
                          const char *const *words, const char *text, void *index);

/* Reports an error, if any (NULL: none). Returns 0, or EINVAL. */
error_t dfopt_option_wrong(struct argp_state *state, const char *wrong);

#endif
