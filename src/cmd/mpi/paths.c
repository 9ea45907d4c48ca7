#include "cmd/mpi/paths.h"

#include "journal/journal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows */
#define FILES_MAX 16

/* ---- one path ---- */

/* Length of the folder's part, with its slash. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What a link names, from where the link is; NULL: no link, or no memory. */
static char *target_of(const char *path)
{
    char text[PATH_MAX], *target;
    const ssize_t n = readlink(path, text, sizeof text - 1);
    if (n <= 0)
        return NULL;
    text[n] = '\0';
    const int folder = text[0] == '/' ? 0 : (int)folder_len(path);
    return asprintf(&target, "%.*s%s", folder, path, text) < 0 ? NULL : target;
}

char *dfopt_path_follow(const char *path)
{
    char *at = strdup(path), *next;
    for (int i = 0; at && i < LINKS_MAX && (next = target_of(at)); i++) {
        free(at);
        at = next;
    }
    return at;
}

/* Whether two paths of files that do not exist would name one file. */
static bool same_place(const char *a, const char *b)
{
    char real[2][PATH_MAX], *paths[] = {dfopt_path_follow(a), dfopt_path_follow(b)};
    bool same = paths[0] && paths[1];
    const char *base[2] = {NULL, NULL};
    for (int i = 0; i < 2 && same; i++) {
        const size_t len = folder_len(paths[i]);
        char *folder = len ? strndup(paths[i], len) : strdup(".");
        same = folder && realpath(folder, real[i]);
        base[i] = paths[i] + len;
        free(folder);
    }
    same = same && strcmp(base[0], base[1]) == 0 && strcmp(real[0], real[1]) == 0;
    free(paths[0]);
    free(paths[1]);
    return same;
}

bool dfopt_path_same(const char *a, const char *b)
{
    struct stat x, y;
    const bool have_a = stat(a, &x) == 0, have_b = stat(b, &y) == 0;
    if (have_a && have_b) /* several may write to a terminal or /dev/null */
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    return !have_a && !have_b && same_place(a, b);
}

/* ---- those of a run ---- */

struct run_file {
    const char *option, *path;
    bool written;
};

/* NULL, "" and "-" (standard input or output) are no file. */
static void add(struct run_file files[FILES_MAX], size_t *n, const char *option,
                const char *path, bool written)
{
    if (path && *path && strcmp(path, "-") != 0)
        files[(*n)++] = (struct run_file){option, path, written};
}

static size_t list_files(const struct dfopt_options *o, const char *journal,
                         struct run_file files[FILES_MAX])
{
    size_t n = 0;
    add(files, &n, "--registry-file", o->registry_file, false);
    add(files, &n, "--policy", o->policy_file, false);
    add(files, &n, "--sweep", o->sweep.file, false);
    add(files, &n, "--zmq-curve-server-key", o->live.curve.server_secret, false);
    add(files, &n, "--zmq-curve-client-key", o->live.curve.client_secret, false);
    add(files, &n, "--zmq-curve-peer-key", o->live.curve.server_public, false);
    add(files, &n, "--group-file", o->mofka.group_file, false);
    add(files, &n, "--global-group-file", o->mofka.global_group_file, false);
    add(files, &n, o->resume ? "--resume" : "--decision-log", o->decision_log,
        true);
    add(files, &n, "the journal of the decision log", journal, true);
    add(files, &n, "--record", o->live.record, true);
    add(files, &n, "--plans-file", o->plans_file, true);
    add(files, &n, "--final-state", o->final_state_file, true);
    add(files, &n, "--endpoints-file", o->live.endpoints_file, true);
    add(files, &n, "--sweep-output", o->sweep.output, true);
    return n;
}

enum dfopt_err dfopt_paths_check(const struct dfopt_options *o,
                                 struct dfopt_error *err)
{
    struct run_file files[FILES_MAX];
    char *journal = NULL;
    if (o->decision_log &&
        asprintf(&journal, "%s" DFOPT_JOURNAL_SUFFIX, o->decision_log) < 0)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = DFOPT_OK;
    const size_t n = list_files(o, journal, files);
    for (size_t i = 0; i < n && !e; i++)
        for (size_t k = 0; k < i && !e; k++)
            if (files[i].written && dfopt_path_same(files[i].path, files[k].path))
                e = dfopt_error_set(err, DFOPT_ERR_ARG,
                                    "%s %s: also the file of %s; write to another "
                                    "file",
                                    files[i].option, files[i].path,
                                    files[k].option);
    free(journal);
    return e;
}
