/* Knobs for benchmarks: as many as asked for, spread over the opportunity tags
 * of the rules that bench_gen's findings come from. */
#ifndef DFOPT_BENCH_KNOBS_H
#define DFOPT_BENCH_KNOBS_H

#include <stdio.h>

/* Writes the body of a registration with n knobs, as one line of JSON without
 * its end. The same n gives the same text. */
void bench_knobs_write(FILE *out, unsigned n);

#endif
