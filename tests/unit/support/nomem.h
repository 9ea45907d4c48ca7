/* Memory that runs out: the Nth allocation fails, for every N. A program that
 * includes this is linked with dfopt_fail_allocations (nomem.cmake), so that what
 * our own libraries allocate in the thread of the test comes here; what the
 * libraries below them do is theirs. Each scenario is a whole life: what it made it
 * destroys, which the leak checker of a sanitized build holds it to. */
#ifndef DFOPT_TESTS_NOMEM_H
#define DFOPT_TESTS_NOMEM_H

#include "dfopt/error.h"
#include "support/unit.h"

#include <stdbool.h>
#include <stdlib.h>

static _Thread_local size_t nomem_left; /* allocations that succeed; 0: no limit */
static _Thread_local bool nomem_failed;

static inline bool nomem_now(void)
{
    if (nomem_left == 0 || --nomem_left > 0)
        return false;
    nomem_failed = true;
    return true;
}

#define NOMEM_WRAP(name, parameters, arguments)                                    \
    void *__real_##name parameters;                                                \
    void *__wrap_##name parameters;                                                \
    void *__wrap_##name parameters                                                 \
    {                                                                              \
        return nomem_now() ? NULL : __real_##name arguments;                       \
    }

NOMEM_WRAP(malloc, (size_t n), (n))
NOMEM_WRAP(calloc, (size_t n, size_t size), (n, size))
NOMEM_WRAP(realloc, (void *p, size_t n), (p, n))
NOMEM_WRAP(strdup, (const char *text), (text))
#ifdef DFOPT_HAVE_SIMDJSON /* new (std::nothrow), of one and of many */
NOMEM_WRAP(_ZnwmRKSt9nothrow_t, (size_t n, const void *tag), (n, tag))
NOMEM_WRAP(_ZnamRKSt9nothrow_t, (size_t n, const void *tag), (n, tag))
#endif

struct nomem_case {
    const char *name;
    enum dfopt_err (*run)(void); /* what it came to */
    bool does_without; /* there is another way where memory is missing: OK, too */
};

/* Runs the case with the 1st, 2nd, ... allocation failing, until none is left. */
static inline void nomem_each(const struct nomem_case *c)
{
    size_t n = 0;
    do {
        nomem_failed = false;
        nomem_left = ++n;
        const enum dfopt_err e = c->run();
        nomem_left = 0;
        if (!nomem_failed && e != DFOPT_OK)
            fail_msg("%s: %d with all the memory", c->name, (int)e);
        if (nomem_failed && e != DFOPT_ERR_NOMEM &&
            !(e == DFOPT_OK && c->does_without))
            fail_msg("%s: %d when allocation %zu failed", c->name, (int)e, n);
    } while (nomem_failed);
    if (n < 2)
        fail_msg("%s: nothing was allocated", c->name);
    print_message("%s: %zu allocations\n", c->name, n - 1);
}

#endif
