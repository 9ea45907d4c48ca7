/* The file layout of a data set. */
#ifndef DFOPT_CMD_DEMO_DATASET_FORMAT_H
#define DFOPT_CMD_DEMO_DATASET_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

#define DEMO_MAGIC     "DFOPTDS1"
#define DEMO_PATH_SIZE 4096

/* The header of each file. */
struct demo_file_head {
    char magic[8];
    uint32_t file, files, records, record_bytes;
    uint64_t seed;
    uint64_t digest; /* sum of the checksums of the records */
    uint64_t check;  /* hash of the members above */
};

/* The header of each record. */
struct demo_record_head {
    uint64_t record;
    uint64_t checksum; /* of the payload, seeded with the number to detect a
                          misplaced payload */
};

static inline uint64_t demo_head_check(const struct demo_file_head *h)
{
    return XXH3_64bits(h, offsetof(struct demo_file_head, check));
}

static inline uint64_t demo_payload_checksum(const void *bytes, size_t len,
                                             uint64_t record)
{
    return XXH3_64bits_withSeed(bytes, len, record);
}

#endif
