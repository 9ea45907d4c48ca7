# What the batch scripts of jobs/slurm and jobs/flux share. Sourced by sh, which has
# set: job_id, and nodes, the names of the job's nodes with commas between them, the
# first being the one that this runs on.
# shellcheck shell=sh disable=SC2034,SC2154 # used, or set, where it is sourced

say() {
    echo "$(date +%H:%M:%S) dfopt: $*"
}

give_up() {
    say "$*"
    exit 1
}

# ---- signals: the batch system asks to end ----

stopped= # by which: USR1, before the time limit; TERM, when it is cancelled
trap 'stopped=USR1' USR1
trap 'stopped=TERM' TERM INT

# wait_for PID: until it ends, with its exit code in code, or, false, a signal comes.
wait_for() {
    [ -z "$stopped" ] || return 1
    wait "$1"
    code=$?
    [ -z "$stopped" ]
}

# end_of PID SECONDS: its exit code in code. It has so long to end, then it is killed.
end_of() {
    left=$(($2 * 5))
    while kill -0 "$1" 2>/dev/null; do
        if [ "$left" -eq 0 ]; then
            say "process $1 has not ended within $2 s: killed"
            kill -KILL "$1"
        fi
        left=$((left - 1))
        sleep 0.2
    done
    wait "$1"
    ended=$?
    [ "$ended" -eq 127 ] || code=$ended # 127: wait_for() had it
}

# ---- programs and nodes ----

dfopt_mpi() {
    for there in "$DFOPT_BIN" "$jobs/../../../bin"; do
        if [ -n "$there" ] && [ -x "$there/dfopt-mpi" ]; then
            echo "$there/dfopt-mpi"
            return
        fi
    done
    command -v dfopt-mpi
}

count() { # of names with commas between them
    echo "$1" | tr ',' '\n' | grep -c .
}

first_nodes() { # N
    echo "$nodes" | tr ',' '\n' | head -n "$1" | paste -s -d, -
}

nodes_behind() { # N
    echo "$nodes" | tr ',' '\n' | tail -n "+$(($1 + 1))" | paste -s -d, -
}

# launch_on NODES RANKS COMMAND...: becomes the launcher, so call it with &. A signal
# USR1 to it comes to every rank.
# shellcheck disable=SC2086 # options are split
launch_on() {
    on=$1
    ranks=$2
    shift 2
    n=$(count "$on")
    slots=$(((ranks + n - 1) / n))
    case $DFOPT_LAUNCHER in
    none) exec "$@" ;;
    mpirun)
        hosts=$(echo "$on" | sed "s/,/:$slots,/g; s/\$/:$slots/")
        exec mpirun $DFOPT_LAUNCHER_OPTIONS -n "$ranks" --host "$hosts" "$@"
        ;;
    srun)
        exec srun --exact --kill-on-bad-exit=1 $DFOPT_LAUNCHER_OPTIONS \
            --nodes="$n" --ntasks="$ranks" --ntasks-per-node="$slots" \
            --nodelist="$on" "$@"
        ;;
    flux)
        exec flux run $DFOPT_LAUNCHER_OPTIONS --nodes="$n" --ntasks="$ranks" \
            --requires="host:$on" "$@"
        ;;
    esac
    give_up "DFOPT_LAUNCHER is mpirun, srun, flux or none, not '$DFOPT_LAUNCHER'"
}

# launch_all COMMAND...: the same with as many ranks as the job has room for.
# shellcheck disable=SC2086
launch_all() {
    case $DFOPT_LAUNCHER in
    none) exec "$@" ;;
    mpirun) exec mpirun $DFOPT_LAUNCHER_OPTIONS "$@" ;;
    srun) exec srun --kill-on-bad-exit=1 $DFOPT_LAUNCHER_OPTIONS "$@" ;;
    flux)
        exec flux run $DFOPT_LAUNCHER_OPTIONS --nodes="$(count "$nodes")" \
            --exclusive --tasks-per-core=1 "$@"
        ;;
    esac
    give_up "DFOPT_LAUNCHER is mpirun, srun, flux or none, not '$DFOPT_LAUNCHER'"
}

# ---- a job ----

# begin: finds the program, makes the folder of results.
begin() {
    program=$(dfopt_mpi) ||
        give_up "no dfopt-mpi in DFOPT_BIN ('$DFOPT_BIN') or on PATH: see $jobs/site.sh"
    results=$DFOPT_RESULTS/${DFOPT_GO_ON_WITH:-$job_id}
    mkdir -p "$results" || exit 1
    say "job $job_id on $nodes, results in $results"
}

# run_to_end COMMAND...: on all of the job. Ended by a signal in good order: exit code
# 3, as of dfopt-mpi, and stopped_early does what the batch system can do then.
run_to_end() {
    launch_all "$@" &
    run=$!
    if ! wait_for "$run"; then
        say "SIG$stopped: stopping"
        kill -USR1 "$run" 2>/dev/null
        end_of "$run" "$((DFOPT_APP_GRACE_S + DFOPT_STOP_S))"
    fi
    say "dfopt-mpi ended with $code"
    if [ -n "$stopped" ] && [ "$code" -eq 3 ]; then
        stopped_early
    fi
    exit "$code"
}

# log_option FILE.h5: resumes what a former run of this job has left.
log_option() {
    if [ -e "$1" ]; then
        echo "--resume=$1"
    else
        echo "--decision-log=$1"
    fi
}
