/* Finds and loads the module that contains Mofka's client. */
#ifndef DFOPT_NET_MOFKA_LOAD_H
#define DFOPT_NET_MOFKA_LOAD_H

#include "net/mofka/module.h"

/* Loads the module: `path` alone if it is given; else the one that lies where this
 * program or library was built or installed. It stays loaded until the process
 * ends. Returns OK, or STATE: there is none, or it cannot be loaded; the text names
 * what is missing and how to get it. Sets IPATH_NO_BACKTRACE=1 in
 * the environment unless it is set: else a library below Mofka would catch signals.
 */
enum dfopt_err dfopt_mofka_load(const struct dfopt_mofka_module **out,
                                const char *path, struct dfopt_error *err);

#endif
