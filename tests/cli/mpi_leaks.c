/* Preloaded into sanitized programs under test, so that leaks of Open MPI are not
 * taken for ours: what it allocates to start is left out, and the check for leaks
 * is made before it ends and unloads what its allocations hang on. (Telling them
 * apart by their stacks afterwards needs whole stacks of every allocation and the
 * symbols of every library: seconds for each program.) */
#include <mpi.h>

#define EXPORTED __attribute__((visibility("default")))

/* Of LeakSanitizer; not there in a program without MPI, which does not call us. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);
__attribute__((weak)) void __lsan_do_leak_check(void);

EXPORTED int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    __lsan_disable();
    const int code = PMPI_Init_thread(argc, argv, required, provided);
    __lsan_enable();
    return code;
}

/* Ends the program with the report if there are leaks; a later check is none. */
EXPORTED int MPI_Finalize(void)
{
    __lsan_do_leak_check();
    return PMPI_Finalize();
}
