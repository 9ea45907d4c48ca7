/* Reports where a process dies of a fault, such as SIGSEGV. */
#ifndef DFOPT_BASE_FAULT_H
#define DFOPT_BASE_FAULT_H

/* From now on a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes to standard
 * error which process of which host it was, the signal and, with glibc, the calls
 * that led to it; then the signal ends the process as it would have. `name`: of the
 * program, kept. A stack that overflowed is no hindrance on the calling thread.
 * Call it before other threads start. With AddressSanitizer it does nothing, for
 * that tells more. */
void dfopt_fault_trace(const char *name);

#endif
