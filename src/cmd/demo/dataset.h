/* The files that the loader reads: fixed-size records, each with a checksum. A set
 * is part-0000.rec, part-0001.rec ... in a folder, and a function of its shape
 * alone: the same shape gives the same bytes. Numbers are in the machine's order.
 */
#ifndef DFOPT_CMD_DEMO_DATASET_H
#define DFOPT_CMD_DEMO_DATASET_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

#define DEMO_MAX_FILES        1024
#define DEMO_MAX_RECORDS      (1 << 20) /* a file */
#define DEMO_MAX_RECORD_BYTES (16 << 20)

struct demo_shape {
    uint32_t files;
    uint32_t records;      /* a file */
    uint32_t record_bytes; /* payload */
    uint64_t seed;
};

/* One record as read, and verified. */
struct demo_sample {
    uint64_t record;   /* its number, as the file says */
    uint64_t checksum; /* of the payload */
    size_t len;        /* of the payload */
    const void *bytes; /* the payload, inside buffer */
    void *buffer;      /* owned: demo_sample_free */
    size_t buffer_size;
};

struct demo_dataset;

/* Makes what is missing of a set, and the folder; files appear whole or not at
 * all. Returns OK, IO or NOMEM; the text names the file. */
enum dfopt_err demo_dataset_make(const char *folder, const struct demo_shape *shape,
                                 struct dfopt_error *err);

/* Opens a set. `shape`: what it has to be; NULL: any. Returns OK, with *out owned:
 * demo_dataset_close; IO; FORMAT (a file is no part of this set); STATE (another
 * shape); NOMEM. */
enum dfopt_err demo_dataset_open(struct demo_dataset **out, const char *folder,
                                 const struct demo_shape *shape,
                                 struct dfopt_error *err);
void demo_dataset_close(struct demo_dataset *d);

uint64_t demo_dataset_records(const struct demo_dataset *d);
size_t demo_dataset_record_bytes(const struct demo_dataset *d); /* of a payload */

/* Sum of the checksums of all records, as the heads of the files say. */
uint64_t demo_dataset_digest(const struct demo_dataset *d);

/* Room for one record. Returns OK or NOMEM. */
enum dfopt_err demo_sample_init(struct demo_sample *s,
                                const struct demo_dataset *d);
void demo_sample_free(struct demo_sample *s);

/* Reads a record, by one pread, and verifies number and checksum. Any threads at
 * once, each with a sample of its own. Returns OK; IO; FORMAT (the file is cut
 * short, or number or checksum are wrong); the text names file and record. */
enum dfopt_err demo_dataset_read(const struct demo_dataset *d, uint64_t record,
                                 struct demo_sample *out, struct dfopt_error *err);

#endif
