/* Reader threads behind a prefetch queue. Records come in the order of a shuffle
 * that seed and epoch alone decide, whatever the number of threads: at most
 * `prefetch` of them are read, or being read, ahead of the consumer.
 *
 * Both numbers may change while it runs. One thread, the consumer, makes all
 * calls. */
#ifndef DFOPT_CMD_DEMO_READER_H
#define DFOPT_CMD_DEMO_READER_H

#include "cmd/demo/dataset.h"
#include "cmd/demo/storage.h"

#define DEMO_MAX_THREADS  256
#define DEMO_MAX_PREFETCH 1024

struct demo_reader_options {
    unsigned threads, prefetch;         /* to begin with */
    unsigned max_threads, max_prefetch; /* what they may become */
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

/* Ends the threads; waits for the reads under way. NULL is fine. */
void demo_reader_destroy(struct demo_reader *r);

/* The next sample in order; waits for it. *out was initialised by
 * demo_sample_init: its buffer changes places with that of the queue. Returns OK,
 * or what reading it met. */
enum dfopt_err demo_reader_next(struct demo_reader *r, struct demo_sample *out,
                                struct dfopt_error *err);

/* From 1 to the maximum (else ARG). Threads too many end after the read that they
 * are at, and are waited for; nothing that was begun is lost. STATE: the system
 * gives no more threads, as many as it gave are there. */
enum dfopt_err demo_reader_threads_set(struct demo_reader *r, unsigned threads,
                                       struct dfopt_error *err);
enum dfopt_err demo_reader_prefetch_set(struct demo_reader *r, unsigned prefetch,
                                        struct dfopt_error *err);

/* A window begins: the storage may change, and demo_reader_held counts anew. */
void demo_reader_window(struct demo_reader *r, int64_t window);

/* The most bytes of records that were held ahead of the consumer since then: read,
 * or being read, and not yet taken. */
uint64_t demo_reader_held(struct demo_reader *r);

/* The spread of the latency of the reads that have ended since the last call; 0:
 * too few (cmd/demo/spread.h). */
double demo_reader_spread(struct demo_reader *r);

unsigned demo_reader_threads(const struct demo_reader *r);
unsigned demo_reader_prefetch(const struct demo_reader *r);

#endif
