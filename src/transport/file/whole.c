#include "transport/file/whole.h"

#include "base/clock.h"
#include "transport/file/input.h"

#include <string.h>

#define LARGEST ((size_t)64 << 20)
#define BLOCK   65536
#define WAIT_NS ((int64_t)100000000) /* until *stop is looked at again */

/* Reads to the end; *out has what could be read. */
static enum dfopt_err read_all(struct dfopt_input *in,
                               const volatile sig_atomic_t *stop,
                               struct dfopt_buf *out, struct dfopt_error *err)
{
    for (;;) {
        size_t n = 0;
        if (dfopt_buf_reserve(out, BLOCK))
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                                   in->name);
        const enum dfopt_input_status status =
            dfopt_input_read(in, out->data + out->len, BLOCK,
                             dfopt_clock_monotonic_ns() + WAIT_NS, &n, err);
        if (status == DFOPT_INPUT_END)
            return DFOPT_OK;
        if (status == DFOPT_INPUT_ERROR)
            return DFOPT_ERR_IO;
        if (stop && *stop)
            return dfopt_error_set(err, DFOPT_ERR_INTERRUPTED,
                                   "%s: a signal came before it was read",
                                   in->name);
        out->len += n;
        if (out->len > LARGEST)
            return dfopt_error_set(err, DFOPT_ERR_LIMIT, "%s: larger than 64 MiB",
                                   in->name);
    }
}

enum dfopt_err dfopt_file_read(const char *path, const volatile sig_atomic_t *stop,
                               struct dfopt_buf *out, struct dfopt_error *err)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct dfopt_input in = {0};
    const bool dash = strcmp(path, "-") == 0; /* here "-" is a file name */
    enum dfopt_err e = dfopt_input_open(&in, dash ? "./-" : path, err);
    if (!e)
        e = read_all(&in, stop, out, err);
    dfopt_input_close(&in);
    if (!e && out->len >= 3 && memcmp(out->data, bom, 3) == 0) {
        out->len -= 3;
        memmove(out->data, out->data + 3, out->len);
    }
    return e;
}
