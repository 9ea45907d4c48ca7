/* Cells. Column widths are those of the terminal, by wcwidth. */
#include "cmd/log/top/canvas.h"

#include "json/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum dfopt_err top_canvas_clear(struct top_canvas *c, int rows, int columns)
{
    const size_t n = (size_t)rows * (size_t)columns;
    if (rows != c->rows || columns != c->columns || !c->cells) {
        struct top_cell *cells = realloc(c->cells, n * sizeof *cells);
        if (!cells)
            return DFOPT_ERR_NOMEM;
        c->cells = cells;
        c->rows = rows;
        c->columns = columns;
    }
    for (size_t i = 0; i < n; i++)
        c->cells[i] = (struct top_cell){.text = " "};
    return DFOPT_OK;
}

void top_canvas_free(struct top_canvas *c)
{
    free(c->cells);
    *c = (struct top_canvas){.rows = 0};
}

static struct top_cell *cell(const struct top_canvas *c, int row, int column)
{
    return row >= 0 && row < c->rows && column >= 0 && column < c->columns
               ? &c->cells[(size_t)row * (size_t)c->columns + (size_t)column]
               : NULL;
}

/* Decodes the first character: bytes and columns. Unprintable ones become '?'. */
static size_t next_character(const struct top_canvas *c, const char *at,
                             const char *end, char text[7], int *columns)
{
    const size_t bytes = dfopt_utf8_char(at, end);
    wchar_t wide = 0;
    strcpy(text, "?");
    *columns = 1;
    if (bytes == 1 && *at >= 0x20 && *at != 0x7f) {
        text[0] = *at;
    } else if (bytes > 1 && c->utf8) {
        mbstate_t state = {0};
        const size_t n = mbrtowc(&wide, at, bytes, &state);
        const int width = n == bytes ? wcwidth(wide) : -1;
        if (width == 1 || width == 2) {
            memcpy(text, at, bytes);
            text[bytes] = '\0';
            *columns = width;
        }
    }
    return bytes ? bytes : 1;
}

/* Counts the columns of a text. */
static int width_of(const struct top_canvas *c, const char *text)
{
    const char *end = text + strlen(text);
    char character[7];
    int all = 0, columns;
    for (const char *at = text; at < end; all += columns)
        at += next_character(c, at, end, character, &columns);
    return all;
}

int top_put(struct top_canvas *c, int row, int column, int width, unsigned style,
            const char *text)
{
    const char *end = text + strlen(text);
    char character[7];
    int columns, left = width;
    const bool cut = width_of(c, text) > width;
    const int keep = cut && width > 2 ? 2 : 0; /* for the dots */
    for (const char *at = text; at < end;) {
        at += next_character(c, at, end, character, &columns);
        if (columns > left - keep)
            break;
        for (int i = 0; i < columns; i++) {
            struct top_cell *to = cell(c, row, column + i);
            if (!to)
                continue;
            strcpy(to->text, i ? "" : character);
            to->style = (uint8_t)style;
        }
        column += columns;
        left -= columns;
    }
    for (int i = 0; i < keep && left > 0; i++, left--, column++) {
        struct top_cell *to = cell(c, row, column);
        if (to)
            *to = (struct top_cell){.text = ".", .style = (uint8_t)style};
    }
    return column;
}

int top_putf(struct top_canvas *c, int row, int column, int width, unsigned style,
             const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return top_put(c, row, column, width, style, text);
}

void top_put_right(struct top_canvas *c, int row, int column, int width,
                   unsigned style, const char *text)
{
    const int own = width_of(c, text);
    top_put(c, row, own < width ? column + width - own : column, width, style,
            text);
}

void top_style_row(struct top_canvas *c, int row, unsigned style)
{
    for (int i = 0; i < c->columns; i++) {
        struct top_cell *at = cell(c, row, i);
        if (at)
            at->style |= (uint8_t)style;
    }
}

void top_spark(struct top_canvas *c, int row, int column, int width,
               const double *values, uint32_t n)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const digits[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    const uint32_t shown = width < 0             ? 0
                           : n < (uint32_t)width ? n
                                                 : (uint32_t)width;
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < n; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    for (uint32_t i = 0; i < shown; i++) {
        const double v = values[(uint64_t)(i + 1) * n / shown - 1];
        const double part =
            high > low ? (v / 2 - low / 2) / (high / 2 - low / 2) : 0;
        const int bar = part >= 0 && part <= 1 ? (int)(part * 7 + 0.5) : 0;
        top_put(c, row, column + (int)i, 1, TOP_PLAIN,
                c->utf8 ? bars[bar] : digits[bar]);
    }
}

void top_canvas_print(const struct top_canvas *c, struct dl_print *p)
{
    for (int row = 0; row < c->rows; row++) {
        int end = c->columns;
        while (end > 0 && strcmp(cell(c, row, end - 1)->text, " ") == 0)
            end--;
        for (int i = 0; i < end; i++) {
            const char *text = cell(c, row, i)->text;
            dl_put_bytes(p, text, strlen(text));
        }
        dl_put(p, "\n");
    }
}
