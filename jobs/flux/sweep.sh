#!/bin/sh
# Decides a recording under many policies on all cores of the job.
#
# usage: flux batch [OPTION...] jobs/flux/sweep.sh --sweep FILE --findings-file FILE...
#   flux batch -N8 jobs/flux/sweep.sh --sweep sweep.json --findings-file run.jsonl
#
# Stopped at its time limit, it goes on where it was with DFOPT_GO_ON_WITH=JOBID.
# Settings: jobs/site.sh. Leaves in $DFOPT_RESULTS/JOBID: sweep.h5, for dfopt-log sweep
#
# flux: --job-name=dfopt-sweep
# flux: --signal=USR1@60

# shellcheck disable=SC1091,SC2154 # of the files that are sourced
# Flux runs a copy of this script, in the folder that it was submitted from.
jobs=${DFOPT_JOBS:-$PWD/jobs}
. "$jobs/flux/flux.sh"

begin
run_to_end "$program" --fault-trace --transport file "$@" --sweep-output "$results/sweep.h5" \
    --sweep-resume
