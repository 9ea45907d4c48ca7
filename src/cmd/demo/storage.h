/* Storage profiles: how long a read takes beyond copying its bytes, to emulate real
 * storage. The arithmetic is pure; reads wait in real time, on real threads. */
#ifndef DFOPT_CMD_DEMO_STORAGE_H
#define DFOPT_CMD_DEMO_STORAGE_H

#include "dfopt/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum demo_profile {
    DEMO_LATENCY,    /* each read waits; throughput grows with readers */
    DEMO_BANDWIDTH,  /* also, all share a bandwidth */
    DEMO_CONTENTION, /* throughput falls beyond some concurrent readers, and some
                        reads wait much longer than others */
    DEMO_MEMORY,     /* reads are slow while buffers exceed a budget */
    DEMO_STEP        /* DEMO_LATENCY, then another profile from some window on */
};

#define DEMO_BURST_NS       10000000 /* saved up by idle bandwidth */
#define DEMO_MEMORY_PENALTY 5        /* latencies per read beyond the budget */

/* Zeroed: storage without delay. */
struct demo_storage_options {
    enum demo_profile profile;
    int64_t latency_ns;        /* per read */
    int64_t bytes_per_second;  /* BANDWIDTH */
    int64_t best_readers;      /* CONTENTION: number with the highest throughput */
    uint64_t seed;             /* CONTENTION: of the reads' luck */
    int64_t budget;            /* MEMORY: bytes held in prefetch buffers */
    int64_t step_at;           /* STEP: the first window of step_to */
    enum demo_profile step_to; /* not STEP */
};

/* The profile in a window; never DEMO_STEP. */
enum demo_profile demo_storage_profile(const struct demo_storage_options *o,
                                       int64_t window);

/* A token bucket: bytes pass at a rate; up to DEMO_BURST_NS of it accumulates. */
struct demo_bucket {
    int64_t next_ns; /* when everything taken so far has passed */
};

/* Takes `bytes` at `now_ns`, which never decreases. Returns how many ns they
 * wait. */
int64_t demo_bucket_take(struct demo_bucket *b, int64_t bytes_per_second,
                         int64_t now_ns, size_t bytes);

/* Time of a read among `readers` concurrent ones, itself included. With n readers
 * the mean is 1 + n (n - 1) / best^2 latencies, so throughput peaks at `best`. Up
 * to `best`, all readers are served alike. Beyond, reads queue, and `luck` is this
 * one's time in the queue as a share of the mean wait. */
int64_t demo_contention_ns(int64_t latency_ns, int64_t best, unsigned readers,
                           double luck);

/* The luck of read number `read`: 0..7 with mean 1. Half of all reads have less
 * than 0.11, one in forty more than 6. It is bounded, so that single reads do not
 * decide how good a window is. */
double demo_luck(uint64_t seed, uint64_t read);

/* Time of a read while `held` bytes are buffered, its own included. */
int64_t demo_memory_ns(int64_t latency_ns, int64_t budget, uint64_t held);

struct demo_storage {
    struct demo_storage_options options;
    pthread_mutex_t lock; /* guards the members below */
    enum demo_profile profile;
    unsigned readers;
    uint64_t reads; /* started */
    struct demo_bucket bucket;
};

void demo_storage_init(struct demo_storage *s,
                       const struct demo_storage_options *options);
void demo_storage_destroy(struct demo_storage *s);

/* Starts a window, which may change the profile. */
void demo_storage_window(struct demo_storage *s, int64_t window);

/* Call around each read, from any thread. begin waits as the profile says, for a
 * record of `bytes` while `held` bytes, with this record, are in prefetch
 * buffers. */
void demo_storage_begin(struct demo_storage *s, size_t bytes, uint64_t held);
void demo_storage_end(struct demo_storage *s);

#endif
