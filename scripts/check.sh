#!/bin/sh
# Runs every lint to its end, in three lanes in parallel. The exit code is 1 if one of them found something.
#   check.sh        the lints
#   check.sh test   also the tests that start no server: those of Rust and of the web client
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
tests=${1:-}
outputs=$(mktemp -d) || exit 1
trap 'rm -rf "$outputs"' EXIT
# Processes in the background do not receive the interrupt.
trap 'trap "" TERM; kill 0; exit 130' INT

# step NAME COMMAND…: print the output of the command together, under its name.
step() {
    output="$outputs/$1"
    echo "check: $1" >"$output"
    name=$1
    shift
    "$@" >>"$output" 2>&1 || echo "$name" >>"$outputs/failed"
    cat "$output"
}

python_lane() {
    step ruff ruff check --quiet --output-format concise
    step ruff-format ruff format --check --quiet --output-format concise
    step mypy mypy --no-error-summary
    step stubtest python -m mypy.stubtest fechatter._native --concise
    step lint-imports lint-imports --no-logo
    step prose scripts/prose.py
    step sizes scripts/sizes.py
    step documents python -m pytest --quiet tests/test_architecture.py tests/documents/test_links.py
}

rust_lane() {
    step clippy cargo clippy --workspace --all-targets --features fechatter-native/python --locked --quiet \
        -- --deny warnings
    step cargo-fmt cargo fmt --all --check
    # About a minute of processor time for the fuzzed parsers. `make prove` uses more inputs.
    [ -z "$tests" ] || step cargo-test env FUZZED_INPUTS=500000 cargo test --workspace --locked --quiet
}

web_lane() {
    step web scripts/web.sh check
    [ -z "$tests" ] || step vitest scripts/web.sh unit
}

# A lane that did not reach its end has failed.
for lane in python rust web; do
    { "${lane}_lane"; echo "$lane" >>"$outputs/ended"; } &
done
wait
for lane in python rust web; do
    grep -qx "$lane" "$outputs/ended" 2>/dev/null || echo "lane-$lane" >>"$outputs/failed"
done

if [ -f "$outputs/failed" ]; then
    echo "check: failed: $(tr '\n' ' ' <"$outputs/failed")" >&2
    exit 1
fi
echo "check: nothing found"
