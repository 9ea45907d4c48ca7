/* The writer's HDF5 file driver: plain pread and pwrite, but a failed write is
 * remembered, not reported to HDF5.
 *
 * HDF5 1.10 cannot recover from a write that fails within a flush: the file can no
 * longer be flushed or closed, and the clean-up in MPI_Finalize crashes. So HDF5
 * never sees a failure: the writer checks after each step, and from the first
 * failure on the file stays as a kill at that moment would have left it. */
#ifndef DFOPT_DECLOG_DRIVER_H
#define DFOPT_DECLOG_DRIVER_H

#include "declog/place.h"

#include <hdf5.h>

/* State of one file. Outlives it. */
struct dfopt_driver {
    int failure;             /* errno of the first write that failed; 0: none did */
    struct dfopt_place file; /* identifies the file, whatever its name */
    hid_t id;                /* the driver class in HDF5 */
};

/* Creates a file, which must not exist yet. `access` is a file access list; it
 * gets this driver. Negative: failure, and d->failure is set if the system
 * reported it. *d is borrowed until the file is closed; then
 * dfopt_driver_close. */
hid_t dfopt_driver_create_file(struct dfopt_driver *d, const char *path,
                               hid_t create, hid_t access);
void dfopt_driver_close(struct dfopt_driver *d); /* a zeroed one is fine */

#endif
