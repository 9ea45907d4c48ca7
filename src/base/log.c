/* Log lines and their text format. A line is written with one fwrite, so that
 * lines of several programs sharing a terminal do not mix. */
#include "base/log.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {
#define NAME(name, text) [DFOPT_LOG_##name] = text,
    DFOPT_LOG_LEVEL_LIST(NAME)
#undef NAME
};

const char *dfopt_log_level_name(enum dfopt_log_level level)
{
    size_t i = (size_t)level;
    return i < sizeof level_names / sizeof *level_names ? level_names[i]
                                                        : "unknown";
}

void dfopt_log_time(int64_t wall_ns, char text[32])
{
    time_t s = (time_t)(wall_ns / 1000000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, 32 - n, ".%06dZ", (int)(wall_ns % 1000000000 / 1000));
}

static enum dfopt_err put_value(const struct dfopt_field *f, struct dfopt_buf *out)
{
    switch (f->kind) {
    case DFOPT_FIELD_INT:
        return dfopt_buf_printf(out, "%" PRId64, f->i);
    case DFOPT_FIELD_REAL:
        return dfopt_buf_printf(out, "%.6g", f->d);
    case DFOPT_FIELD_BOOL:
        return dfopt_buf_printf(out, "%s", f->i ? "true" : "false");
    default:
        return dfopt_buf_printf(
            out,
            strchr(f->text, ' ') && f->kind == DFOPT_FIELD_TEXT ? "\"%s\"" : "%s",
            f->text);
    }
}

enum dfopt_err dfopt_log_format_text(const struct dfopt_log_line *line,
                                     struct dfopt_buf *out)
{
    const size_t start = out->len;
    char when[32];
    dfopt_log_time(line->wall_ns, when);
    enum dfopt_err e =
        dfopt_buf_printf(out, "%.23sZ %-7s %s", when,
                         dfopt_log_level_name(line->level), line->event);
    for (const struct dfopt_field *f = line->fields; !e && f->kind; f++) {
        e = dfopt_buf_printf(out, " %s=", f->name);
        if (!e)
            e = put_value(f, out);
    }
    if (!e) {
        for (size_t i = start; i < out->len;
             i++) /* one line, whatever the text holds */
            if ((unsigned char)out->data[i] < ' ' || out->data[i] == 0x7f)
                out->data[i] = '?';
        e = dfopt_buf_add(out, "\n", 1);
    }
    return e;
}

bool dfopt_log_enabled(const struct dfopt_log *log, enum dfopt_log_level level)
{
    return log && log->out && level >= log->level && level < DFOPT_LOG_OFF;
}

void dfopt_log_emit(struct dfopt_log *log, enum dfopt_log_level level,
                    const char *event, const struct dfopt_field *fields)
{
    if (!dfopt_log_enabled(log, level))
        return;
    struct dfopt_log_line line = {
        .wall_ns = log->clock ? log->clock() : 0,
        .level = level,
        .event = event,
        .fields = fields,
    };
    dfopt_buf_clear(&log->line);
    dfopt_log_format_fn format = log->format ? log->format : dfopt_log_format_text;
    if (format(&line, &log->line) == DFOPT_OK)
        fwrite(log->line.data, 1, log->line.len, log->out);
}
