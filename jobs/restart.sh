#!/bin/sh
# Runs dfopt-mpi and, when it dies, resumes from its decision log, a bounded
# number of times.
#
# usage: sh jobs/restart.sh [-n TIMES] [-d SECONDS] LOG.h5 COMMAND [ARGUMENT...]
#   -n TIMES    restart so often at most (default 3)
#   -d SECONDS  wait so long before each (default 2)
#
# COMMAND runs dfopt-mpi, by mpirun or alone, without --decision-log and --resume:
# the one of them that fits is added at its end.
#
# A run that ends in order is not restarted: exit code 0; 2, bad options or
# configuration; 3, stopped by a signal. Exits with the code of the last run.
set -u

times=3
delay=2
while getopts n:d: option; do
    case $option in
    n) times=$OPTARG ;;
    d) delay=$OPTARG ;;
    *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
if [ "$#" -lt 2 ]; then
    echo "usage: $0 [-n TIMES] [-d SECONDS] LOG.h5 COMMAND [ARGUMENT...]" >&2
    exit 64
fi
log=$1
shift

# A signal for this script is for the run; afterwards nothing is restarted.
stopped=
run=
trap 'stopped=yes; [ -z "$run" ] || kill -TERM "$run" 2>/dev/null' TERM INT

how=--decision-log
left=$times
while :; do
    "$@" "$how" "$log" &
    run=$!
    wait "$run"
    code=$?
    while kill -0 "$run" 2>/dev/null; do # a signal ended the wait
        wait "$run"
        code=$?
    done
    run=
    case $code in
    0 | 2 | 3) exit "$code" ;;
    esac
    if [ -n "$stopped" ] || [ "$left" -le 0 ]; then
        echo "$0: exit code $code; not restarted" >&2
        exit "$code"
    fi
    left=$((left - 1))
    echo "$0: exit code $code; going on in $delay s ($left more times)" >&2
    sleep "$delay"
    [ -e "$log" ] && how=--resume
done
