#include "cmd/log/top/screen.h"

#ifdef DFOPT_HAVE_NCURSES

#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CTRL_L 12

static volatile sig_atomic_t asked_to_end;

static void end_asked(int signal_number)
{
    (void)signal_number;
    asked_to_end = 1;
}

bool top_screen_begin(bool color, struct dfopt_error *err)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction a = {.sa_handler = end_asked};
    const char *term = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        dfopt_error_set(err, DFOPT_ERR_ARG,
                        "not a terminal; --once prints one screen");
        return false;
    }
    if (!term || term[0] == '\0') {
        dfopt_error_set(err, DFOPT_ERR_ARG,
                        "TERM is not set; --once prints one screen");
        return false;
    }
    if (!newterm(NULL, stdout, stdin)) {
        dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "the terminal '%.40s' is not known; --once prints one screen", term);
        return false;
    }
    if (!tigetstr("cup")) { /* move the cursor; TERM=dumb cannot */
        endwin();
        dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "the terminal '%.40s' is too simple; --once prints one screen", term);
        return false;
    }
    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaction(ends[i], &a, NULL);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(50);
    (void)curs_set(0);
    if (color && has_colors()) {
        start_color();
        use_default_colors();
        init_pair(1, COLOR_RED, -1);
        init_pair(2, COLOR_GREEN, -1);
        init_pair(3, COLOR_YELLOW, -1);
    }
    return true;
}

void top_screen_end(void)
{
    endwin();
}

void top_screen_size(int *rows, int *columns)
{
    getmaxyx(stdscr, *rows, *columns);
}

/* Without colours, red is shown as bold. */
static attr_t attributes(unsigned style)
{
    const bool color = COLOR_PAIRS > 3;
    return (style & TOP_BOLD ? A_BOLD : 0) | (style & TOP_DIM ? A_DIM : 0) |
           (style & TOP_REVERSE ? A_REVERSE : 0) |
           (style & TOP_RED ? color ? COLOR_PAIR(1) : A_BOLD : 0) |
           (style & TOP_GREEN && color ? COLOR_PAIR(2) : 0) |
           (style & TOP_YELLOW && color ? COLOR_PAIR(3) : 0);
}

void top_screen_show(const struct top_canvas *c)
{
    for (int row = 0; row < c->rows; row++)
        for (int i = 0; i < c->columns; i++) {
            const struct top_cell *cell =
                &c->cells[(size_t)row * (size_t)c->columns + (size_t)i];
            if (cell->text[0] == '\0')
                continue;
            attrset((int)attributes(cell->style));
            mvaddstr(row, i, cell->text);
        }
    refresh();
}

int top_screen_key(int timeout_ms)
{
    static const struct {
        int curses, key;
    } keys[] = {{KEY_UP, TOP_KEY_UP},
                {KEY_DOWN, TOP_KEY_DOWN},
                {KEY_LEFT, TOP_KEY_LEFT},
                {KEY_RIGHT, TOP_KEY_RIGHT},
                {KEY_PPAGE, TOP_KEY_PAGE_UP},
                {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
                {KEY_HOME, TOP_KEY_HOME},
                {KEY_END, TOP_KEY_END},
                {'\t', TOP_KEY_TAB},
                {KEY_BTAB, TOP_KEY_BACK_TAB},
                {'\r', TOP_KEY_ENTER},
                {'\n', TOP_KEY_ENTER},
                {KEY_ENTER, TOP_KEY_ENTER},
                {27, TOP_KEY_ESCAPE},
                {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
                {127, TOP_KEY_BACKSPACE},
                {8, TOP_KEY_BACKSPACE},
                {KEY_RESIZE, TOP_KEY_RESIZE}};
    timeout(timeout_ms);
    const int c = getch();
    if (asked_to_end)
        return TOP_KEY_GONE;
    if (c == CTRL_L) { /* another program wrote to the screen */
        clearok(curscr, TRUE);
        return TOP_KEY_NONE;
    }
    if (c == ERR) /* immediate, repeated errors: the terminal is gone */
        return isatty(STDIN_FILENO) ? TOP_KEY_NONE : TOP_KEY_GONE;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].curses == c)
            return keys[i].key;
    return c < 256 ? c : TOP_KEY_NONE;
}

#else

bool top_screen_begin(bool color, struct dfopt_error *err)
{
    (void)color;
    dfopt_error_set(err, DFOPT_ERR_STATE,
                    "this dfopt-log was built without ncurses; --once prints one "
                    "screen");
    return false;
}

void top_screen_end(void)
{
}

void top_screen_size(int *rows, int *columns)
{
    *rows = *columns = 0;
}

void top_screen_show(const struct top_canvas *c)
{
    (void)c;
}

int top_screen_key(int timeout_ms)
{
    (void)timeout_ms;
    return TOP_KEY_GONE;
}

#endif
