/* Rows become argp options when a line is parsed; a key without a letter is the
 * row's number. */
#include "cmd/option/help.h"

#include "base/standard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_ROW   0x100
#define KEY_WORDS 0x200 /* for completion: lists the words of each option */

static bool is_row(const struct dfopt_option *o)
{
    return o->name || o->help;
}

/* ---- values ---- */

static error_t store(const struct dfopt_option *o, void *into, int64_t v)
{
    void *at = (char *)into + o->offset;
    const uint32_t narrow = (uint32_t)v;
    const bool flag = v != 0;
    if (o->size == sizeof v)
        memcpy(at, &v, sizeof v);
    else if (o->size == sizeof narrow)
        memcpy(at, &narrow, sizeof narrow);
    else
        memcpy(at, &flag, sizeof flag);
    return 0;
}

static error_t read_number(struct argp_state *state, const struct dfopt_option *o,
                           const char *text, void *into)
{
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && v >= o->lo && v <= o->hi)
        return store(o, into, v);
    argp_error(state, "--%s takes a whole number from %lld to %lld, not '%s'",
               o->name, (long long)o->lo, (long long)o->hi, text);
    return EINVAL;
}

static error_t read_count(struct argp_state *state, const struct dfopt_option *o,
                          const char *text, void *into)
{
    char *end;
    errno = 0;
    const uint64_t n = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno &&
        (o->hi == 0 || n <= (uint64_t)o->hi))
        return store(o, into, (int64_t)n);
    argp_error(state, "--%s takes a whole number, not '%s'", o->name, text);
    return EINVAL;
}

static error_t read_real(struct argp_state *state, const struct dfopt_option *o,
                         const char *text, void *into)
{
    char *end;
    const double v = strtod(text, &end);
    if (o->words && strcmp(text, o->words[0]) == 0)
        return store(o, into, -1);
    if (end == text || *end || !(v >= (double)o->lo && v <= (double)o->hi)) {
        argp_error(state, "--%s takes %s from %lld to %lld, not '%s'", o->name,
                   o->kind == DFOPT_OPTION_SECONDS ? "seconds" : "a number",
                   (long long)o->lo, (long long)o->hi, text);
        return EINVAL;
    }
    if (o->scale > 0)
        return store(o, into, (int64_t)(v * o->scale));
    memcpy((char *)into + o->offset, &v, sizeof v);
    return 0;
}

error_t dfopt_option_word(struct argp_state *state, const char *name,
                          const char *const *words, const char *text, void *index)
{
    char list[400] = "";
    size_t len = 0;
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            memcpy(index, &i, sizeof i);
            return 0;
        }
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
                                i ? ", " : "", words[i]);
    }
    argp_error(state, "--%s takes one of %s, not '%s'", name, list, text);
    return EINVAL;
}

static error_t read_word(struct argp_state *state, const struct dfopt_option *o,
                         const char *text, void *into)
{
    unsigned i = 0, bits;
    const error_t e = dfopt_option_word(state, o->name, o->words, text, &i);
    if (e || o->kind == DFOPT_OPTION_WORD)
        return e ? e : store(o, into, i);
    memcpy(&bits, (char *)into + o->offset, sizeof bits);
    return store(o, into, bits | 1U << i);
}

static error_t take(struct argp_state *state, const struct dfopt_option *o,
                    const char *text, void *into)
{
    switch (o->kind) {
    case DFOPT_OPTION_FLAG:
        return store(o, into, 1);
    case DFOPT_OPTION_SET:
        return store(o, into, o->lo);
    case DFOPT_OPTION_TEXT:
        memcpy((char *)into + o->offset, &text, sizeof text);
        return 0;
    case DFOPT_OPTION_NUMBER:
        return read_number(state, o, text, into);
    case DFOPT_OPTION_COUNT:
        return read_count(state, o, text, into);
    case DFOPT_OPTION_REAL:
    case DFOPT_OPTION_SECONDS:
        return read_real(state, o, text, into);
    case DFOPT_OPTION_WORD:
    case DFOPT_OPTION_WORDS:
        return read_word(state, o, text, into);
    default:
        return o->call(state, text, (char *)into + o->offset);
    }
}

error_t dfopt_option_environment(struct argp_state *state,
                                 const struct dfopt_option_part *part)
{
    error_t e = 0;
    for (size_t i = 0; !e && is_row(&part->rows[i]); i++) {
        const struct dfopt_option *o = &part->rows[i];
        const char *text = o->env ? getenv(o->env) : NULL;
        if (!text || !*text || part->given & UINT64_C(1) << i)
            continue;
        if (o->metavar || strcmp(text, "1") == 0)
            e = take(state, o, text, part->into);
    }
    return e;
}

error_t dfopt_option_wrong(struct argp_state *state, const char *wrong)
{
    if (wrong)
        argp_error(state, "%s", wrong);
    return wrong ? EINVAL : 0;
}

/* ---- parsing ---- */

static error_t check_needed(struct argp_state *state,
                            const struct dfopt_option_part *part)
{
    for (size_t i = 0; is_row(&part->rows[i]); i++)
        if (part->rows[i].needed && !(part->given & UINT64_C(1) << i)) {
            argp_error(state, "option --%s is required", part->rows[i].name);
            return EINVAL;
        }
    return ARGP_ERR_UNKNOWN; /* argp offers the key to the other parsers, too */
}

/* The argp key of a row. */
static int key_of(const struct dfopt_option_part *part, size_t i)
{
    return part->rows[i].key ? part->rows[i].key : KEY_ROW + (int)i;
}

static error_t parse_row(struct argp_state *state, struct dfopt_option_part *part,
                         int key, const char *text)
{
    if (key == ARGP_KEY_END)
        return check_needed(state, part);
    for (size_t i = 0; is_row(&part->rows[i]); i++)
        if (part->rows[i].name && key_of(part, i) == key) {
            part->given |= UINT64_C(1) << i;
            return take(state, &part->rows[i], text, part->into);
        }
    return ARGP_ERR_UNKNOWN;
}

static error_t parse_part(int key, char *text, struct argp_state *state)
{
    return parse_row(state, state->input, key, text);
}

/* Prints "--option word word ...", one option per line. */
static void print_words(const struct dfopt_option_line *line)
{
    for (size_t p = 0; p < line->n_parts; p++)
        for (const struct dfopt_option *o = line->parts[p].rows; is_row(o); o++) {
            if (!o->words)
                continue;
            printf("--%s", o->name);
            for (size_t i = 0; o->words[i]; i++)
                printf(" %s", o->words[i]);
            printf("\n");
        }
}

/* --help and the like print only this. */
static error_t answer(struct argp_state *state)
{
    struct dfopt_option_line *line = state->input;
    line->answered = true;
    if (!(line->flags & ARGP_NO_EXIT))
        exit(dfopt_standard_flush(0));
    return 0;
}

static error_t parse_line(int key, char *text, struct argp_state *state)
{
    struct dfopt_option_line *line = state->input;
    if (key == ARGP_KEY_INIT) {
        for (size_t i = 1; i < line->n_parts; i++)
            state->child_inputs[i - 1] = &line->parts[i];
        return 0;
    }
    if (key == KEY_WORDS) {
        print_words(line);
        return answer(state);
    }
    const error_t e = parse_row(state, &line->parts[0], key, text);
    return e == ARGP_ERR_UNKNOWN && line->rest ? line->rest(key, text, state) : e;
}

/* Converts a table for argp. Returns its number of rows. */
static size_t convert(const struct dfopt_option_part *part, struct argp_option *out)
{
    size_t n = 0;
    for (const struct dfopt_option *o = part->rows; is_row(o); o++, n++)
        out[n] = o->name ? (struct argp_option){.name = o->name,
                                                .key = key_of(part, n),
                                                .arg = o->metavar,
                                                .doc = o->help}
                         : (struct argp_option){.doc = o->help, .group = o->key};
    out[n] = (struct argp_option){.name = NULL};
    return n;
}

error_t dfopt_option_parse(struct dfopt_option_line *line, int argc, char **argv)
{
    struct argp_option options[DFOPT_OPTION_PARTS_MAX][DFOPT_OPTION_ROWS_MAX + 2];
    struct argp argps[DFOPT_OPTION_PARTS_MAX];
    struct argp_child children[DFOPT_OPTION_PARTS_MAX];
    for (size_t i = 0; i < line->n_parts; i++) {
        const size_t n = convert(&line->parts[i], options[i]);
        argps[i] = (struct argp){.options = options[i], .parser = parse_part};
        if (i > 0)
            children[i - 1] = (struct argp_child){.argp = &argps[i],
                                                  .group = line->parts[i].group};
        else {
            options[i][n] = (struct argp_option){
                .name = "_words", .key = KEY_WORDS, .flags = OPTION_HIDDEN};
            options[i][n + 1] = (struct argp_option){.name = NULL};
        }
    }
    children[line->n_parts - 1] = (struct argp_child){.argp = NULL};
    argps[0].parser = parse_line;
    argps[0].doc = line->doc;
    argps[0].args_doc = line->args_doc;
    argps[0].children = children;
    argp_err_exit_status = DFOPT_USAGE_EXIT;
    return argp_parse(&argps[0], argc, argv, line->flags | ARGP_NO_HELP, NULL,
                      line);
}

/* ---- rows common to all programs ---- */

error_t dfopt_option_show_help(struct argp_state *state, const char *text,
                               void *into)
{
    (void)text, (void)into;
    dfopt_option_help(state->input, state->name, stdout);
    return answer(state);
}

error_t dfopt_option_show_usage(struct argp_state *state, const char *text,
                                void *into)
{
    (void)text, (void)into;
    argp_state_help(state, stdout, ARGP_HELP_USAGE);
    return answer(state);
}

error_t dfopt_option_show_version(struct argp_state *state, const char *text,
                                  void *into)
{
    (void)text, (void)into;
    printf("%s\n", ((struct dfopt_option_line *)state->input)->version);
    return answer(state);
}
