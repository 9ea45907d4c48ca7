/* Boundaries that the processes of a job pass together: one process has the
 * client, and all receive the same plans at the same boundary. A batch size, or the
 * buffer of a collective, must not differ between ranks for even one step.
 *
 * The application provides the communication as two callbacks, over NCCL, gloo or
 * threads; dfopt/client_mpi.h implements them over MPI.
 *
 * Every function here is collective: all ranks call it in the same order, with the
 * same group, function, boundary and max. Rank 0 passes the client, the other ranks
 * NULL. */
#ifndef DFOPT_CLIENT_GROUP_H
#define DFOPT_CLIENT_GROUP_H

#include "dfopt/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the broadcast of a boundary without plans. */
#define DFOPT_CLIENT_GROUP_BYTES 64

/* Borrowed for the call. Each callback returns 0, or an error code. */
struct dfopt_client_group {
    void *arg; /* for the callbacks */
    int rank;  /* of this process */
    /* Copies the n bytes of rank 0 to every rank. */
    int (*broadcast)(void *arg, void *bytes, size_t n);
    /* Replaces each of n values by its maximum over all ranks. */
    int (*maximum)(void *arg, int64_t *values, int n);
    int wait_ms; /* how long rank 0 waits at a boundary if no plan is pending, as
                  * dfopt_client_at_boundary_wait does */
};

/* A plan and the texts it refers to. Do not copy: the plan points into it. */
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

/* Acknowledges a plan for all ranks. `why_not` is NULL if this rank has applied it,
 * else the reason why not. *all, the same on every rank, tells whether all have. If
 * so, rank 0 acknowledges the plan as applied; else as rejected, with the reason of
 * one rank, and each rank that has applied it must restore the previous value. One
 * reduction of 8 bytes, and another if a rank failed. Returns OK; ARG; IO (a
 * callback failed; *all is false); on rank 0 also what dfopt_client_ack returns.
 * Collective. */
DFOPT_CLIENT_API enum dfopt_err
dfopt_client_ack_group(dfopt_client *c, const struct dfopt_client_group *group,
                       const struct dfopt_client_agreed *plan, const char *why_not,
                       int64_t window_index, bool *all);

#ifdef __cplusplus
}
#endif
#endif
