# A Slurm job's view of itself, for the scripts of this folder. Sourced by sh, which
# has set jobs.
# shellcheck shell=sh disable=SC1091,SC2034,SC2154 # from, or for, where it is sourced

job_id=$SLURM_JOB_ID
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | paste -s -d, -)

# What is left when the time was up: to continue in the next allocation, if wanted. A
# job that is cancelled or preempted is Slurm's to deal with.
stopped_early() {
    if [ "$DFOPT_REQUEUE" = yes ] && [ "$stopped" = USR1 ]; then
        say "in the queue again, to go on"
        scontrol requeue "$SLURM_JOB_ID"
    else
        say "stopped in good order; 'scontrol requeue $SLURM_JOB_ID' goes on"
    fi
}

. "$jobs/site.sh"
. "$jobs/common.sh"
