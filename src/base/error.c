/* Error codes and their texts. */
#include "dfopt/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum dfopt_err dfopt_error_set(struct dfopt_error *err, enum dfopt_err code,
                               const char *format, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(err->text, sizeof err->text, format, ap);
        va_end(ap);
        err->code = code;
    }
    return code;
}

void dfopt_error_prefix(struct dfopt_error *err, const char *format, ...)
{
    if (!err)
        return;
    char old[DFOPT_ERROR_TEXT_SIZE];
    memcpy(old, err->text, sizeof old);
    const size_t size = sizeof err->text;
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(err->text, sizeof err->text, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n + 3 >= size)
        return;
    size_t room = size - (size_t)n - 3, len = strlen(old);
    memcpy(err->text + n, ": ", 2);
    memcpy(err->text + n + 2, old, len < room ? len : room);
    err->text[(size_t)n + 2 + (len < room ? len : room)] = '\0';
}

const char *dfopt_err_text(enum dfopt_err code)
{
    static const char *const texts[] = {
#define TEXT(name, text) [DFOPT_ERR_##name] = text,
        DFOPT_ERR_LIST(TEXT)
#undef TEXT
    };
    size_t i = (size_t)code;
    return i < sizeof texts / sizeof *texts ? texts[i] : "unknown error";
}
