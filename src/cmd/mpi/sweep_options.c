/* Options of a sweep, as an argp child of those of dfopt-mpi. */
#include "cmd/mpi/sweep_options.h"

#include "cmd/mpi/option_values.h"
#include "model/sweep.h"

#include <errno.h>
#include <stdlib.h>

enum key {
    KEY_SWEEP = 0x400,
    KEY_OUTPUT,
    KEY_DRY_RUN,
    KEY_RESUME,
    KEY_DECISIONS,
    KEY_MEMORY
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Sweeps", 1},
    {"sweep", KEY_SWEEP, "FILE", 0,
     "Decide the input under every variant of the policy that this JSON file "
     "describes, and measure each",
     0},
    {"sweep-output", KEY_OUTPUT, "FILE.h5", 0,
     "Write the variants, their policies and what was measured there; read it with "
     "dfopt-log sweep or h5py",
     0},
    {"sweep-dry-run", KEY_DRY_RUN, 0, 0,
     "Check everything, list the variants on standard output, and end", 0},
    {"sweep-resume", KEY_RESUME, 0, 0,
     "Go on with the sweep that was interrupted, if its journal is beside the "
     "output",
     0},
    {"sweep-decisions", KEY_DECISIONS, "LIST", 0,
     "Keep every verdict and plan of these variants, too: numbers and ranges, "
     "as in 0,7,20-29",
     0},
    {"sweep-memory", KEY_MEMORY, "MIB", 0,
     "For the variants that a rank decides together (default 1024)", 0},
    {0, 0, 0, 0, 0, 0},
};

/* Reads N or N-M and moves *at behind it. Returns whether it is one. */
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

static error_t read_list(struct argp_state *state, const char *text,
                         struct dfopt_sweep_options *o)
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
        const error_t e = add_range(o, first, last);
        if (e || !*at)
            return e;
    }
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
    struct dfopt_sweep_options *o = state->input;
    switch (key) {
    case KEY_SWEEP:
        o->file = arg;
        return 0;
    case KEY_OUTPUT:
        o->output = arg;
        return 0;
    case KEY_DRY_RUN:
        o->dry_run = true;
        return 0;
    case KEY_RESUME:
        o->resume = true;
        return 0;
    case KEY_DECISIONS:
        return read_list(state, arg, o);
    case KEY_MEMORY:
        return dfopt_option_number(state, "sweep-memory", arg, 1, (int64_t)1 << 30,
                                   &o->memory_mib);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dfopt_sweep_argp = {.options = table, .parser = parse_one};

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
    if (!wrong)
        return 0;
    argp_error(state, "%s", wrong);
    return EINVAL;
}
