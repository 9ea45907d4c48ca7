/* A main for a fuzz target where there is no libFuzzer: runs files, and all files
 * of folders, through it. usage: fuzz_TARGET FILE|FOLDER... */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#pragma weak LLVMFuzzerInitialize

static size_t n_run;

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (f)
            fclose(f);
        return 1;
    }
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    FUZZ_CHECK(bytes, "out of memory");
    const size_t n = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    printf("%s: %zu bytes\n", path, n);
    fflush(stdout); /* names the file of a crash */
    uint8_t *copy = fuzz_copy(bytes, n);
    free(bytes);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    n_run++;
    return 0;
}

static int run(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return run_file(path);
    int status = 0;
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        char name[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        status |= run_file(name);
    }
    closedir(folder);
    return status;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        status |= run(argv[i]);
    if (n_run == 0) {
        fprintf(stderr, "no input: fuzz_TARGET FILE|FOLDER...\n");
        return 2;
    }
    printf("%zu inputs\n", n_run);
    return status;
}
