/* Message passing between the ranks: whole frames, one at a time. The project's
 * only header implemented with MPI (comm.c alone includes mpi.h). Waiting never
 * spins for long: a waiting rank yields, then sleeps until a rank on the same host
 * rings its doorbell, or for at most a millisecond, so that idle ranks and
 * oversubscribed cores cost nothing. */
#ifndef DFOPT_ENGINE_COMM_COMM_H
#define DFOPT_ENGINE_COMM_COMM_H

#include "base/log.h"

#include <stdbool.h>

struct dfopt_comm;
struct dfopt_send; /* a frame in flight */

#define DFOPT_RANK_ANY (-1)

/* Collective. Starts MPI (funneled: one thread calls it) and duplicates the world
 * communicator, errors returned. Returns owned: dfopt_comm_finish. */
enum dfopt_err dfopt_comm_start(struct dfopt_comm **out, int *argc, char ***argv,
                                struct dfopt_error *err);

/* Collective. Ends MPI and frees. NULL is fine. */
void dfopt_comm_finish(struct dfopt_comm *c);

/* Local. Where dfopt_comm_lost logs; borrowed from now on. NULL: nowhere. */
void dfopt_comm_set_log(struct dfopt_comm *c, struct dfopt_log *log);

/* Local. Function to call a few times a second while this rank waits for another.
 * It must not send or receive. NULL: none. */
typedef void (*dfopt_comm_idle_fn)(void *arg);
void dfopt_comm_set_idle(struct dfopt_comm *c, dfopt_comm_idle_fn idle, void *arg);

/* Local. The last resort, when no agreement is possible: logs optimizer.rank.lost
 * about a rank that failed or cannot be reached, and ends all ranks with exit code
 * 1. */
void dfopt_comm_lost(struct dfopt_comm *c, int rank, enum dfopt_err e,
                     const struct dfopt_error *why);

/* Collective. Returns rank 0's value on every rank. */
uint32_t dfopt_comm_share(struct dfopt_comm *c, uint32_t value);

int dfopt_comm_rank(const struct dfopt_comm *c);
int dfopt_comm_size(const struct dfopt_comm *c);

/* Identifies the MPI library; one line. Borrowed from c. */
const char *dfopt_comm_library(const struct dfopt_comm *c);

/* Local. Starts sending the bytes of *frame, which must not change until the send
 * is finished. At most 2 GiB. Returns owned: dfopt_send_finish. */
enum dfopt_err dfopt_comm_send(struct dfopt_comm *c, int to,
                               const struct dfopt_buf *frame,
                               struct dfopt_send **out, struct dfopt_error *err);

/* Local. Call regularly in long work: MPI may pass on large frames in flight only
 * during its calls. */
void dfopt_comm_progress(struct dfopt_comm *c);

/* Local. Waits until the bytes may change; frees and NULLs *s. */
enum dfopt_err dfopt_send_finish(struct dfopt_comm *c, struct dfopt_send **s,
                                 struct dfopt_error *err);

/* Local. Receives one frame from a rank, or from any, into *frame (replacing its
 * contents). Without wait, *from is -1 if none is there. */
enum dfopt_err dfopt_comm_receive(struct dfopt_comm *c, int source, bool wait,
                                  struct dfopt_buf *frame, int *from,
                                  struct dfopt_error *err);

#endif
