/* Storage profiles: the time a read takes beyond copying its bytes, which emulates
 * real storage. The arithmetic is pure; reads wait in real time, on real threads.
 */
#ifndef DFOPT_CMD_DEMO_STORAGE_H
#define DFOPT_CMD_DEMO_STORAGE_H

#include "dfopt/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum demo_profile {
    DEMO_LATENCY,    /* each read waits; more readers read more */
    DEMO_BANDWIDTH,  /* and all share a bandwidth */
    DEMO_CONTENTION, /* beyond some concurrent readers the throughput falls, and
                      * some reads wait much longer than others */
    DEMO_MEMORY,     /* reads are slow while more than a budget is held */
    DEMO_STEP        /* DEMO_LATENCY, and from a window on another profile */
};

#define DEMO_BURST_NS       10000000 /* that an idle bandwidth saves up */
#define DEMO_MEMORY_PENALTY 5        /* latencies of a read beyond the budget */

/* Zeroed it is storage that costs nothing. */
struct demo_storage_options {
    enum demo_profile profile;
    int64_t latency_ns;        /* of a read */
    int64_t bytes_per_second;  /* BANDWIDTH */
    int64_t best_readers;      /* CONTENTION: at which the throughput is highest */
    uint64_t seed;             /* CONTENTION: of the luck of reads */
    int64_t budget;            /* MEMORY: bytes held in prefetch buffers */
    int64_t step_at;           /* STEP: the first window of step_to */
    enum demo_profile step_to; /* not STEP */
};

/* The profile of a window: never DEMO_STEP. */
enum demo_profile demo_storage_profile(const struct demo_storage_options *o,
                                       int64_t window);

/* A token bucket: bytes pass at a rate; up to DEMO_BURST_NS of it is saved up. */
struct demo_bucket {
    int64_t next_ns; /* when all that was taken so far has passed */
};

/* Takes so many bytes at a moment. Returns how long they wait, in ns. Moments do
 * not go back. */
int64_t demo_bucket_take(struct demo_bucket *b, int64_t bytes_per_second,
                         int64_t now_ns, size_t bytes);

/* A read beside others, `readers` with it. On the mean it takes
 * 1 + n (n - 1) / best^2 latencies with n readers: their throughput is highest at
 * `best`. Up to `best` readers all are served alike. Beyond, reads queue, and
 * `luck` is how long this one waits in the queue, as a share of the mean wait. */
int64_t demo_contention_ns(int64_t latency_ns, int64_t best, unsigned readers,
                           double luck);

/* The luck of the read of this number, 0..7, 1 on the mean: half of all reads have
 * less than 0.11, one in forty more than 6. It is bounded, or single reads would
 * decide how good a window is. */
double demo_luck(uint64_t seed, uint64_t read);

/* A read while so many bytes are held, itself included. */
int64_t demo_memory_ns(int64_t latency_ns, int64_t budget, uint64_t held);

struct demo_storage {
    struct demo_storage_options options;
    pthread_mutex_t lock; /* guards what follows */
    enum demo_profile profile;
    unsigned readers;
    uint64_t reads; /* that have begun */
    struct demo_bucket bucket;
};

void demo_storage_init(struct demo_storage *s,
                       const struct demo_storage_options *options);
void demo_storage_destroy(struct demo_storage *s);

/* A window begins, and with it perhaps another profile. */
void demo_storage_window(struct demo_storage *s, int64_t window);

/* Around each read, from any threads. begin waits as the profile says: for a record
 * of so many bytes, while `held` bytes are in prefetch buffers, this one's
 * included. */
void demo_storage_begin(struct demo_storage *s, size_t bytes, uint64_t held);
void demo_storage_end(struct demo_storage *s);

#endif
