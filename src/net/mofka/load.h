/* Finds and loads the module that contains Mofka's client. */
#ifndef DFOPT_NET_MOFKA_LOAD_H
#define DFOPT_NET_MOFKA_LOAD_H

#include "net/mofka/module.h"

/* Loads the module: only `path` if given; otherwise the module beside this
 * program or library in its build or installation. It stays loaded until the
 * process ends. Returns OK, or STATE: missing or not loadable; the text names
 * what is missing and how to get it. Sets IPATH_NO_BACKTRACE=1 in the
 * environment unless it is set: otherwise a library below Mofka installs signal
 * handlers. */
enum dfopt_err dfopt_mofka_load(const struct dfopt_mofka_module **out,
                                const char *path, struct dfopt_error *err);

#endif
