/* Reports where a process crashes, such as on SIGSEGV. */
#ifndef DFOPT_BASE_FAULT_H
#define DFOPT_BASE_FAULT_H

/* From now on a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes to
 * standard error the host and process, the signal and, with glibc, the call
 * stack; then the signal ends the process as usual. `name`: the program's,
 * kept. Handles a stack overflow on the calling thread. Call it before starting
 * other threads. No effect under AddressSanitizer, which reports more. */
void dfopt_fault_trace(const char *name);

#endif
