/* Implements dfopt-mpi --policy-check: checks a policy against the knobs it is for,
 * without a run. */
#ifndef DFOPT_CMD_MPI_POLICY_CHECK_H
#define DFOPT_CMD_MPI_POLICY_CHECK_H

#include "cmd/mpi/options.h"

/* Prints what fits nothing and what can never act, a line each. Returns an exit
 * code: FAILED if there is any, USAGE if policy or registry cannot be read. */
int dfopt_policy_check(const struct dfopt_options *o);

#endif
