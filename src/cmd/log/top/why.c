#include "cmd/log/top/why.h"

#include "json/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static enum dfopt_err start(struct top_why *w, char **argv, struct dfopt_error *err)
{
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "why: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    const int code =
        posix_spawn(&w->child, "/proc/self/exe", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (code != 0) {
        close(ends[0]);
        w->child = 0;
        return dfopt_error_set(err, DFOPT_ERR_IO, "why: %s", strerror(code));
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    w->out = ends[0];
    return DFOPT_OK;
}

enum dfopt_err top_why_open(struct top_why *w, const struct top_view *v,
                            const struct top_question *q, struct dfopt_error *err)
{
    const struct dfopt_dict *dict = v->load->model.dict;
    char program[] = "dfopt-log", command[] = "why", color[] = "--color=never";
    char knob_option[] = "--knob", node_option[] = "--node", windows[64];
    char *knob = (char *)(uintptr_t)dfopt_dict_text(dict, q->knob, NULL);
    char *node = (char *)(uintptr_t)dfopt_dict_text(dict, q->node, NULL);
    char *file = (char *)(uintptr_t)v->load->job->args.file[0];
    char *argv[12] = {program, command, color, knob_option, knob};
    size_t n = 5;
    *w = (struct top_why){.out = -1};
    if (q->node != DFOPT_SYM_NONE) {
        argv[n++] = node_option;
        argv[n++] = node;
    }
    snprintf(windows, sizeof windows, "--window=%" PRId64 ":%" PRId64,
             q->from < 0 ? 0 : q->from, q->to < 0 ? 0 : q->to);
    char behind[] = "--";
    argv[n++] = windows;
    argv[n++] = behind;
    argv[n++] = file;
    snprintf(w->title, sizeof w->title,
             "why %s%s%s, windows %" PRId64 " to %" PRId64, knob,
             q->node == DFOPT_SYM_NONE ? "" : " on ",
             q->node == DFOPT_SYM_NONE    ? ""
             : q->node == DFOPT_SYM_EMPTY ? "the whole job"
                                          : node,
             q->from < 0 ? 0 : q->from, q->to < 0 ? 0 : q->to);
    return start(w, argv, err);
}

static void end(struct top_why *w)
{
    if (w->out >= 0)
        close(w->out);
    w->out = -1;
}

static enum dfopt_err find_lines(struct top_why *w)
{
    dfopt_buf_clear(&w->lines);
    enum dfopt_err e = DFOPT_OK;
    for (size_t at = 0; at < w->text.len && !e;) {
        e = dfopt_buf_add(&w->lines, &at, sizeof at);
        const char *newline = memchr(w->text.data + at, '\n', w->text.len - at);
        at = newline ? (size_t)(newline - w->text.data) + 1 : w->text.len;
    }
    return e;
}

enum dfopt_err top_why_read(struct top_why *w)
{
    char block[16384];
    ssize_t n = 0;
    enum dfopt_err e = DFOPT_OK;
    const size_t before = w->text.len;
    while (!e && w->out >= 0 && w->text.len < TOP_WHY_BYTES) {
        n = read(w->out, block, sizeof block);
        if (n <= 0)
            break;
        e = dfopt_buf_add(&w->text, block, (size_t)n);
    }
    if (w->text.len >= TOP_WHY_BYTES || n == 0 ||
        (n < 0 && errno != EAGAIN && errno != EINTR))
        end(w);
    return e || w->text.len == before ? e : find_lines(w);
}

void top_why_close(struct top_why *w)
{
    end(w);
    if (w->child > 0) {
        (void)kill(w->child, SIGKILL);
        (void)waitpid(w->child, NULL, 0);
    }
    dfopt_buf_free(&w->text);
    dfopt_buf_free(&w->lines);
    *w = (struct top_why){.out = -1};
}

/* The most characters that a line has; bytes, where they are more. */
static size_t longest(const struct top_why *w)
{
    const size_t *line = DFOPT_ROW(&w->lines, const size_t);
    const size_t n = DFOPT_ROWS(&w->lines, size_t);
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t len = (i + 1 < n ? line[i + 1] : w->text.len) - line[i];
        most = len > most ? len : most;
    }
    return most;
}

void top_why_move(struct top_why *w, int by, int right)
{
    const int64_t n = (int64_t)DFOPT_ROWS(&w->lines, size_t);
    const int64_t to = (int64_t)w->first + by;
    w->first = (size_t)(to >= n ? n - 1 : to);
    if (to < 0 || n == 0)
        w->first = 0;
    if (right < 0 || (right > 0 && (size_t)(w->left + right) < longest(w)))
        w->left += right;
    if (w->left < 0)
        w->left = 0;
}

/* The rest of a line behind its first characters. */
static const char *skip(const char *at, const char *end, int characters)
{
    for (; characters > 0 && at < end; characters--) {
        const size_t bytes = dfopt_utf8_char(at, end);
        at += bytes ? bytes : 1;
    }
    return at;
}

void top_why_draw(struct top_why *w, struct top_canvas *c)
{
    const size_t *line = DFOPT_ROW(&w->lines, const size_t);
    const size_t n = DFOPT_ROWS(&w->lines, size_t);
    char text[1024];
    top_put(c, 0, 1, c->columns - 2, TOP_BOLD, w->title);
    top_style_row(c, 0, TOP_REVERSE);
    for (int row = 1; row < c->rows - 1 && w->first + (size_t)row - 1 < n; row++) {
        const size_t i = w->first + (size_t)row - 1;
        const char *end = w->text.data + (i + 1 < n ? line[i + 1] : w->text.len);
        if (end > w->text.data + line[i] && end[-1] == '\n')
            end--;
        const char *at = skip(w->text.data + line[i], end, w->left);
        size_t len = (size_t)(end - at);
        len = len < sizeof text ? len : sizeof text - 1;
        memcpy(text, at, len);
        text[len] = '\0';
        top_put(c, row, 0, c->columns, TOP_PLAIN, text);
    }
    top_putf(c, c->rows - 1, 1, c->columns - 2, TOP_DIM,
             "q back  arrows, PgUp, PgDn scroll   %zu lines%s", n,
             w->out >= 0 ? ", reading ..." : "");
}
