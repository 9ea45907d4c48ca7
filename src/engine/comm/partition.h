/* Which planner owns a node: a stable hash of its name, so that the answer is the
 * same on every rank, in every run and on every machine. Names that may belong to
 * one host (base/hostname.h) have one owner: the hash covers the first label. */
#ifndef DFOPT_ENGINE_COMM_PARTITION_H
#define DFOPT_ENGINE_COMM_PARTITION_H

#include <stddef.h>
#include <stdint.h>

/* Number of planners of an online run: rank 0 alone or, with more ranks, all but
 * rank 0. In a file replay every rank is a planner. */
static inline uint32_t dfopt_partition_planners(int ranks)
{
    return ranks > 1 ? (uint32_t)ranks - 1 : 1;
}

/* The rank of an online run's planner. */
static inline int dfopt_partition_rank(uint32_t planner, int ranks)
{
    return ranks > 1 ? (int)planner + 1 : 0;
}

/* The planner (0 .. planners-1) that owns the node. */
uint32_t dfopt_partition_owner(const char *node, size_t len, uint32_t planners);

/* The planner that reports what all planners decide alike: about the job, and
 * about findings without a node. */
#define DFOPT_PARTITION_SPEAKER ((uint32_t)0)

#endif
