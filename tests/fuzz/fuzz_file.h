/* For targets that read a file: one that is empty at first, open, and removed at
 * the end. */
#ifndef DFOPT_TESTS_FUZZ_FILE_H
#define DFOPT_TESTS_FUZZ_FILE_H

#include "fuzz.h"

#include <sys/types.h>
#include <unistd.h>

static char fuzz_path[] = "/tmp/dfopt-fuzz-XXXXXX";
static int fuzz_fd = -1;

static void fuzz_remove_file(void)
{
    unlink(fuzz_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_fd = mkstemp(fuzz_path);
    FUZZ_CHECK(fuzz_fd >= 0, "%s", fuzz_path);
    atexit(fuzz_remove_file);
    return 0;
}

/* Writes the bytes at an offset; the file ends behind them. */
static inline void fuzz_put_file(const void *bytes, size_t n, off_t at)
{
    FUZZ_CHECK(pwrite(fuzz_fd, bytes, n, at) == (ssize_t)n &&
                   ftruncate(fuzz_fd, at + (off_t)n) == 0,
               "cannot write");
}

#endif
