/* What bench_limits measures with. */
#ifndef DFOPT_TESTS_BENCH_LIMITS_H
#define DFOPT_TESTS_BENCH_LIMITS_H

#include "bench_knobs.h"
#include "codec/codec.h"
#include "declog/block.h"
#include "planner/planner.h"
#include "transport/file/split.h"

#include <fcntl.h>
#include <float.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SPLIT = 8 << 20, /* as one rank reads */
    BATCH =
        8192 /* findings decided before their rows are put away; rows of a chunk */
};

struct line {
    const char *at;
    size_t len;
};

/* An objective, taken before the finding. */
struct objective {
    uint64_t before;
    struct dfopt_objective o;
};

struct bench {
    const char *path, *text;
    size_t size;
    struct line *lines;
    size_t n;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_splits *splits;
    struct dfopt_split_reader reader;
    struct dfopt_policy policy;
    struct dfopt_buf objectives; /* struct objective */
    uint64_t nodes;              /* in the findings */
    size_t memory;               /* of the last planner, at its end */
    struct dfopt_buf findings;   /* struct dfopt_finding_row: all of them */
    struct dfopt_decisions all;  /* of all of them, with 10 knobs */
    struct dfopt_decisions now;  /* of a batch */
    struct dfopt_planner *planner;
    struct dfopt_block_packer packer[2]; /* level 0 and 1 */
    struct dfopt_buf block;
    unsigned knobs;
    uint64_t verdicts; /* of the last pass */
    double best;       /* processor seconds of the last part */
    double severity;   /* of the planner with effect severity; 0: not known */
};

static inline void must(enum dfopt_err e, const char *what)
{
    if (!e)
        return;
    fprintf(stderr, "bench_limits: %s: %s\n", what, dfopt_err_text(e));
    exit(1);
}

static inline double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
