/* Helpers around HDF5 that the writer and the reader share. */
#ifndef DFOPT_DECLOG_H5_H
#define DFOPT_DECLOG_H5_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <hdf5.h>

/* Before the first HDF5 call: no error stack on stderr, no clean-up at exit
 * (which can loop where a disk is full). */
void dfopt_h5_quiet(void);

/* Fills *err with code, "path: what: reason"; the reason is the system's if
 * there is one, else HDF5's innermost. Clears HDF5's stack. Returns code. */
enum dfopt_err dfopt_h5_error(struct dfopt_error *err, enum dfopt_err code,
                              const char *path, const char *what);

/* Whether there is a regular file that may be read: HDF5 would wait for ever to
 * open a pipe. OK, or IO with the path and the reason. */
enum dfopt_err dfopt_h5_look(const char *path, struct dfopt_error *err);

struct dfopt_h5_access { /* how a file could be opened */
    bool live;           /* the SWMR way: a writer has it open, or was killed */
    bool cut;            /* it is shorter than its header says */
};

/* Opens a file to read, in the strictest way that it allows; `how`, if not NULL,
 * tells which. Negative: failure. */
hid_t dfopt_h5_open(const char *path, struct dfopt_h5_access *how);

/* Closes any object, and leaves HDF5's error stack as it is: the calls that
 * tidy up after a failure would clear it otherwise. Negative ids are fine. */
void dfopt_h5_close(hid_t id);

/* The type of texts: UTF-8 of variable length. Returns owned. Negative: failure. */
hid_t dfopt_h5_text_type(void);

/* Scalar attributes. Texts are UTF-8 of variable length: not after SWMR has
 * started. Negative: failure. */
herr_t dfopt_h5_write_text(hid_t object, const char *name, const char *text);
herr_t dfopt_h5_write_int(hid_t object, const char *name, int64_t value);
herr_t dfopt_h5_write_real(hid_t object, const char *name, double value);
herr_t dfopt_h5_read_int(hid_t object, const char *name, int64_t *value);
herr_t dfopt_h5_read_real(hid_t object, const char *name, double *value);

/* Appends the text and a NUL to *out. */
herr_t dfopt_h5_read_text(hid_t object, const char *name, struct dfopt_buf *out);

#endif
