/* Options as tables, for every program: a row holds an option's name, the value it
 * takes, where that value is stored, and the text of --help, which its manual page
 * repeats. Parsing (by argp), --help (help.c) and shell completion use the rows. A
 * mistake is reported with the option's name, as a usage error. */
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
    DFOPT_OPTION_NUMBER, /* a whole number in [lo, hi], of any width */
    DFOPT_OPTION_COUNT,  /* uint64_t up to hi; hi 0: any */
    DFOPT_OPTION_REAL,   /* a number in [lo, hi]: double, or int64_t: times scale */
    DFOPT_OPTION_SECONDS, /* the same in seconds, or a word, which stores -1 */
    DFOPT_OPTION_WORD,    /* one of the words: its index */
    DFOPT_OPTION_WORDS,   /* may be repeated: uint32_t, a bit for each index */
    DFOPT_OPTION_CALL     /* as `call` says; a text if it has a metavar */
};

/* 0, or EINVAL (reported), or ENOMEM. `text` is NULL if the option takes none;
 * `into` is the member that the row names, or the whole struct. */
typedef error_t (*dfopt_option_call)(struct argp_state *state, const char *text,
                                     void *into);

struct dfopt_option {
    const char *name; /* NULL: a title, or the end of the table */
    enum dfopt_option_kind kind;
    const char *metavar; /* of the value; NULL: takes none */
    const char *help;
    int key;             /* a letter that stands for it, or 0 */
    size_t offset, size; /* of the member: DFOPT_OPTION_AT */
    int64_t lo, hi;
    double scale;             /* REAL and SECONDS; 0: stores a double */
    const char *const *words; /* the last is NULL */
    const char *env;          /* a variable that holds it; empty counts as unset */
    bool needed;              /* must be there */
    dfopt_option_call call;
};

#define DFOPT_OPTION_AT(type, member)                                              \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Titles number the groups of --help, in ascending order below
 * DFOPT_OPTION_GROUPS. */
#define DFOPT_OPTION_GROUPS 128
#define DFOPT_OPTION_TITLE(text, group)                                            \
    {                                                                              \
        .help = (text), .key = (group)                                             \
    }

/* --help, --usage and --version; in the first part of a line. */
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

/* A table, and the struct that its values go to. */
struct dfopt_option_part {
    const struct dfopt_option *rows; /* up to one without name and help */
    void *into;
    int group;      /* of --help, where it follows the first part's group */
    uint64_t given; /* bits by row: on the command line */
};

/* A command line. Zero-initialise. */
struct dfopt_option_line {
    struct dfopt_option_part *parts;
    size_t n_parts;
    const char *doc; /* for --help: before the options, and after \v behind them */
    const char *args_doc; /* as argp's, or NULL */
    unsigned flags;       /* of argp_parse, beside ARGP_NO_HELP */
    const char *version;  /* the line that --version prints */
    /* Takes arguments (ARGP_KEY_ARG) and checks the whole (ARGP_KEY_END); may be
     * NULL. state->input is this line. */
    argp_parser_t rest;
    void *arg;     /* for rest */
    bool answered; /* --help, --usage or --version: nothing is left to do */
};

/* Reads a command line. 0; EINVAL (reported) or ENOMEM, if flags has
 * ARGP_NO_EXIT, else a mistake ends the program. */
error_t dfopt_option_parse(struct dfopt_option_line *line, int argc, char **argv);

/* Reads the variables of the rows that the command line has not given. 0, EINVAL
 * (reported). `state` may be NULL where no value can be wrong. */
error_t dfopt_option_environment(struct argp_state *state,
                                 const struct dfopt_option_part *part);

/* Reads one of a few words, the last of which is NULL, as its index: an int or an
 * enumeration. 0, or EINVAL (reported with the option's name). */
error_t dfopt_option_word(struct argp_state *state, const char *name,
                          const char *const *words, const char *text, void *index);

/* Reports what is wrong, if anything: NULL is fine. 0, or EINVAL. */
error_t dfopt_option_wrong(struct argp_state *state, const char *wrong);

#endif
