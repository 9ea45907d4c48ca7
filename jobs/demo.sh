#!/bin/sh
# Closes the loop on this machine: a data loader, which begins with one reader
# thread on slow storage, and dfopt-mpi on four ranks, which tunes it while it runs.
# The loader runs without the optimizer first, to compare with.
#
# A second loop runs on storage that suffers from contention: more threads help at first
# and then hurt, so a change is taken back. It is compared with the best static setting.
#
# usage: bash jobs/demo.sh [BUILD_DIR [LOADER_OPTION...]]  (default build/release)
# writes: decisions.h5 (look into it with dfopt-log) and loader.jsonl (the loader's
#         windows, plans and summary) in the current directory, contention.h5 and
#         contention.jsonl of the second loop
# exit code: 0 requirements met: at the end at least 3 times the throughput of the run
#         without optimizer, at most half of the fetch share at the start, and every
#         applied plan acknowledged; 4 it did not; else something failed
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$top/build/release}
sh "$top/jobs/packages.sh" build
if [ "$#" -eq 0 ]; then
    cmake -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Release -DDFOPT_TESTS=OFF >/dev/null
    cmake --build "$build" -j "$(nproc)" \
        --target dfopt-mpi dfopt-log dfopt-demo-loader >/dev/null
else
    shift
fi
bin=$build/bin

work=$(mktemp -d "${TMPDIR:-/tmp}/dfopt-demo-XXXXXX")
optimizer=
clean_up() {
    if [ -n "$optimizer" ]; then
        kill "$optimizer" 2>/dev/null || true
        wait "$optimizer" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

load() { # what all runs have in common: 1 thread, prefetch 1, 2 ms a read
    timeout -k 10 60 "$bin/dfopt-demo-loader" --make-data="$work/data" --threads=1 \
        --prefetch=1 --latency=2 "$@"
}

# Open MPI refuses root without this, and small machines without --oversubscribe.
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
any='tcp://127.0.0.1:*' # a free port; the log says which

failed() {
    echo "demo.sh: $1; dfopt-mpi logged:" >&2
    cat "$work/optimizer.log" >&2
    exit 1
}
findings() { # where findings go to
    sed -n 's/.*"findings":"\([^"]*\)".*/\1/p' "$work/endpoints.json"
}

# tune DECISION_LOG LOADER_OPTION...: the loader with dfopt-mpi; status is the loader's
tune() {
    log=$1
    shift
    rm -f "$work/endpoints.json" # of an earlier run
    timeout -k 10 100 mpirun --oversubscribe -n 4 "$bin/dfopt-mpi" --transport zmq \
        --address "$any" --bind --plans-address "$any" --applications-address "$any" \
        --endpoints-file "$work/endpoints.json" --idle-timeout 30 \
        --decision-log "$log" 2>"$work/optimizer.log" &
    optimizer=$!
    tries=0
    while [ ! -e "$work/endpoints.json" ]; do
        kill -0 "$optimizer" 2>/dev/null || failed "dfopt-mpi did not start"
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || failed "dfopt-mpi did not start within 30 s"
        sleep 0.1
    done
    status=0
    load --findings="$(findings)" --findings-connect \
        --endpoints-file="$work/endpoints.json" \
        --wait-optimizer=20 --stop-optimizer "$@" || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq 4 ]; then
        wait "$optimizer" || failed "dfopt-mpi failed"
        optimizer=
    else
        exit "$status"
    fi
}

echo "== without the optimizer"
load --windows=20 --optimizer=off --json="$work/off.jsonl" "$@"

echo
echo "== with dfopt-mpi on four ranks"
tune decisions.h5 --windows=20 --json=loader.jsonl --against="$work/off.jsonl" "$@"
closed=$status
echo
echo "== the decision log"
"$bin/dfopt-log" summary decisions.h5

contended='--storage=contention --max-threads=16 --max-prefetch=16'
echo
echo "== contention: the best static setting"
# shellcheck disable=SC2086 # several options
load $contended --window-ms=80 --grid=powers --grid-windows=3 --optimizer=off \
    --json="$work/grid.jsonl" "$@"
echo
echo "== contention: with dfopt-mpi on four ranks"
# shellcheck disable=SC2086
tune contention.h5 $contended --window-ms=150 --windows=44 --json=contention.jsonl \
    --against-grid="$work/grid.jsonl" "$@"
echo "changes taken back: $(grep -c '"reason":"rollback' contention.jsonl || true)"
echo
echo "== contention: the decision log"
"$bin/dfopt-log" summary contention.h5
echo
echo "every decision: $bin/dfopt-log dump decisions.h5 | less"
exit "$closed"
