#!/bin/sh
# Installs what is missing, builds (release, sanitized, and the application library
# with ThreadSanitizer), and runs all tests.
#
# usage: bash tests/run.sh [ctest options]     e.g. -L unit
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
sh jobs/packages.sh build test
sh jobs/packages.sh ml || echo "run.sh: no torch or mpi4py; their tests will be skipped" >&2
jobs=$(nproc)
at_once=$((jobs + (jobs + 1) / 2)) # tests, which wait half of their time
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
for preset in release asan tsan; do
    cmake --preset "$preset" -DDFOPT_TESTS=ON >/dev/null # jobs/demo.sh turns them off
    cmake --build --preset "$preset" -j "$jobs"
done
status=0
for preset in release asan tsan; do
    echo "== tests of the $preset build"
    leave_out=""
    [ "$preset" != asan ] || leave_out="--label-exclude ^plain\$"
    # shellcheck disable=SC2086 # two words
    ctest --preset "$preset" --parallel "$at_once" $leave_out "$@" || status=1
done
exit $status
