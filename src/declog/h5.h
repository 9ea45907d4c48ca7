/* HDF5 helpers shared by the writer and the reader. */
#ifndef DFOPT_DECLOG_H5_H
#define DFOPT_DECLOG_H5_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

/* Call before any other HDF5 function: no error stack on stderr, no clean-up at
 * exit (which can loop on a full disk). */
void dfopt_h5_quiet(void);

/* Fills *err with code, "path: what: reason"; the reason is the system's if
 * known, else HDF5's innermost. Clears HDF5's stack. Returns code. */
enum dfopt_err dfopt_h5_error(struct dfopt_error *err, enum dfopt_err code,
                              const char *path, const char *what);

/* Whether the path is a readable regular file: HDF5 would block for ever on a
 * pipe. OK, or IO with the path and the reason. */
enum dfopt_err dfopt_h5_look(const char *path, struct dfopt_error *err);

struct dfopt_h5_access { /* how a file was opened */
    bool live;           /* in SWMR mode: a writer has it open, or was killed */
    bool cut;            /* truncated: shorter than its header states */
};

/* Opens a file for reading, in the strictest mode that it allows; `how`, if not
 * NULL, reports it. Negative: failure. */
hid_t dfopt_h5_open(const char *path, struct dfopt_h5_access *how);

/* Closes any object and preserves HDF5's error stack, which cleaning up after a
 * failure would otherwise clear. Negative ids are fine. */
void dfopt_h5_close(hid_t id);

/* The type of texts: variable-length UTF-8. Returns owned. Negative: failure. */
hid_t dfopt_h5_text_type(void);

/* Scalar attributes. Texts are variable-length UTF-8: not allowed once SWMR has
 * started. Negative: failure. */
herr_t dfopt_h5_write_text(hid_t object, const char *name, const char *text);
herr_t dfopt_h5_write_int(hid_t object, const char *name, int64_t value);
herr_t dfopt_h5_write_real(hid_t object, const char *name, double value);
herr_t dfopt_h5_read_int(hid_t object, const char *name, int64_t *value);
herr_t dfopt_h5_read_real(hid_t object, const char *name, double *value);

/* Appends the text and a NUL to *out. */
herr_t dfopt_h5_read_text(hid_t object, const char *name, struct dfopt_buf *out);

#endif
