/* Implements dfopt-mpi --policy-check: checks a policy and its knobs, without a
 * run. */
#ifndef DFOPT_CMD_MPI_POLICY_CHECK_H
#define DFOPT_CMD_MPI_POLICY_CHECK_H

#include "cmd/mpi/options.h"

/* Prints what fits nothing and what can never act, one per line. Returns an exit
 * code: FAILED if there is any, USAGE if policy or registry cannot be read. */
int dfopt_policy_check(const struct dfopt_options *o);

#endif
