/* The owner of a node, by XXH3, whose values never change. */
#include "engine/comm/partition.h"

#include "base/hostname.h"

#include <xxhash.h>

uint32_t dfopt_partition_owner(const char *node, size_t len, uint32_t planners)
{
    char key[DFOPT_HOSTNAME_KEY_MAX];
    const size_t n = dfopt_hostname_key(node, len, key);
    if (n > 0) {
        node = key;
        len = n;
    }
    /* the high half, scaled: uniform for any number of planners */
    uint64_t h = XXH3_64bits(node, len) >> 32;
    return (uint32_t)(h * planners >> 32);
}
