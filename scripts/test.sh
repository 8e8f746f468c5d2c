#!/bin/sh
# Runs the whole suite: lints, Rust tests, Python tests with real servers, the web client in Chromium.
# Arguments are passed to pytest. The exit code is 1 if anything failed.
cd "$(dirname "$0")/.." || exit 1
failed=""

scripts/check.sh test || failed="$failed check"

echo "test: the extension whose code can be made to panic"
cargo build --locked --quiet --package fechatter-native --features python,panic-switch || failed="$failed panic-switch"

echo "test: pytest"
.venv/bin/python -m pytest -n 3 --dist worksteal --durations 5 "$@" || failed="$failed pytest"

echo "test: the web client in Chromium"
scripts/web.sh browser || failed="$failed browser"

if [ -n "$failed" ]; then
    echo "test: FAILED:$failed" >&2
    exit 1
fi
