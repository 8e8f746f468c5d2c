#!/bin/sh
# Every lint, each to its end, in three lanes beside each other; exits 1 when one found something.
#   check.sh        the lints
#   check.sh test   the tests that start no server too: Rust's and the web client's
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
tests=${1:-}
outputs=$(mktemp -d) || exit 1
trap 'rm -rf "$outputs"' EXIT
# What runs in the background hears no interrupt of its own.
trap 'trap "" TERM; kill 0; exit 130' INT

# step NAME COMMAND…: what it said stands together, under its name.
step() {
    said="$outputs/$1"
    echo "check: $1" >"$said"
    name=$1
    shift
    "$@" >>"$said" 2>&1 || echo "$name" >>"$outputs/failed"
    cat "$said"
}

python_lane() {
    step ruff ruff check --quiet --output-format concise
    step ruff-format ruff format --check --quiet --output-format concise
    step mypy mypy --no-error-summary
    step stubtest python -m mypy.stubtest fechatter._native --concise
    step lint-imports lint-imports --no-logo
}

rust_lane() {
    step clippy cargo clippy --workspace --all-targets --features fechatter-native/python --locked --quiet -- --deny warnings
    step cargo-fmt cargo fmt --all --check
    [ -z "$tests" ] || step cargo-test cargo test --workspace --locked --quiet
}

web_lane() {
    step web scripts/web.sh check
    [ -z "$tests" ] || step vitest scripts/web.sh unit
}

# A lane that does not come to its end has failed.
for lane in python rust web; do
    { "${lane}_lane"; echo "$lane" >>"$outputs/ended"; } &
done
wait
for lane in python rust web; do
    grep -qx "$lane" "$outputs/ended" 2>/dev/null || echo "the-lane-of-$lane" >>"$outputs/failed"
done

if [ -f "$outputs/failed" ]; then
    echo "check: failed: $(tr '\n' ' ' <"$outputs/failed")" >&2
    exit 1
fi
echo "check: nothing found"
