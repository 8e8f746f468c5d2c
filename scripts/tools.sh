#!/bin/sh
# Prints each missing tool in one line, with the command that installs it. The exit code is 1 if one is missing.
#   tools.sh          the tools of `make setup`
#   tools.sh build    the same if no wheel can be used
#   tools.sh test     also the tools of `make test`
cd "$(dirname "$0")/.." || exit 1
lacking=0

missing() {
    echo "missing: $1. $2" >&2
    lacking=1
}

# newer LEAST FOUND: whether FOUND is LEAST or later.
newer() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

check_python() {
    if ! python=$(scripts/python.sh); then
        missing "Python 3.11 or later" "On Debian 12 or Ubuntu 24.04: apt-get install python3 python3-venv"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing "the venv module of $python" "On Debian or Ubuntu: apt-get install python3-venv"
    fi
}

check_rust() {
    least=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' native/Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
    bring="On Debian 12: apt-get install rustc-web cargo-web (security archive); elsewhere: rustup update stable"
    if [ -z "$found" ]; then
        missing "Rust $least or later" "$bring"
    elif ! newer "$least" "$found"; then
        missing "Rust $least or later (rustc here is $found)" "$bring"
    elif ! command -v cargo >/dev/null; then
        missing "cargo" "$bring"
    fi
    command -v cc >/dev/null ||
        missing "a C compiler (cc), which links Rust" "On Debian or Ubuntu: apt-get install gcc libc6-dev"
}

check_lints() {
    cargo clippy --version >/dev/null 2>&1 ||
        missing "cargo clippy" "On Debian 12: apt-get install rust-web-clippy; with rustup: rustup component add clippy"
    cargo fmt --version >/dev/null 2>&1 ||
        missing "cargo fmt" "On Debian 12: apt-get install rustfmt-web; with rustup: rustup component add rustfmt"
}

command -v make >/dev/null || missing "make" "On Debian or Ubuntu: apt-get install make"
check_python
# A wheel in dist/ contains the native extension, so Rust is not needed.
if [ -n "${1:-}" ] || ! ls dist/fechatter-*.whl >/dev/null 2>&1; then
    check_rust
fi
if [ "${1:-}" = test ]; then
    command -v "${CHROMIUM:-chromium}" >/dev/null ||
        missing "Chromium, for the web client's tests" "On Debian: apt-get install chromium, or set CHROMIUM=PATH"
    check_lints
fi
exit $lacking
