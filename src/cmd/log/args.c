/* Parsing by argp: the command's parser is a child of the common one. */
#include "cmd/log/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_COLOR = 0x400 };

struct parse {
    struct log_args *args;
    size_t found; /* FILEs */
    void *own;    /* the command's input */
};

static const struct argp_option common[] = {
    {0, 0, 0, 0, "All commands", 100},
    {"json", 'j', NULL, 0, "JSON instead of text", 0},
    {"color", KEY_COLOR, "WHEN", 0,
     "Colour the text: never, always, or auto (the default): on a terminal, "
     "unless NO_COLOR is set",
     0},
    {.name = NULL}};

/* https://no-color.org: set and not empty. */
static bool color_by_itself(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) &&
           !(term && strcmp(term, "dumb") == 0);
}

static bool parse_color(struct argp_state *state, const char *when)
{
    if (strcmp(when, "always") == 0)
        return true;
    if (strcmp(when, "auto") == 0)
        return color_by_itself();
    if (strcmp(when, "never") != 0)
        argp_error(state, "--color takes one of never, auto, always, not '%s'",
                   when);
    return false;
}

static error_t parse_common(int key, char *text, struct argp_state *state)
{
    struct parse *p = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = p->own;
        return 0;
    case 'j':
        p->args->json = true;
        return 0;
    case KEY_COLOR:
        p->args->color = parse_color(state, text);
        return 0;
    case ARGP_KEY_ARG:
        if (p->found == p->args->n_files)
            argp_error(state, "one FILE too many: %s", text);
        p->args->file[p->found++] = text;
        return 0;
    case ARGP_KEY_END:
        if (p->found < p->args->n_files)
            argp_error(state, p->found ? "two FILEs are needed" : "no FILE given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void log_args_parse(struct log_args *a, const struct argp *own, void *input,
                    int argc, char **argv)
{
    struct argp child = {.options = own->options, .parser = own->parser};
    const struct argp_child children[] = {{&child, 0, NULL, 0}, {.argp = NULL}};
    const struct argp argp = {.options = common,
                              .parser = parse_common,
                              .args_doc = own->args_doc,
                              .doc = own->doc,
                              .children = children};
    struct parse p = {.args = a, .own = input};
    a->color = color_by_itself();
    argp_parse(&argp, argc, argv, 0, NULL, &p);
}

uint64_t log_args_number(struct argp_state *state, const char *option,
                         const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n > max)
        argp_error(state, "--%s takes a whole number, not '%s'", option, text);
    return n;
}
