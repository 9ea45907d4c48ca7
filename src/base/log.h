/* Log lines: an event name and typed fields, one line each, for people (text)
 * or programs (JSON, rendered by the codec). Not thread-safe: one log, one
 * thread. */
#ifndef DFOPT_BASE_LOG_H
#define DFOPT_BASE_LOG_H

#include "base/buf.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DFOPT_LOG_LEVEL_LIST(X)                                                    \
    X(DEBUG, "debug")                                                              \
    X(INFO, "info")                                                                \
    X(WARNING, "warning")                                                          \
    X(ERROR, "error")                                                              \
    X(OFF, "off")

enum dfopt_log_level {
#define DFOPT_LOG_ENUM(name, text) DFOPT_LOG_##name,
    DFOPT_LOG_LEVEL_LIST(DFOPT_LOG_ENUM)
#undef DFOPT_LOG_ENUM
};

enum dfopt_field_kind {
    DFOPT_FIELD_END,
    DFOPT_FIELD_TEXT, /* a string */
    DFOPT_FIELD_INT,
    DFOPT_FIELD_REAL,
    DFOPT_FIELD_BOOL,
    DFOPT_FIELD_JSON /* text that is already JSON */
};

/* One field; texts are borrowed for the call. */
struct dfopt_field {
    const char *name;
    enum dfopt_field_kind kind;
    const char *text;
    int64_t i;
    double d;
};

#define DFOPT_F_TEXT(n, v)                                                         \
    {                                                                              \
        .name = (n), .kind = DFOPT_FIELD_TEXT, .text = (v)                         \
    }
#define DFOPT_F_JSON(n, v)                                                         \
    {                                                                              \
        .name = (n), .kind = DFOPT_FIELD_JSON, .text = (v)                         \
    }
#define DFOPT_F_INT(n, v)                                                          \
    {                                                                              \
        .name = (n), .kind = DFOPT_FIELD_INT, .i = (int64_t)(v)                    \
    }
#define DFOPT_F_REAL(n, v)                                                         \
    {                                                                              \
        .name = (n), .kind = DFOPT_FIELD_REAL, .d = (v)                            \
    }
#define DFOPT_F_BOOL(n, v)                                                         \
    {                                                                              \
        .name = (n), .kind = DFOPT_FIELD_BOOL, .i = (v)                            \
    }

/* What a formatter receives. `fields` ends with kind DFOPT_FIELD_END. */
struct dfopt_log_line {
    int64_t wall_ns;
    enum dfopt_log_level level;
    const char *event;
    const struct dfopt_field *fields;
};

/* Appends one line, newline included, to *out. */
typedef enum dfopt_err (*dfopt_log_format_fn)(const struct dfopt_log_line *line,
                                              struct dfopt_buf *out);

struct dfopt_log {
    FILE *out; /* borrowed; NULL: silent */
    enum dfopt_log_level level;
    dfopt_log_format_fn format;
    dfopt_clock_fn clock;
    struct dfopt_buf line; /* scratch; free it with dfopt_buf_free */
};

/* Whether lines of this level are written at all. log may be NULL: false. */
bool dfopt_log_enabled(const struct dfopt_log *log, enum dfopt_log_level level);

/* Writes one line if its level is high enough. log may be NULL. */
void dfopt_log_emit(struct dfopt_log *log, enum dfopt_log_level level,
                    const char *event, const struct dfopt_field *fields);

/* dfopt_log_event(log, DFOPT_LOG_INFO, "optimizer.start",
 *                 DFOPT_F_TEXT("transport", "file")); */
#define dfopt_log_event(log, level, event, ...)                                    \
    dfopt_log_emit(                                                                \
        log, level, event,                                                         \
        (const struct dfopt_field[]){__VA_ARGS__, {.kind = DFOPT_FIELD_END}})

/* The text format: `2026-01-31T12:00:00.000Z info  event name=value ...`. */
enum dfopt_err dfopt_log_format_text(const struct dfopt_log_line *line,
                                     struct dfopt_buf *out);

/* Writes the UTC time as 2026-01-31T12:00:00.000000Z; text holds 32 bytes. */
void dfopt_log_time(int64_t wall_ns, char text[32]);

const char *dfopt_log_level_name(enum dfopt_log_level level);

#endif
