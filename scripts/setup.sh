#!/bin/sh
# Creates .venv with the `fechatter` command, the native extension and the web client. Skips steps that are done.
#   setup.sh          what the server needs
#   setup.sh test     also the tools of the tests and lints
#   setup.sh wheel    also a new wheel in dist/
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python

# install NAME: install requirements/NAME.txt, unless the same list is already installed.
install() {
    list="requirements/$1.txt"
    stamp=".venv/installed-$1.txt"
    if cmp -s "$list" "$stamp"; then
        return
    fi
    echo "setup: installing $list"
    "$python" -m pip --disable-pip-version-check install --no-deps --require-hashes -r "$list" || exit 1
    cp "$list" "$stamp"
}

if [ ! -x "$python" ] || [ "${1:-}" = test ]; then
    scripts/tools.sh "${1:-}"
fi
if [ ! -x "$python" ]; then
    echo "setup: creating .venv"
    "$(scripts/python.sh)" -m venv --clear .venv
fi
install run
if [ "${1:-}" = test ]; then
    install dev
fi
# build FOLDER: build a wheel, which contains the extension.
build() {
    scripts/tools.sh build || exit 1
    install build
    echo "setup: building the native extension (about a minute the first time)"
    VIRTUAL_ENV="$PWD/.venv" .venv/bin/maturin build --release --locked --out "$1" || exit 1
}

build_extension() {
    build target/wheels && "$python" scripts/native.py take target/wheels
}

if ! "$python" scripts/native.py fresh && ! "$python" scripts/native.py take dist && ! build_extension; then
    echo "setup: the native extension does not load. For the reason, run: .venv/bin/python -m fechatter.native" >&2
    exit 1
fi
"$python" scripts/command.py
scripts/web.sh build
if [ "${1:-}" = wheel ]; then
    build dist
fi
