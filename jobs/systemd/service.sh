#!/bin/sh
# Starts the service for systemd: on $DFOPT_RANKS ranks, and in the decision log that
# the service before has left, if there is one. Settings, from the environment of the
# unit:
#   DFOPT_LOG        decision log (default: decisions.h5 in the state directory)
#   DFOPT_RANKS      ranks on this host (default 1)
#   DFOPT_LAUNCHER_OPTIONS, DFOPT_OPTIONS
#                    options of mpirun and of dfopt-mpi, split at blanks
#   DFOPT_METRICS    HOST:PORT of metrics (default 127.0.0.1:9464; none: no metrics)
#   DFOPT_BIN        folder of dfopt-mpi (default: where it was installed, or PATH)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=dfopt-mpi
for there in "${DFOPT_BIN:-}" "$here/../../../../bin"; do
    if [ -n "$there" ] && [ -x "$there/dfopt-mpi" ]; then
        program=$there/dfopt-mpi
        break
    fi
done
log=${DFOPT_LOG:-${STATE_DIRECTORY:-.}/decisions.h5}
if [ -e "$log" ]; then
    how=--resume
else
    how=--decision-log
fi
set -- "$how=$log"
[ "${DFOPT_METRICS:-}" = none ] ||
    set -- "$@" --metrics-address "${DFOPT_METRICS:-127.0.0.1:9464}"
# shellcheck disable=SC2086 # options are split
set -- "$program" --idle-timeout never "$@" ${DFOPT_OPTIONS:-}

# Rank 0 feeds the watchdog, which is not the process that systemd knows.
unset WATCHDOG_PID
if [ "${DFOPT_RANKS:-1}" -gt 1 ]; then
    # shellcheck disable=SC2086
    exec mpirun -n "$DFOPT_RANKS" ${DFOPT_LAUNCHER_OPTIONS:-} "$@"
fi
exec "$@"
