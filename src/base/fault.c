/* The handler makes async-signal-safe calls only. backtrace() is one once its
 * libraries are loaded, which the first call, at startup, ensures. */
#include "base/fault.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <execinfo.h>
#endif

#define FRAMES_MAX  64
#define STACK_BYTES (64 * 1024)

static const struct {
    int number;
    const char *name;
} faults[] = {{SIGSEGV, "SIGSEGV"},
              {SIGBUS, "SIGBUS"},
              {SIGFPE, "SIGFPE"},
              {SIGILL, "SIGILL"},
              {SIGABRT, "SIGABRT"}};

static char who[512]; /* the prefix of the line */
static char stack[STACK_BYTES];

/* The rank from the launcher's environment; MPI may not be initialised yet. */
static const char *rank_of(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                                        "PMI_RANK", "SLURM_PROCID",
                                        "FLUX_TASK_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *rank = getenv(names[i]);
        if (rank && *rank)
            return rank;
    }
    return "0";
}

static void put(const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        const ssize_t n = write(STDERR_FILENO, text, len);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void put_address(uintptr_t address)
{
    char text[2 + 2 * sizeof address + 1];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = "0123456789abcdef"[address % 16];
        address /= 16;
    } while (address);
    *--at = 'x';
    *--at = '0';
    put(at);
}

static void put_calls(void)
{
#ifdef __GLIBC__
    void *frames[FRAMES_MAX];
    const int n = backtrace(frames, FRAMES_MAX);
    put("; called from\n");
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
#else
    put("\n");
#endif
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    const char *name = "fault";
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].number == number)
            name = faults[i].name;
    put(who);
    put(name);
    if (number != SIGABRT && info->si_code > 0) { /* from the kernel */
        put(" at address ");
        put_address((uintptr_t)info->si_addr);
    }
    put_calls();
    raise(number); /* re-raise with the default action: the handler is reset */
}

void dfopt_fault_trace(const char *name)
{
#ifdef __SANITIZE_ADDRESS__ /* prints a better trace itself */
    (void)name;
    return;
#endif
    char host[256] = "";
    void *first[1];
    (void)gethostname(host, sizeof host - 1);
    snprintf(who, sizeof who, "%s: rank %s, process %ld on %s, ended by ", name,
             rank_of(), (long)getpid(), host);
#ifdef __GLIBC__
    (void)backtrace(first, 1);
#else
    (void)first;
#endif
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction a = {.sa_sigaction = on_fault,
                          .sa_flags =
                              (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND)};
    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigaction(faults[i].number, &a, NULL);
}
