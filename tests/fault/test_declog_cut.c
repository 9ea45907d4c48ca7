/* Decision logs, closed in order and left by a killed writer, cut at every STEPth
 * byte: the reader says what is wrong or reads what is left, and never more than
 * was there. usage: test_declog_cut [STEP [FIRST]] */
#include "fuzz/declog_base.h"
#include "fuzz/fuzz.h"

#include <unistd.h>

static size_t n_refused, n_read;

static void cut_at(const struct declog_base *b, size_t len)
{
    struct dfopt_error err;
    FUZZ_CHECK(ftruncate(b->fd, (off_t)len) == 0, "cannot cut at %zu", len);
    const int all = declog_base_read(b->path, &err);
    FUZZ_CHECK(!all, "nothing is missing after a cut at %zu of %zu", len, b->n);
    FUZZ_CHECK(!err.text[0] || strstr(err.text, b->path), "%zu: %s", len, err.text);
    n_refused += err.text[0] != '\0';
    n_read += err.text[0] == '\0';
    const ssize_t rest = (ssize_t)(b->n - len);
    FUZZ_CHECK(pwrite(b->fd, b->bytes + len, b->n - len, (off_t)len) == rest,
               "cannot mend");
}

int main(int argc, char **argv)
{
    struct declog_base base;
    const size_t step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    const size_t first = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    FUZZ_CHECK(step > 0, "usage: test_declog_cut [STEP [FIRST]]");
    for (int complete = 0; complete < 2; complete++) {
        declog_base_make(&base, 1, complete);
        for (size_t len = first; len < base.n; len += step)
            cut_at(&base, len);
        free(base.bytes);
        close(base.fd);
    }
    printf("%zu cuts refused, %zu read as far as it goes\n", n_refused, n_read);
    return 0;
}
