/* Decision logs with bytes of the file changed, and cut: HDF5's part comes first
 * and our reading after it. The first byte chooses the log (closed in order, or its
 * writer killed) and whether its end is lost; then come edits of 5 bytes: offset
 * (4), and what the byte there is combined with by exclusive or. */
#include "declog_base.h"
#include "fuzz.h"

#include <unistd.h>

#define EDITS_MAX 16

static struct declog_base bases[2];

/* HDF5 1.10 keeps texts of variable length in heaps ("GCOL", their size 8 bytes on)
 * that have no checksum, and believes the sizes in them: a wrong one makes it read
 * and write beyond its memory. It is HDF5's to mend: no edits there. */
static int in_heap(const struct declog_base *b, size_t at)
{
    for (size_t i = 0; i + 16 <= b->n && i <= at; i += 8) {
        uint64_t n;
        memcpy(&n, b->bytes + i + 8, sizeof n);
        if (memcmp(b->bytes + i, "GCOL", 4) == 0 && at - i < n)
            return 1;
    }
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    declog_base_make(&bases[0], 1, 1);
    declog_base_make(&bases[1], 1, 0);
    return 0;
}

static void put(const struct declog_base *b, const void *bytes, size_t n, off_t at)
{
    FUZZ_CHECK(pwrite(b->fd, bytes, n, at) == (ssize_t)n, "cannot write");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    const uint64_t how = fuzz_number(&in, 1);
    const struct declog_base *b = &bases[how & 1];
    off_t at[EDITS_MAX];
    struct dfopt_error err;
    size_t n = 0, end = b->n;
    if (how & 2)
        end = (size_t)(fuzz_number(&in, 4) % b->n);
    for (; n < EDITS_MAX && in.left > 0; n++) {
        at[n] = (off_t)(fuzz_number(&in, 4) % b->n);
        const uint64_t change = fuzz_number(&in, 1);
        const uint8_t byte = (uint8_t)(b->bytes[at[n]] ^ change);
        if (in_heap(b, (size_t)at[n]))
            continue;
        put(b, &byte, 1, at[n]);
    }
    FUZZ_CHECK(ftruncate(b->fd, (off_t)end) == 0, "cannot cut");
    (void)declog_base_read(b->path, &err);
    put(b, b->bytes + end, b->n - end, (off_t)end);
    for (size_t i = 0; i < n; i++)
        put(b, b->bytes + at[i], 1, at[i]);
    return 0;
}
