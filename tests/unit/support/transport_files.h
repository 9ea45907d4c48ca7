/* A directory of files for the tests of the file transport. */
#ifndef DFOPT_TESTS_TRANSPORT_FILES_H
#define DFOPT_TESTS_TRANSPORT_FILES_H

#include "support/unit.h"

#include <dirent.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct files {
    char dir[64];
    int before; /* the working directory */
};

/* Makes a directory and works in it, so that tests name files shortly. */
static inline int files_setup(void **state)
{
    struct files *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->dir, "/tmp/dfopt-transport-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(chmod(f->dir, 0755), 0);
    f->before = open(".", O_RDONLY | O_DIRECTORY);
    assert_true(f->before >= 0);
    assert_int_equal(chdir(f->dir), 0);
    *state = f;
    return 0;
}

/* Removes the directory and what is in it (directories in it are empty). */
static inline int files_teardown(void **state)
{
    struct files *f = *state;
    DIR *d = opendir(".");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (unlink(e->d_name) != 0)
            (void)!rmdir(e->d_name);
    closedir(d);
    assert_int_equal(fchdir(f->before), 0);
    assert_int_equal(rmdir(f->dir), 0);
    close(f->before);
    free(f);
    return 0;
}

/* Writes a file; returns its name. mode: of fopen. */
static inline const char *files_write(const char *name, const char *mode,
                                      const void *data, size_t n)
{
    FILE *out = fopen(name, mode);
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
    return name;
}

static inline const char *files_write_text(const char *name, const char *text)
{
    return files_write(name, "w", text, strlen(text));
}

/* Reads a file of less than cap bytes and puts a NUL behind them. */
static inline size_t files_read(const char *name, char *data, size_t cap)
{
    FILE *in = fopen(name, "r");
    assert_non_null(in);
    size_t n = fread(data, 1, cap, in);
    fclose(in);
    assert_true(n < cap);
    data[n] = '\0';
    return n;
}

/* Puts another descriptor in the place of fd and closes it; returns a copy of
 * what was there, for files_restore_fd. */
static inline int files_replace_fd(int fd, int by)
{
    int saved = dup(fd);
    assert_true(saved >= 0 && by >= 0);
    assert_int_equal(dup2(by, fd), fd);
    close(by);
    return saved;
}

static inline void files_restore_fd(int fd, int saved)
{
    assert_int_equal(dup2(saved, fd), fd);
    close(saved);
}

#endif
