/* Boundaries that the processes of a job pass together: one of them has the client,
 * and all get the same plans at the same boundary. A change of batch size, or of a
 * collective's buffer, must not differ from rank to rank for even one step.
 *
 * How the processes speak to each other is the application's: two callbacks, over
 * NCCL, gloo, threads; over MPI they are ready in dfopt/client_mpi.h.
 *
 * Every function here is collective: all ranks call it, in the same order, with the
 * same group, function, boundary and max. The client is rank 0's; on the other
 * ranks it is NULL. */
#ifndef DFOPT_CLIENT_GROUP_H
#define DFOPT_CLIENT_GROUP_H

#include "dfopt/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the broadcast of a boundary without plans. */
#define DFOPT_CLIENT_GROUP_BYTES 64

/* Borrowed for the call. Each callback returns 0, or what went wrong. */
struct dfopt_client_group {
    void *arg; /* for the callbacks */
    int rank;  /* of this process */
    /* Gives every rank the n bytes that rank 0 has. */
    int (*broadcast)(void *arg, void *bytes, size_t n);
    /* Replaces each of n values by the largest that any rank has there. */
    int (*maximum)(void *arg, int64_t *values, int n);
    int wait_ms; /* rank 0 waits so long at a boundary for a plan, if none is
                  * pending: as dfopt_client_at_boundary_wait, for what its own
                  * findings may bring */
};

/* A plan, and the texts that it names. Do not copy: the plan points into it. */
struct dfopt_client_agreed {
    struct dfopt_client_plan plan;
    char knob_id[DFOPT_CLIENT_TEXT_SIZE];
    char parameter[DFOPT_CLIENT_TEXT_SIZE];
    char function[DFOPT_CLIENT_TEXT_SIZE];
};

/* dfopt_client_at_boundary for all ranks: *n plans, at most max, are in out. One
 * broadcast of DFOPT_CLIENT_GROUP_BYTES, and another for each plan. Returns OK;
 * ARG; IO (a callback failed; *n is 0); STATE (the ranks run different versions of
 * the library). Collective. */
DFOPT_CLIENT_API enum dfopt_err dfopt_client_at_boundary_group(
    dfopt_client *c, const struct dfopt_client_group *group, const char *function,
    const char *boundary, struct dfopt_client_agreed *out, size_t max, size_t *n);

/* Says what became of a plan: `why_not` NULL: this rank has applied it; else why it
 * could not. *all, the same on every rank: all have. Then rank 0 acknowledges it as
 * applied; else as rejected, with the reason of one that could not, and each rank
 * that has applied it goes back to the value before. One reduction of 8 bytes, and
 * another if it failed. Returns OK; ARG; IO (a callback failed; *all is false); on
 * rank 0 also what dfopt_client_ack returns. Collective. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_ack_group(dfopt_client *c, const struct dfopt_client_group *group,
                       const struct dfopt_client_agreed *plan, const char *why_not,
                       int64_t window_index, bool *all);

#ifdef __cplusplus
}
#endif
#endif
