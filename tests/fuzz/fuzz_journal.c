/* The journal of a service that --resume reads. The first byte is the number of the
 * record that the log has not got; the second says how: 0, the rest is the file as
 * it is; else each line gets the right checksum, so that what stands behind it is
 * reached. */
#include "fuzz_file.h"
#include "model/message.h"
#include "journal/source.h"
#include "journal/line.h"

#include <inttypes.h>

static enum dfopt_source_status end_of_all(struct dfopt_source *s, int timeout_ms,
                                           struct dfopt_record *rec,
                                           struct dfopt_error *err)
{
    (void)s;
    (void)timeout_ms;
    (void)rec;
    (void)err;
    return DFOPT_SOURCE_END;
}

static const struct dfopt_source_ops end_ops = {.next = end_of_all};
static struct dfopt_source nothing_more = {.ops = &end_ops};

/* Appends the input's lines, each with its checksum. */
static void add_lines(struct dfopt_buf *to, const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const size_t n = (size_t)((newline ? newline : end) - at);
        const size_t start = to->len;
        FUZZ_CHECK(!dfopt_buf_printf(to, "%-28s", "") &&
                       !dfopt_buf_add(to, at, n) &&
                       !dfopt_buf_add(to, "\n", newline != NULL),
                   "out of memory");
        dfopt_record_check(to->data + start, n + DFOPT_RECORD_CHECK_BYTES);
        at += n + 1;
    }
}

/* Each record comes once, lies in the file and is one that an optimizer takes. */
static void read_all(uint64_t next_seq)
{
    struct dfopt_source *s = NULL;
    struct dfopt_record rec;
    struct dfopt_error err = {.text = ""};
    volatile unsigned sum = 0;
    if (dfopt_journal_source_create(&s, fuzz_path, next_seq, &nothing_more, &err)) {
        FUZZ_CHECK(!s && strstr(err.text, fuzz_path),
                   "an error that names no file");
        return;
    }
    uint64_t line = 0;
    while (s->ops->next(s, 0, &rec, &err) == DFOPT_SOURCE_RECORD) {
        FUZZ_CHECK(rec.line > line && rec.stream >= 0 &&
                       rec.stream < DFOPT_STREAM_COUNT && rec.len > 0,
                   "line %" PRIu64, rec.line);
        line = rec.line;
        for (size_t i = 0; i < rec.len; i++)
            sum = sum + (unsigned char)rec.data[i];
        sum = sum + (unsigned)strlen(rec.origin);
    }
    s->ops->destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct dfopt_buf file = {0};
    const uint64_t next_seq = fuzz_number(&in, 1);
    if (fuzz_number(&in, 1) == 0)
        FUZZ_CHECK(!dfopt_buf_add(&file, in.at, in.left), "out of memory");
    else
        add_lines(&file, in.at, in.left);
    fuzz_put_file(file.data, file.len, 0);
    read_all(next_seq);
    dfopt_buf_free(&file);
    return 0;
}
