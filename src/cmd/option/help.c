/* Prints --help from the rows: a column of options and a column of descriptions, in
 * table order, within the terminal's width. */
#include "cmd/option/help.h"

#include <stdarg.h>
#include <string.h>

enum { WIDTH = 79, TEXT_COLUMN = 29, INDENT = 2 };

struct page {
    FILE *out;
    size_t column; /* of the next character */
};

static void put(struct page *p, const char *text, size_t len)
{
    (void)fwrite(text, 1, len, p->out);
    p->column += len;
}

static void end_line(struct page *p)
{
    (void)fputc('\n', p->out);
    p->column = 0;
}

/* Pads with blanks, on a new line if the column has been passed. */
static void go_to(struct page *p, size_t column)
{
    if (p->column >= column && column > 0)
        end_line(p);
    while (p->column < column)
        put(p, " ", 1);
}

/* The length of an unbreakable unit: a word, or "(default 1)", "[env: NAME]". */
static size_t unbroken(const char *text, const char *end)
{
    static const char *const starts[] = {"(default ", "[env: "};
    size_t n = 0;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            n = strlen(starts[i]);
    while (text + n < end && text[n] != ' ')
        n++;
    return n;
}

/* Prints words from the current column on, wrapped; lines start at `left`. */
static void put_words(struct page *p, const char *text, size_t len, size_t left)
{
    const char *end = text + len;
    while (text < end) {
        const size_t word = unbroken(text, end);
        if (p->column > left && p->column + 1 + word > WIDTH)
            end_line(p);
        if (p->column > left)
            put(p, " ", 1);
        while (p->column < left)
            put(p, " ", 1);
        put(p, text, word);
        text += word + (text + word < end);
    }
}

/* ---- text with lines, some of them rows: left, tab, right ---- */

static size_t line_length(const char *text)
{
    return strcspn(text, "\n\v");
}

/* The right column of the consecutive rows that start at `text`. */
static size_t rows_column(const char *text)
{
    size_t widest = 0;
    for (;;) {
        const size_t len = line_length(text);
        const char *tab = memchr(text, '\t', len);
        if (!tab)
            break;
        const size_t left = (size_t)(tab - text) + INDENT;
        if (left < TEXT_COLUMN && left > widest)
            widest = left;
        text += len + (text[len] == '\n');
    }
    return widest;
}

static void put_text(struct page *p, const char *text)
{
    size_t column = 0;
    for (size_t len; *text && *text != '\v'; text += len + (text[len] == '\n')) {
        len = line_length(text);
        const char *tab = memchr(text, '\t', len);
        if (!tab)
            put_words(p, text, len, 0);
        column = !tab ? 0 : column ? column : rows_column(text);
        if (tab) {
            put(p, text, (size_t)(tab - text));
            go_to(p, column);
            put_words(p, tab + 1, len - (size_t)(tab + 1 - text), column);
        }
        end_line(p);
    }
}

/* ---- options ---- */

static void put_format(struct page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put_format(struct page *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vfprintf(p->out, format, args);
    va_end(args);
    p->column += n > 0 ? (size_t)n : 0;
}

static void put_option(struct page *p, const struct dfopt_option *o)
{
    if (o->key)
        put_format(p, "  -%c, ", o->key);
    else
        put_format(p, "      ");
    put_format(p, "--%s%s%s", o->name, o->metavar ? "=" : "",
               o->metavar ? o->metavar : "");
    go_to(p, TEXT_COLUMN);
    put_words(p, o->help, strlen(o->help), TEXT_COLUMN);
    if (o->env) {
        char env[80];
        snprintf(env, sizeof env, "[env: %s%s]", o->env, o->metavar ? "" : "=1");
        put_words(p, env, strlen(env), TEXT_COLUMN);
    }
    end_line(p);
}

static void put_title(struct page *p, const char *title)
{
    end_line(p);
    put_format(p, "%s:", title);
    end_line(p);
}

static void put_rows(struct page *p, const struct dfopt_option *rows)
{
    if (rows->name)
        put_title(p, "Options");
    for (const struct dfopt_option *o = rows; o->name || o->help; o++)
        if (o->name)
            put_option(p, o);
        else
            put_title(p, o->help);
}

/* Prints the parts after the first that belong before its group `before`. */
static void put_parts(struct page *p, const struct dfopt_option_line *line,
                      int from, int before)
{
    for (int group = from; group < before; group++)
        for (size_t i = 1; i < line->n_parts; i++)
            if (line->parts[i].group == group)
                put_rows(p, line->parts[i].rows);
}

static void put_first_part(struct page *p, const struct dfopt_option_line *line)
{
    const struct dfopt_option *o = line->parts[0].rows;
    int shown = 0; /* parts of earlier groups already printed */
    if (o->name)
        put_title(p, "Options");
    for (; o->name || o->help; o++) {
        if (o->name) {
            put_option(p, o);
            continue;
        }
        put_parts(p, line, shown, o->key);
        shown = o->key;
        put_title(p, o->help);
    }
    put_parts(p, line, shown, DFOPT_OPTION_GROUPS);
}

void dfopt_option_help(const struct dfopt_option_line *line, const char *name,
                       FILE *out)
{
    struct page p = {.out = out};
    const char *more = strchr(line->doc, '\v');
    put_format(&p, "Usage: %s [OPTION...]%s%s", name, line->args_doc ? " " : "",
               line->args_doc ? line->args_doc : "");
    end_line(&p);
    end_line(&p);
    put_text(&p, line->doc);
    put_first_part(&p, line);
    if (more) {
        end_line(&p);
        put_text(&p, more + 1);
    }
}
