/* Expands patterns to files. */
#include "transport/file/list.h"

#include "base/standard.h"
#include "transport/file/input.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Checks one file (found by `pattern`); fills *st. */
static enum dfopt_err look_at(const char *path, const char *pattern,
                              struct stat *st, struct dfopt_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? DFOPT_INPUT_STDIN : path;
    if ((is_stdin ? fstat(STDIN_FILENO, st) : stat(path, st)) != 0) {
        if (errno == ENOENT && strpbrk(pattern, "*?[") &&
            strcmp(path, pattern) == 0)
            return dfopt_error_set(err, DFOPT_ERR_IO, "%s: no file matches",
                                   pattern);
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", name, strerror(errno));
    }
    if (is_stdin && !dfopt_standard_in_works())
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: closed, or not open for reading", name);
    if (S_ISDIR(st->st_mode))
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: is a directory", name);
    if (S_ISSOCK(st->st_mode) && !is_stdin) /* open(2) cannot open it */
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: is a socket", name);
    if (!is_stdin && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", name, strerror(errno));
    return DFOPT_OK;
}

/* Checks one path and adds it; clears *all_regular if it is not a regular file. */
static enum dfopt_err add(struct dfopt_file_list *l, const char *path,
                          const char *pattern, bool *all_regular,
                          struct dfopt_error *err)
{
    struct stat st;
    enum dfopt_err e = look_at(path, pattern, &st, err);
    if (e != DFOPT_OK)
        return e;
    for (size_t i = 0; strcmp(path, "-") == 0 && i < l->n; i++)
        if (strcmp(l->entries[i].path, "-") == 0)
            return dfopt_error_set(err, DFOPT_ERR_ARG,
                                   "standard input (-) can be read only once");
    if ((l->n & (l->n - 1)) == 0) { /* full: capacity is the next power of two */
        size_t room = l->n ? l->n * 2 : 1;
        void *grown = realloc(l->entries, room * sizeof *l->entries);
        if (!grown)
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
        l->entries = grown;
    }
    char *copy = strdup(path);
    if (!copy)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    uint64_t size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    *all_regular = *all_regular && S_ISREG(st.st_mode);
    l->entries[l->n++] = (struct dfopt_file_entry){.path = copy, .size = size};
    l->bytes_total += size;
    return DFOPT_OK;
}

static enum dfopt_err add_pattern(struct dfopt_file_list *l, const char *pattern,
                                  bool *all_regular, struct dfopt_error *err)
{
    if (pattern[0] == '\0')
        return dfopt_error_set(err, DFOPT_ERR_ARG, "an empty file name");
    if (!strpbrk(pattern, "*?["))
        return add(l, pattern, pattern, all_regular, err);
    glob_t found = {0};
    enum dfopt_err e = DFOPT_OK;
    /* NOCHECK: an unmatched pattern may be a file with brackets in its name. */
    int g = glob(pattern, GLOB_ERR | GLOB_NOCHECK, NULL, &found);
    if (g == GLOB_NOSPACE)
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", pattern);
    else if (g != 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO,
                            "%s: cannot read a directory of the pattern", pattern);
    for (size_t i = 0; e == DFOPT_OK && i < found.gl_pathc; i++)
        e = add(l, found.gl_pathv[i], pattern, all_regular, err);
    globfree(&found);
    return e;
}

enum dfopt_err dfopt_file_list_make(struct dfopt_file_list *out,
                                    const char *const *patterns, size_t n,
                                    struct dfopt_error *err)
{
    if (n == 0)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "no findings file given");
    struct dfopt_file_list l = {0};
    bool all_regular = true;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; e == DFOPT_OK && i < n; i++)
        e = add_pattern(&l, patterns[i], &all_regular, err);
    if (e != DFOPT_OK) {
        dfopt_file_list_free(&l);
        return e;
    }
    if (!all_regular)
        l.bytes_total = 0;
    *out = l;
    return DFOPT_OK;
}

void dfopt_file_list_free(struct dfopt_file_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->entries[i].path);
    free(l->entries);
    *l = (struct dfopt_file_list){0};
}
