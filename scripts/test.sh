#!/bin/sh
# The whole suite: lints, Rust tests, Python tests with real servers, the web client in Chromium. Arguments go to pytest. Exits 1 on any failure.
cd "$(dirname "$0")/.." || exit 1
failed=""

scripts/check.sh test || failed="$failed check"

echo "test: pytest"
.venv/bin/python -m pytest -n 3 --dist worksteal --durations 5 "$@" || failed="$failed pytest"

echo "test: the web client in Chromium"
scripts/web.sh browser || failed="$failed browser"

if [ -n "$failed" ]; then
    echo "test: FAILED:$failed" >&2
    exit 1
fi
