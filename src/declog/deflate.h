/* Deflate of one run of bytes into a zlib stream, as HDF5's own filter reads and
 * writes it. Level 1 is ISA-L's where the build has it: at a third of the time,
 * its streams are a few per cent larger. All else is libdeflate's. */
#ifndef DFOPT_DECLOG_DEFLATE_H
#define DFOPT_DECLOG_DEFLATE_H

#include "dfopt/error.h"

#include <stddef.h>

struct dfopt_deflate;

/* level 1 to 9. Returns OK or NOMEM. One thread. */
enum dfopt_err dfopt_deflate_create(struct dfopt_deflate **out, int level);
void dfopt_deflate_destroy(struct dfopt_deflate *d);

/* Writes the stream to `out` and returns its length; 0 if it does not fit. */
size_t dfopt_deflate_run(struct dfopt_deflate *d, const void *in, size_t n,
                         void *out, size_t room);

#endif
