#!/bin/sh
# Every lint, each to its end; exits 1 when one found something.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
failed=""

step() {
    name=$1
    shift
    echo "check: $name"
    "$@" || failed="$failed $name"
}

step ruff ruff check --quiet --output-format concise
step ruff-format ruff format --check --quiet --output-format concise
step mypy mypy --no-error-summary
step stubtest python -m mypy.stubtest fechatter._native --concise
step lint-imports lint-imports --no-logo
step web scripts/web.sh check
step clippy cargo clippy --workspace --all-targets --features fechatter-native/python --locked --quiet -- --deny warnings
step cargo-fmt cargo fmt --all --check

if [ -n "$failed" ]; then
    echo "check: failed:$failed" >&2
    exit 1
fi
echo "check: nothing found"
