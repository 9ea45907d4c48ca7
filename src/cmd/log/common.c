/* Argument parsing, opening, buffering and writing. */
#include "cmd/log/common.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE_BYTES 65536 /* per write */

/* ---- the command line ---- */

enum { COLOR_NEVER, COLOR_AUTO, COLOR_ALWAYS };
static const char *const color_words[] = {[COLOR_NEVER] = "never",
                                          [COLOR_AUTO] = "auto",
                                          [COLOR_ALWAYS] = "always",
                                          NULL};

static const struct dfopt_option common[] = {
    DFOPT_OPTION_TITLE("All commands", 1),
    {"json", DFOPT_OPTION_FLAG, NULL, "Print JSON instead of text", 'j',
     DFOPT_OPTION_AT(struct dl_args, json)},
    {"color", DFOPT_OPTION_WORD, "WHEN",
     "Colour the output: auto (the default: on a terminal, unless NO_COLOR is "
     "set), "
     "always or never",
     DFOPT_OPTION_AT(struct dl_args, when), .words = color_words},
    DFOPT_OPTION_HELP_ROWS,
    {.name = NULL}};

/* https://no-color.org: set and not empty. */
static bool color_by_itself(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) &&
           !(term && strcmp(term, "dumb") == 0);
}

static error_t parse_files(int key, char *text, struct argp_state *state)
{
    struct dl_args *a = ((struct dfopt_option_line *)state->input)->arg;
    switch (key) {
    case ARGP_KEY_ARG:
        if (a->found == a->n_files)
            argp_error(state, "unexpected argument '%s'", text);
        a->file[a->found++] = text;
        return 0;
    case ARGP_KEY_END:
        if (a->found < a->n_files)
            argp_error(state, a->found ? "two decision logs needed, A and B"
                                       : "no decision log given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void dl_args_parse(struct dl_args *a, const struct dl_command *own, void *into,
                   int argc, char **argv)
{
    struct dfopt_option_part parts[] = {{.rows = common, .into = a},
                                        {.rows = own->options, .into = into}};
    struct dfopt_option_line line = {.parts = parts,
                                     .n_parts = own->options ? 2 : 1,
                                     .doc = own->doc,
                                     .args_doc = own->args_doc,
                                     .version = DL_VERSION,
                                     .rest = parse_files,
                                     .arg = a};
    a->when = COLOR_AUTO;
    dfopt_option_parse(&line, argc, argv);
    a->color =
        a->when == COLOR_ALWAYS || (a->when == COLOR_AUTO && color_by_itself());
}

/* ---- printing ---- */

void dl_print_init(struct dl_print *p, const struct dfopt_dict *dict, bool color)
{
    *p = (struct dl_print){.color = color};
    p->put = dfopt_put_start(&p->out, dict);
}

void dl_print_free(struct dl_print *p)
{
    dfopt_buf_free(&p->out);
}

bool dl_print_flush(struct dl_print *p, bool now)
{
    if (p->left || p->failed || p->put.e)
        return false;
    if (p->out.len == 0 || (!now && p->out.len < WRITE_BYTES))
        return true;
    bool ok = fwrite(p->out.data, 1, p->out.len, stdout) == p->out.len &&
              fflush(stdout) == 0;
    int reason = errno;
    dfopt_buf_clear(&p->out);
    if (ok)
        return true;
    p->left = reason == EPIPE;
    p->failed = !p->left;
    if (p->failed)
        fprintf(stderr, "dfopt-log: standard output: %s\n", strerror(reason));
    return false;
}

void dl_put_bytes(struct dl_print *p, const char *bytes, size_t n)
{
    dfopt_put_bytes(&p->put, bytes, n);
}

void dl_put(struct dl_print *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dl_put_bytes(p, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void dl_put_text(struct dl_print *p, const char *text, size_t len)
{
    for (size_t i = 0, from = 0; i <= len; i++) {
        unsigned char c = i < len ? (unsigned char)text[i] : 0;
        if (i < len && c >= 0x20 && c != 0x7f)
            continue;
        dl_put_bytes(p, text + from, i - from);
        if (i < len)
            dl_put(p, "\\x%02x", c);
        from = i + 1;
    }
}

void dl_put_sym(struct dl_print *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->put.dict, s, &len);
    dl_put_text(p, text, len);
}

void dl_put_value(struct dl_print *p, struct dfopt_value v)
{
    if (v.kind == DFOPT_KIND_NULL)
        dl_put(p, "-");
    else if (v.kind == DFOPT_KIND_REAL)
        dl_put_real(p, v.d);
    else
        dfopt_put_value(&p->put, v);
}

void dl_put_real(struct dl_print *p, double d)
{
    if (isfinite(d))
        dl_put(p, "%.6g", d);
    else
        dl_put(p, "-");
}

void dl_put_plan_id(struct dl_print *p, uint64_t id)
{
    char text[DFOPT_PLAN_ID_SIZE];
    dfopt_plan_id_text(id, text);
    dfopt_put_raw(&p->put, text);
}

void dl_put_change(struct dl_print *p, const struct dfopt_plan *plan)
{
    dl_put_value(p, plan->old_value);
    dl_put(p, " -> ");
    dl_put_value(p, plan->new_value);
}

void dl_put_targets(struct dl_print *p, const struct dfopt_plan *plan)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(p->put.dict, plan->targets, &n);
    if (plan->node != DFOPT_SYM_EMPTY)
        dl_put_sym(p, plan->node);
    else if (n == 0)
        dl_put(p, "the whole job");
    for (size_t i = 0; i < n; i++) {
        dl_put(p, "%s", i ? "," : "");
        dl_put_sym(p, targets[i]);
    }
}

void dl_pad(struct dl_print *p, size_t start, size_t width)
{
    size_t columns = 0; /* of UTF-8: bytes that start a character */
    for (size_t i = start; i < p->out.len; i++)
        columns += ((unsigned char)p->out.data[i] & 0xc0) != 0x80;
    for (; columns < width; columns++)
        dl_put(p, " ");
    dl_put(p, " ");
}

void dl_fit(struct dl_print *p, size_t start, size_t width)
{
    const char *text = p->out.data + start;
    size_t columns = 0, cut = 0; /* bytes that leave room for two dots */
    for (size_t i = 0; i < p->out.len - start; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue;
        if (columns == width - 2)
            cut = i;
        columns++;
    }
    if (columns > width) {
        p->out.len = start + cut;
        dl_put(p, "..");
    }
    dl_pad(p, start, width);
}

void dl_color(struct dl_print *p, enum dl_color c)
{
    static const char *const codes[] = {
        [DL_PLAIN] = "\033[0m", [DL_BOLD] = "\033[1m",   [DL_DIM] = "\033[2m",
        [DL_RED] = "\033[31m",  [DL_GREEN] = "\033[32m", [DL_YELLOW] = "\033[33m"};
    if (p->color)
        dl_put(p, "%s", codes[c]);
}

int64_t dl_window_within(int64_t window)
{
    const int64_t most = INT64_C(1) << 53;
    return window < -most ? -most : window > most ? most : window;
}

/* ---- a command at work ---- */

void dl_complain(const struct dfopt_error *err)
{
    fprintf(stderr, "dfopt-log: %s\n", err->text);
}

void dl_use(struct dl_job *j, struct dfopt_declog_reader *reader)
{
    dfopt_declog_reader_close(j->reader);
    j->reader = reader;
    j->run = dfopt_declog_reader_run(reader);
    j->dict = j->print.put.dict = dfopt_declog_reader_dict(reader);
}

bool dl_start(struct dl_job *j)
{
    if (dfopt_declog_reader_open(&j->reader, j->args.file[0], &j->err) !=
        DFOPT_OK) {
        dl_complain(&j->err);
        return false;
    }
    j->run = dfopt_declog_reader_run(j->reader);
    j->dict = dfopt_declog_reader_dict(j->reader);
    if (j->run->cut)
        fprintf(stderr,
                "dfopt-log: %s: truncated; showing the %" PRIu64 " of %" PRIu64
                " commits that are intact\n",
                j->args.file[0], j->run->commits,
                j->run->commits + j->run->lost_commits);
    dl_print_init(&j->print, j->dict, j->args.color);
    return true;
}

int dl_end(struct dl_job *j, enum dfopt_err e)
{
    dl_print_flush(&j->print, true); /* including output before the error */
    if (!e)
        e = j->print.put.e;
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&j->err, e, "%s: out of memory", j->args.file[0]);
    if (e)
        dl_complain(&j->err);
    bool failed = e || j->print.failed;
    dl_print_free(&j->print);
    dfopt_declog_reader_close(j->reader);
    return failed ? DL_TROUBLE : DL_OK;
}
