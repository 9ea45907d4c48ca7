/* dfopt-log top: shows a run on one screen, live or afterwards. */
#include "cmd/log/top/screen.h"
#include "cmd/log/top/view.h"
#include "cmd/log/top/why.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MS       200
#define ROWS_MIN     10
#define COLUMNS_MIN  40
#define ONCE_ROWS    40
#define ONCE_COLUMNS 80

struct top {
    struct dl_job job;
    bool once;
    int64_t rows, columns; /* with --once; 0: from the environment */
    struct top_load load;
    struct top_view view;
    struct top_canvas canvas;
    struct top_why why;
    bool asking; /* the output of why is shown */
    char note[320];
};

/* ---- keys; each returns whether to continue ---- */

static bool key_of_filter(struct top *t, int key)
{
    char *filter = t->view.filter;
    size_t len = strlen(filter);
    if (key == TOP_KEY_ENTER) {
        t->view.typing = false;
    } else if (key == TOP_KEY_ESCAPE) {
        t->view.typing = false;
        filter[0] = '\0';
    } else if (key == TOP_KEY_BACKSPACE && len) {
        do /* a whole character */
            len--;
        while (len && ((unsigned char)filter[len] & 0xC0) == 0x80);
        filter[len] = '\0';
    } else if (key >= 0x20 && key < 0x100 && len + 1 < sizeof t->view.filter) {
        filter[len] = (char)key;
        filter[len + 1] = '\0';
    }
    return true;
}

static int step_of(const struct top *t, int key)
{
    switch (key) {
    case 'k':
    case TOP_KEY_UP:
        return -1;
    case 'j':
    case TOP_KEY_DOWN:
        return 1;
    case TOP_KEY_PAGE_UP:
        return -(t->canvas.rows / 2);
    case TOP_KEY_PAGE_DOWN:
        return t->canvas.rows / 2;
    case TOP_KEY_HOME:
        return -(1 << 30);
    case TOP_KEY_END:
        return 1 << 30;
    default:
        return 0;
    }
}

/* How far a key moves to the right. */
static int shift_of(const struct top *t, int key)
{
    const int half = t->canvas.columns / 2;
    return key == 'l' || key == TOP_KEY_RIGHT  ? half
           : key == 'h' || key == TOP_KEY_LEFT ? -half
                                               : 0;
}

static bool key_of_why(struct top *t, int key)
{
    if (key == 'q' || key == 'w' || key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER) {
        top_why_close(&t->why);
        t->asking = false;
    }
    top_why_move(&t->why, step_of(t, key), shift_of(t, key));
    return true;
}

static void ask_why(struct top *t)
{
    struct top_question q;
    struct dfopt_error err = {0};
    t->note[0] = '\0';
    if (!top_view_question(&t->view, &q))
        snprintf(t->note, sizeof t->note, "nothing was decided about it");
    else if (top_why_open(&t->why, &t->view, &q, &err))
        snprintf(t->note, sizeof t->note, "%s", err.text);
    else
        t->asking = true;
}

static bool key_of_panes(struct top *t, int key)
{
    struct top_view *v = &t->view;
    t->note[0] = '\0';
    switch (key) {
    case 'q':
        return false;
    case TOP_KEY_TAB:
        v->focus = (v->focus + 1) % TOP_PANES;
        break;
    case TOP_KEY_BACK_TAB:
        v->focus = (v->focus + TOP_PANES - 1) % TOP_PANES;
        break;
    case 's':
        top_view_next_order(v);
        break;
    case '/':
        v->typing = true;
        break;
    case ' ':
        v->paused = !v->paused;
        break;
    case 'w':
    case TOP_KEY_ENTER:
        ask_why(t);
        break;
    case TOP_KEY_ESCAPE:
        v->filter[0] = '\0';
        break;
    default:
        top_view_move(v, step_of(t, key));
    }
    return true;
}

static bool take_key(struct top *t, int key)
{
    if (key == TOP_KEY_GONE)
        return false;
    if (key == TOP_KEY_NONE || key == TOP_KEY_RESIZE)
        return true;
    if (t->asking)
        return key_of_why(t, key);
    return t->view.typing ? key_of_filter(t, key) : key_of_panes(t, key);
}

/* ---- drawing ---- */

static enum dfopt_err draw(struct top *t, int rows, int columns)
{
    enum dfopt_err e = top_canvas_clear(&t->canvas, rows < 1 ? 1 : rows,
                                        columns < 1 ? 1 : columns);
    if (e)
        return e;
    if (rows < ROWS_MIN || columns < COLUMNS_MIN) {
        top_putf(&t->canvas, 0, 0, columns, TOP_PLAIN, "%d x %d is too small",
                 columns, rows);
        return e;
    }
    if (t->asking) {
        top_why_draw(&t->why, &t->canvas);
        return e;
    }
    e = top_view_update(&t->view);
    if (!e)
        top_draw(&t->view, &t->canvas);
    if (t->note[0]) /* replaces the keys */
        top_putf(&t->canvas, rows - 1, 0, columns, TOP_YELLOW, " %-*s", columns - 1,
                 t->note);
    return e;
}

static enum dfopt_err live(struct top *t)
{
    enum dfopt_err e = DFOPT_OK;
    int key = TOP_KEY_NONE;
    while (!e && take_key(t, key)) {
        int rows, columns;
        top_screen_size(&rows, &columns);
        if (t->asking)
            e = top_why_read(&t->why);
        if (!e && !t->view.paused)
            e = top_load_more(&t->load, &t->job.err);
        if (!e)
            e = draw(t, rows, columns);
        if (!e) {
            top_screen_show(&t->canvas);
            key = top_screen_key(KEY_MS);
        }
    }
    top_why_close(&t->why);
    return e;
}

/* Reads a size from the environment, or uses the default. */
static int64_t size_of(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    const long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 && n < 10000 ? n : otherwise;
}

static enum dfopt_err once(struct top *t)
{
    const int64_t rows = t->rows ? t->rows : size_of("LINES", ONCE_ROWS);
    const int64_t columns =
        t->columns ? t->columns : size_of("COLUMNS", ONCE_COLUMNS);
    enum dfopt_err e = draw(t, (int)rows, (int)columns);
    if (e)
        return e;
    t->canvas.rows = (int)rows - 1; /* drop the line of keys */
    top_canvas_print(&t->canvas, &t->job.print);
    return DFOPT_OK;
}

/* ---- the command ---- */

#define AT(member) DFOPT_OPTION_AT(struct top, member)

static const struct dfopt_option options[] = {
    {"once", DFOPT_OPTION_FLAG, NULL, "Print one screen and exit", '1', AT(once)},
    {"rows", DFOPT_OPTION_NUMBER, "N",
     "Print N rows with --once (default: LINES of the environment, or 40)",
     AT(rows), .lo = 10, .hi = 1000},
    {"columns", DFOPT_OPTION_NUMBER, "N",
     "Print N columns with --once (default: COLUMNS of the environment, or 80)",
     AT(columns), .lo = 40, .hi = 1000},
    {.name = NULL}};

static enum dfopt_err run(struct top *t)
{
    enum dfopt_err e = top_load_begin(&t->load, &t->job.err);
    if (e)
        return e;
    if (t->once)
        return once(t);
    if (!top_screen_begin(t->job.args.color, &t->job.err))
        return t->job.err.code;
    e = live(t);
    top_screen_end();
    return e;
}

int dl_top(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Show a run on one screen, while its log is being written or "
               "afterwards: the job, its knobs and what blocks them, the nodes by "
               "need, and the latest plans with their gains.\v"
               "Keys: Tab goes to the next pane, arrows (or j and k) select, s "
               "changes the order, / shows only names that contain a text, Space "
               "pauses, Enter (or w) explains the selected row, Ctrl-L redraws, q "
               "quits.\n"};
    struct top t = {.job = {.args = {.n_files = 1}}, .why = {.out = -1}};
    setlocale(LC_CTYPE, "");
    dl_args_parse(&t.job.args, &command, &t, argc, argv);
    if (!dl_start(&t.job))
        return DL_TROUBLE;
    t.canvas.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    t.load.job = &t.job;
    t.view.load = &t.load;
    const enum dfopt_err e = run(&t);
    top_view_free(&t.view);
    top_canvas_free(&t.canvas);
    top_load_free(&t.load);
    return dl_end(&t.job, e);
}
