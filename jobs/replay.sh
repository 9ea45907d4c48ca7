#!/bin/sh
# Replays a shipped recording (16 nodes of a simulated training job, 90 windows) on four
# ranks and shows what was decided, and why.
#
# usage: bash jobs/replay.sh [BUILD_DIR]   (default build/release)
# writes: decisions.h5 and plans.jsonl in the current directory
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$top/build/release}
sh "$top/jobs/packages.sh" build
if [ "$#" -eq 0 ]; then
    cmake -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Release -DDFOPT_TESTS=OFF >/dev/null
    cmake --build "$build" -j "$(nproc)" --target dfopt-mpi dfopt-log >/dev/null
fi

# Open MPI refuses root without this, and small machines without --oversubscribe.
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
mpirun --oversubscribe -n 4 "$build/bin/dfopt-mpi" --transport file \
    --findings-file "$top/jobs/data/training-16-nodes.jsonl.gz" \
    --plans-file plans.jsonl --decision-log decisions.h5 \
    --log-format text --log-level warning
"$build/bin/dfopt-log" summary decisions.h5
echo
echo "plans.jsonl holds $(wc -l <plans.jsonl) plans; decisions.h5 every decision:"
echo "    $build/bin/dfopt-log dump decisions.h5 | less"
echo "    $top/analysis/report.py decisions.h5 -o report.html   (docs/analysis.md)"
