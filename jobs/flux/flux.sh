# A Flux batch job's view of itself, for the scripts of this folder. Sourced by sh,
# which has set jobs.
# shellcheck shell=sh disable=SC1091,SC2034,SC2154 # from, or for, where it is sourced

job_id=$(flux job id --to=dec "$(flux getattr jobid)")
nodes=$(flux hostlist --expand --delimiter=, instance)

# What is left when the time was up.
stopped_early() {
    say "stopped in good order; submit it with DFOPT_GO_ON_WITH=$job_id to go on"
}

: "${DFOPT_LAUNCHER:=flux}"
. "$jobs/site.sh"
. "$jobs/common.sh"
