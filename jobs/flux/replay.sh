#!/bin/sh
# Decides recordings again on all cores of the job.
#
# usage: flux batch [OPTION...] jobs/flux/replay.sh DFOPT_MPI_OPTION...
#   flux batch -N8 jobs/flux/replay.sh --findings-file '/scratch/runs/*.jsonl'
#
# Stopped at its time limit, it goes on where it was with DFOPT_GO_ON_WITH=JOBID.
# Settings: jobs/site.sh. Leaves in $DFOPT_RESULTS/JOBID: decisions.h5, plans.jsonl
#
# flux: --job-name=dfopt-replay
# flux: --signal=USR1@60

# shellcheck disable=SC1091,SC2154 # of the files that are sourced
# Flux runs a copy of this script, in the folder that it was submitted from.
jobs=${DFOPT_JOBS:-$PWD/jobs}
. "$jobs/flux/flux.sh"

begin
run_to_end "$program" --fault-trace --transport file "$@" --plans-file "$results/plans.jsonl" \
    "$(log_option "$results/decisions.h5")"
