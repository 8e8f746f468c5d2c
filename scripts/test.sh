#!/bin/sh
# The whole suite: lints, Rust tests, the web client's tests, Python tests with real servers. Arguments go to pytest. Exits 1 on any failure.
cd "$(dirname "$0")/.." || exit 1
failed=""

scripts/check.sh test || failed="$failed check"

echo "test: pytest"
.venv/bin/python -m pytest -n 2 --durations 5 "$@" || failed="$failed pytest"

if [ -n "$failed" ]; then
    echo "test: FAILED:$failed" >&2
    exit 1
fi
