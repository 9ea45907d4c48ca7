#!/bin/sh
# dfopt-mpi beside an application that it tunes.
#
# usage: flux batch [OPTION...] jobs/flux/online.sh COMMAND [ARGUMENT...]
#   flux batch -N5 -n40 -t 2h jobs/flux/online.sh sh my-application.sh
#
# As jobs/slurm/online.sbatch; COMMAND starts the application by
# flux run --requires="host:$DFOPT_APP_NODES" -N "$DFOPT_APP_NNODES" ...
# The signal before the time limit comes to the application, too.
# Settings: jobs/site.sh. DFOPT_JOBS names the folder jobs, if it is not in the folder
# that the job is submitted from.
#
# flux: --job-name=dfopt-online
# flux: --signal=USR1@60

# shellcheck disable=SC1091,SC2154 # of the files that are sourced
# Flux runs a copy of this script, in the folder that it was submitted from.
jobs=${DFOPT_JOBS:-$PWD/jobs}
. "$jobs/flux/flux.sh"
. "$jobs/service.sh"

begin
serve "$@"
