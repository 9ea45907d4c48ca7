/* The module is located relative to this code, so that an installation may be
 * moved: beside a build's libraries, or in libdir. */
#include "net/mofka/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "dfopt_mofka.so"

/* Relative to the folder of this program or library, in this order. */
static const char *const places[] = {
    "../src/net/mofka/" MODULE,           /* a build: programs */
    "../net/mofka/" MODULE,               /* and the client library */
    "dfopt-mpi/" MODULE,                  /* a library in libdir */
    DFOPT_MODULES_FROM_BINDIR "/" MODULE, /* a program in bindir */
};

/* The folder that this file's code was loaded from: a library's or, where the
 * loader has no name, the program's, whose argv[0] may lack a folder. */
static bool own_folder(char *out, size_t size)
{
    Dl_info info;
    struct link_map *map;
    static const char here;
    char path[PATH_MAX];
    if (!dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) ||
        !realpath(*map->l_name ? map->l_name : "/proc/self/exe", path))
        return false;
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) >= size)
        return false;
    *slash = '\0';
    memcpy(out, path, (size_t)(slash - path) + 1);
    return true;
}

static bool find(char *out, size_t size)
{
    char folder[PATH_MAX];
    if (!own_folder(folder, sizeof folder))
        return false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int n = snprintf(out, size, "%s/%s", folder, places[i]);
        if (n > 0 && (size_t)n < size && access(out, R_OK) == 0)
            return true;
    }
    return false;
}

static enum dfopt_err load(const struct dfopt_mofka_module **out, const char *path,
                           struct dfopt_error *err)
{
    setenv("IPATH_NO_BACKTRACE", "1", 0);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return dfopt_error_set(
            err, DFOPT_ERR_STATE,
            "cannot load the Mofka client (is it on LD_LIBRARY_PATH?): %s",
            dlerror());
    const struct dfopt_mofka_module *m = dlsym(library, DFOPT_MOFKA_SYMBOL);
    if (!m || m->abi != DFOPT_MOFKA_ABI) {
        dlclose(library);
        return dfopt_error_set(err, DFOPT_ERR_STATE,
                               "%s belongs to another version of dfopt-mpi", path);
    }
    *out = m;
    return DFOPT_OK;
}

enum dfopt_err dfopt_mofka_load(const struct dfopt_mofka_module **out,
                                const char *path, struct dfopt_error *err)
{
    char found[PATH_MAX];
    if (path && access(path, R_OK) != 0)
        return dfopt_error_set(err, DFOPT_ERR_STATE, "DFOPT_MOFKA_MODULE=%s: %s",
                               path, strerror(errno));
    if (!path && !find(found, sizeof found))
        return dfopt_error_set(
            err, DFOPT_ERR_STATE,
            "built without Mofka (no %s): install Mofka, for example with Spack "
            "(spack install mofka), and build dfopt-mpi with -DDFOPT_WITH_MOFKA=ON",
            MODULE);
    return load(out, path ? path : found, err);
}
