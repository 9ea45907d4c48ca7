#!/usr/bin/env bash
# Measures the release build: bash tests/bench/run.sh [--quick] (docs/performance.md)
exec "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/bench.py" "$@"
