/* The real MPI functions behind the interposed ones. This library defines both
 * names, MPI_File_open and PMPI_File_open, because the Fortran bindings of Open MPI
 * call the second; so the real ones are looked up at run time. */
#ifndef DFOPT_MPIIO_REAL_H
#define DFOPT_MPIIO_REAL_H

#include <mpi.h>

#include <dlfcn.h>
#include <stdatomic.h>

static inline void *dfopt_real_find(_Atomic(void *) *kept, const char *name)
{
    void *at = atomic_load_explicit(kept, memory_order_relaxed);
    if (!at) {
        at = dlsym(RTLD_NEXT, name);
        atomic_store_explicit(kept, at, memory_order_relaxed);
    }
    return at;
}

/* Calls the real function; MPI_ERR_INTERN if the MPI library has none. */
#define DFOPT_REAL(name, ...)                                                      \
    __extension__({                                                                \
        static _Atomic(void *) kept;                                               \
        __typeof__(&MPI_##name) real =                                             \
            (__typeof__(&MPI_##name))dfopt_real_find(&kept, "PMPI_" #name);        \
        real ? real(__VA_ARGS__) : MPI_ERR_INTERN;                                 \
    })

/* Defines the second name of a function in the same file. */
#define DFOPT_SECOND_NAME(name)                                                    \
    extern __typeof__(MPI_##name) PMPI_##name                                      \
        __attribute__((alias("MPI_" #name), visibility("default")))

#endif
