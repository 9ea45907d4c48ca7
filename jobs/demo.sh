#!/bin/sh
# Closes the loop on this machine: a data loader, which begins with one reader
# thread on slow storage, and dfopt-mpi on four ranks, which tunes it while it runs.
# The loader runs without the optimizer first, to compare with.
#
# usage: bash jobs/demo.sh [BUILD_DIR [LOADER_OPTION...]]  (default build/release)
# writes: decisions.h5 (look into it with dfopt-log) and loader.jsonl (the loader's
#         windows, plans and summary) in the current directory
# exit code: 0 the loop closed: at the end at least 3 times the throughput of the run
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

load() { # what both runs have in common: 1 thread, prefetch 1, 2 ms a read
    timeout -k 10 60 "$bin/dfopt-demo-loader" --make-data="$work/data" --threads=1 \
        --prefetch=1 --latency=2 --windows=20 "$@"
}

echo "== without the optimizer"
load --optimizer=off --json="$work/off.jsonl" "$@"

# Open MPI refuses root without this, and small machines without --oversubscribe.
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
any='tcp://127.0.0.1:*' # a free port; the log says which
timeout -k 10 100 mpirun --oversubscribe -n 4 "$bin/dfopt-mpi" --transport zmq \
    --address "$any" --bind --plans-address "$any" --registry-address "$any" \
    --acks-address "$any" --idle-timeout 30 --decision-log decisions.h5 \
    2>"$work/optimizer.log" &
optimizer=$!

failed() {
    echo "demo.sh: $1; dfopt-mpi logged:" >&2
    cat "$work/optimizer.log" >&2
    exit 1
}
endpoint() { # findings, plans, registrations or acks
    sed -n "s/.*\"optimizer.listening\".*\"$1\":\"\([^\"]*\)\".*/\1/p" \
        "$work/optimizer.log"
}
tries=0
while [ -z "$(endpoint findings)" ]; do
    kill -0 "$optimizer" 2>/dev/null || failed "dfopt-mpi did not start"
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || failed "dfopt-mpi did not start within 30 s"
    sleep 0.1
done

echo
echo "== with dfopt-mpi on four ranks"
status=0
load --findings="$(endpoint findings)" --findings-connect --plans="$(endpoint plans)" \
    --registry="$(endpoint registrations)" --acks="$(endpoint acks)" \
    --wait-optimizer=20 --stop-optimizer --json=loader.jsonl \
    --against="$work/off.jsonl" "$@" || status=$?
if [ "$status" -eq 0 ] || [ "$status" -eq 4 ]; then
    wait "$optimizer" || failed "dfopt-mpi failed"
    optimizer=
    echo
    echo "== the decision log"
    "$bin/dfopt-log" summary decisions.h5
    echo
    echo "every decision: $bin/dfopt-log dump decisions.h5 | less"
fi
exit "$status"
