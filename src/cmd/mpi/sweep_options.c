/* Options of a sweep: part of dfopt-mpi's table. */
#include "cmd/mpi/sweep_options.h"

#include "model/sweep.h"

#include <errno.h>
#include <stdlib.h>

/* Parses N or N-M and moves *at past it. Returns whether it is one. */
static bool read_range(const char **at, uint64_t *first, uint64_t *last)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    *first = *last = strtoull(*at, &end, 10);
    if (*end == '-') {
        *at = end + 1;
        if (**at < '0' || **at > '9')
            return false;
        *last = strtoull(*at, &end, 10);
    }
    *at = end;
    return *first <= *last && *last < DFOPT_SWEEP_VARIANTS_MAX;
}

static error_t add_range(struct dfopt_sweep_options *o, uint64_t first,
                         uint64_t last)
{
    const size_t n = o->n_decisions + (size_t)(last - first) + 1;
    uint64_t *list = realloc(o->decisions, n * sizeof *list);
    if (!list)
        return ENOMEM;
    o->decisions = list;
    for (uint64_t v = first; v <= last; v++)
        list[o->n_decisions++] = v;
    return 0;
}

static error_t read_list(struct argp_state *state, const char *text, void *into)
{
    const char *at = text;
    for (;; at++) {
        uint64_t first, last;
        if (!read_range(&at, &first, &last) || (*at && *at != ',')) {
            argp_error(state,
                       "--sweep-decisions takes numbers and ranges of variants, as "
                       "in 0,7,20-29, not '%s'",
                       text);
            return EINVAL;
        }
        const error_t e = add_range(into, first, last);
        if (e || !*at)
            return e;
    }
}

#define AT(member) DFOPT_OPTION_AT(struct dfopt_sweep_options, member)

const struct dfopt_option dfopt_sweep_options[] = {
    DFOPT_OPTION_TITLE("Sweeps", 1),
    {"sweep", DFOPT_OPTION_TEXT, "FILE",
     "Decide the input under every variant of the policy that FILE (JSON) "
     "describes,"
     " and measure each",
     AT(file)},
    {"sweep-output", DFOPT_OPTION_TEXT, "FILE.h5",
     "Write the variants, their policies and measurements to FILE.h5, to be read "
     "with dfopt-log sweep or h5py",
     AT(output)},
    {"sweep-dry-run", DFOPT_OPTION_FLAG, NULL,
     "Check everything, list the variants on standard output, and exit",
     AT(dry_run)},
    {"sweep-resume", DFOPT_OPTION_FLAG, NULL,
     "Resume an interrupted sweep from the journal beside its output, if there is "
     "one",
     AT(resume)},
    {"sweep-decisions", DFOPT_OPTION_CALL, "LIST",
     "Also keep every verdict and plan of the variants in LIST: numbers and "
     "ranges, "
     "such as 0,7,20-29",
     .call = read_list},
    {"sweep-memory", DFOPT_OPTION_NUMBER, "MIB",
     "Use at most MIB MiB on each rank for the variants it decides together "
     "(default"
     " 1024)",
     AT(memory_mib), .lo = 1, .hi = 1 << 30},
    {.name = NULL}};

void dfopt_sweep_options_init(struct dfopt_sweep_options *o)
{
    *o = (struct dfopt_sweep_options){.memory_mib = 1024};
}

void dfopt_sweep_options_free(struct dfopt_sweep_options *o)
{
    free(o->decisions);
    o->decisions = NULL;
}

error_t dfopt_sweep_options_check(struct argp_state *state,
                                  const struct dfopt_sweep_options *o)
{
    const char *wrong = NULL;
    if (!o->file && (o->output || o->dry_run || o->resume || o->n_decisions))
        wrong = "options of a sweep need --sweep";
    else if (o->file && !o->output && !o->dry_run)
        wrong = "--sweep needs --sweep-output or --sweep-dry-run";
    return dfopt_option_wrong(state, wrong);
}
