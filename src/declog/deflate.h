/* Deflates bytes into a zlib stream, compatible with HDF5's own filter. Level 1
 * uses ISA-L if the build has it: a third of the time, streams a few per cent
 * larger. Other levels use libdeflate. */
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
