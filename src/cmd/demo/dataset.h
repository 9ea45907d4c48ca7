/* The loader's data set: files of fixed-size records with checksums. A set is
 * part-0000.rec, part-0001.rec ... in a folder. Its bytes depend on its shape only.
 * Numbers are in host byte order. */
#ifndef DFOPT_CMD_DEMO_DATASET_H
#define DFOPT_CMD_DEMO_DATASET_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

#define DEMO_MAX_FILES        1024
#define DEMO_MAX_RECORDS      (1 << 20) /* per file */
#define DEMO_MAX_RECORD_BYTES (16 << 20)

struct demo_shape {
    uint32_t files;
    uint32_t records;      /* per file */
    uint32_t record_bytes; /* payload */
    uint64_t seed;
};

/* A record as read and verified. */
struct demo_sample {
    uint64_t record;   /* its number, as stored */
    uint64_t checksum; /* of the payload */
    size_t len;        /* of the payload */
    const void *bytes; /* the payload, inside buffer */
    void *buffer;      /* owned: demo_sample_free */
    size_t buffer_size;
};

struct demo_dataset;

/* Creates the missing files of a set, and the folder; files are created atomically.
 * Returns OK, IO or NOMEM; the text names the file. */
enum dfopt_err demo_dataset_make(const char *folder, const struct demo_shape *shape,
                                 struct dfopt_error *err);

/* Opens a set. `shape`: the required one; NULL: any. Returns OK, with *out owned:
 * demo_dataset_close; IO; FORMAT (a file does not belong to this set); STATE
 * (different shape); NOMEM. */
enum dfopt_err demo_dataset_open(struct demo_dataset **out, const char *folder,
                                 const struct demo_shape *shape,
                                 struct dfopt_error *err);
void demo_dataset_close(struct demo_dataset *d);

uint64_t demo_dataset_records(const struct demo_dataset *d);
size_t demo_dataset_record_bytes(const struct demo_dataset *d); /* of the payload */

/* Sum of the checksums of all records, from the file headers. */
uint64_t demo_dataset_digest(const struct demo_dataset *d);

/* Allocates room for one record. Returns OK or NOMEM. */
enum dfopt_err demo_sample_init(struct demo_sample *s,
                                const struct demo_dataset *d);
void demo_sample_free(struct demo_sample *s);

/* Reads a record with one pread and verifies number and checksum. Thread-safe if
 * each thread has its own sample. Returns OK; IO; FORMAT (the file is truncated, or
 * number or checksum are wrong); the text names file and record. */
enum dfopt_err demo_dataset_read(const struct demo_dataset *d, uint64_t record,
                                 struct demo_sample *out, struct dfopt_error *err);

#endif
