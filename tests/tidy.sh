#!/usr/bin/env bash
# clang-tidy on the source (.clang-tidy), with the flags of the dev build. Takes minutes,
# so it is no test: run it before a larger change goes out.
#
# usage: bash tests/tidy.sh [FILE...]     default: all of src
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
command -v clang-tidy >/dev/null || {
    echo "tidy.sh: no clang-tidy here (Debian: clang-tidy)" >&2
    exit 2
}
cmake --preset dev >/dev/null
if [ $# -eq 0 ]; then
    files=$(find src -name '*.c' -o -name '*.cpp')
    set -f
    # shellcheck disable=SC2086 # names without blanks
    set -- $files
fi
# Files that this build does not compile have no flags: the modules for Mofka, say.
printf '%s\n' "$@" | while read -r file; do
    if grep -q "/$file\"" build/dev/compile_commands.json; then
        printf '%s\n' "$file"
    else
        echo "tidy.sh: $file is not part of this build" >&2
    fi
done | xargs -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet
