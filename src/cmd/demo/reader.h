/* Reader threads behind a prefetch queue. Records arrive in a shuffled order that
 * depends only on seed and epoch, whatever the number of threads: at most
 * `prefetch` of them are read, or being read, ahead of the consumer.
 *
 * Both numbers may change at run time. One thread, the consumer, makes all
 * calls. */
#ifndef DFOPT_CMD_DEMO_READER_H
#define DFOPT_CMD_DEMO_READER_H

#include "cmd/demo/dataset.h"
#include "cmd/demo/storage.h"

#define DEMO_MAX_THREADS  256
#define DEMO_MAX_PREFETCH 1024

struct demo_reader_options {
    unsigned threads, prefetch;         /* initially */
    unsigned max_threads, max_prefetch; /* upper limits */
    struct demo_storage_options storage;
    uint64_t seed;
};

struct demo_reader;

/* Starts reading ahead. `dataset` is borrowed until destroy. Returns OK, with *out
 * owned; ARG, NOMEM, or STATE (no thread could be started). */
enum dfopt_err demo_reader_create(struct demo_reader **out,
                                  const struct demo_dataset *dataset,
                                  const struct demo_reader_options *options,
                                  struct dfopt_error *err);

/* Ends the threads after their current reads. NULL is fine. */
void demo_reader_destroy(struct demo_reader *r);

/* Waits for the next sample in order. *out was initialised by demo_sample_init; its
 * buffer is swapped with the queue's. Returns OK, or the error of reading it. */
enum dfopt_err demo_reader_next(struct demo_reader *r, struct demo_sample *out,
                                struct dfopt_error *err);

/* From 1 to the maximum (else ARG). Surplus threads finish their current read and
 * are joined; no started read is lost. STATE: the system refused more threads;
 * those started so far run. */
enum dfopt_err demo_reader_threads_set(struct demo_reader *r, unsigned threads,
                                       struct dfopt_error *err);
enum dfopt_err demo_reader_prefetch_set(struct demo_reader *r, unsigned prefetch,
                                        struct dfopt_error *err);

/* Starts a window: the storage may change, and demo_reader_held is reset. */
void demo_reader_window(struct demo_reader *r, int64_t window);

/* The maximum number of bytes held ahead of the consumer since then: of records
 * read, or being read, but not yet taken. */
uint64_t demo_reader_held(struct demo_reader *r);

/* The spread of the latencies of reads completed since the last call; 0: too few
 * (cmd/demo/spread.h). */
double demo_reader_spread(struct demo_reader *r);

unsigned demo_reader_threads(const struct demo_reader *r);
unsigned demo_reader_prefetch(const struct demo_reader *r);

#endif
