#!/bin/bash
# Builds the fuzz targets (preset fuzz: clang, libFuzzer, AddressSanitizer, UBSan) and
# runs each for SECONDS, one after the other. What it learns stays in build/fuzz/corpus;
# an input that crashes is in build/fuzz/crashes. Exit code 1: something was found.
#
# usage: bash tests/fuzz/run.sh SECONDS [TARGET...]     e.g. 300 finding declog
# An input again: build/fuzz/tests/fuzz_TARGET FILE
set -eu

seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
sh jobs/packages.sh build test fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)" >/dev/null
seeds=tests/fuzz/seeds
crashes=build/fuzz/crashes
mkdir -p "$crashes"
# shellcheck disable=SC2046 # names without blanks
[ $# -gt 0 ] || set -- $(ls "$seeds")

number() { # the last number that a pattern finds in the log
    sed -n "$2" "$1" | tail -1
}

status=0
printf '%-14s %12s %8s %7s %7s  %s\n' target executions per_s cov ft found
for target in "$@"; do
    corpus=build/fuzz/corpus/$target
    log=build/fuzz/$target.log
    mkdir -p "$corpus"
    found=nothing
    leaks=1
    case $target in declog* | block | sweep_file) leaks=0 ;; esac # HDF5 leaks where it fails to read
    ASAN_OPTIONS=detect_leaks=$leaks:intercept_tls_get_addr=0:allocator_may_return_null=1 \
        "build/fuzz/tests/fuzz_$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=3072 -print_final_stats=1 -detect_leaks=$leaks \
        -dict=tests/fuzz/json.dict -artifact_prefix="$crashes/$target-" \
        "$corpus" "$seeds/$target" >"$log" 2>&1 || found="see $log"
    [ "$found" = nothing ] || status=1
    printf '%-14s %12s %8s %7s %7s  %s\n' "$target" \
        "$(number "$log" 's/^stat::number_of_executed_units: *//p')" \
        "$(number "$log" 's/^stat::average_exec_per_sec: *//p')" \
        "$(number "$log" 's/.*cov: \([0-9]*\).*/\1/p')" \
        "$(number "$log" 's/.* ft: \([0-9]*\).*/\1/p')" "$found"
done
exit $status
