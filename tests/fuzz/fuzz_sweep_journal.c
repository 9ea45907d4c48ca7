/* The journal of a sweep, and the results in it, which also travel between ranks.
 * The first byte is the number of knobs; the second says how: 0, the rest is the
 * file; 1, the entries behind a right header; else each of two bytes' length is a
 * result with the right checksum. */
#include "fuzz_file.h"
#include "model/sweep.h"
#include "engine/sweep/checkpoint.h"

#define HEADER_BYTES 64

/* Reads all of a result that is told to be one. */
static enum dfopt_err found(void *arg, const void *result, size_t len)
{
    const size_t knobs = *(const size_t *)arg;
    struct dfopt_sweep_result r;
    volatile double sum = 0;
    FUZZ_CHECK((uintptr_t)result % 8 == 0, "not aligned");
    if (!dfopt_sweep_result_open(result, len, knobs, &r))
        return DFOPT_OK;
    const char *text = r.texts;
    const unsigned char *bytes = (const unsigned char *)r.metrics;
    for (size_t i = 0; i < sizeof *r.metrics; i++)
        sum = sum + bytes[i];
    bytes = (const unsigned char *)r.knobs;
    for (size_t i = 0; i < knobs * sizeof *r.knobs; i++)
        sum = sum + bytes[i];
    for (size_t i = 0; i < knobs; i++)
        text += strlen(text) + 1;
    FUZZ_CHECK(text <= (const char *)result + len, "a text beyond the result");
    return DFOPT_OK;
}

/* Results as they are added. */
static void add_results(struct dfopt_sweep_journal *j, struct fuzz_input *in)
{
    while (in->left > 0) {
        size_t n;
        const uint64_t want = fuzz_number(in, 2);
        const uint8_t *bytes = fuzz_bytes(in, (size_t)want, &n);
        FUZZ_CHECK(!dfopt_sweep_journal_add(j, bytes, n, NULL), "cannot add");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dfopt_sweep_key key = {.input = 1, .variants = 9};
    struct fuzz_input in = {data, size};
    struct dfopt_sweep_journal *j = NULL;
    struct dfopt_error err = {.text = ""};
    size_t knobs = (size_t)fuzz_number(&in, 1) % 8;
    const uint64_t how = fuzz_number(&in, 1);
    if (how == 0) {
        fuzz_put_file(in.at, in.left, 0);
    } else {
        fuzz_put_file("", 0, 0);
        FUZZ_CHECK(
            !dfopt_sweep_journal_resume(&j, fuzz_path, &key, found, &knobs, &err),
            "%s", err.text);
        if (how > 1)
            add_results(j, &in);
        dfopt_sweep_journal_close(j);
        if (how == 1)
            fuzz_put_file(in.at, in.left, HEADER_BYTES);
    }
    if (!dfopt_sweep_journal_resume(&j, fuzz_path, &key, found, &knobs, &err))
        dfopt_sweep_journal_close(j);
    else
        FUZZ_CHECK(strstr(err.text, fuzz_path), "an error that names no file");
    return 0;
}
