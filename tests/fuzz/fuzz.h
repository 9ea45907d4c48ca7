/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: it
 * must take any bytes, and calls abort() (FUZZ_CHECK) where what the code under
 * test did is wrong. In the preset `fuzz` it is linked with libFuzzer; everywhere
 * else with replay.c, which runs the seeds of seeds/TARGET through it. */
#ifndef DFOPT_TESTS_FUZZ_H
#define DFOPT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional: called once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FUZZ_CHECK(condition, ...)                                                 \
    do {                                                                           \
        if (!(condition)) {                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);        \
            fprintf(stderr, __VA_ARGS__);                                          \
            fputc('\n', stderr);                                                   \
            abort();                                                               \
        }                                                                          \
    } while (0)

/* The input, read from its front. Nothing left reads as zeros. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline uint64_t fuzz_number(struct fuzz_input *in, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes && in->left > 0; i++, in->at++, in->left--)
        n |= (uint64_t)*in->at << 8 * i;
    return n;
}

/* At most n bytes; *taken is how many. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t n,
                                        size_t *taken)
{
    const uint8_t *at = in->at;
    *taken = n < in->left ? n : in->left;
    in->at += *taken;
    in->left -= *taken;
    return at;
}

/* A copy of exactly that size, so that the sanitizer sees each byte read too far.
 */
static inline void *fuzz_copy(const void *bytes, size_t n)
{
    void *copy = malloc(n ? n : 1);
    FUZZ_CHECK(copy, "out of memory");
    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

#endif
