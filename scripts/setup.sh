#!/bin/sh
# Makes .venv with the `fechatter` command, the native extension and the web client, and does nothing twice.
#   setup.sh          to run the server
#   setup.sh test     with the tools of the tests and lints too
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python

# install NAME: the packages of requirements/NAME.txt, unless this very list was installed before.
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
    echo "setup: making .venv"
    "$(scripts/python.sh)" -m venv --clear .venv
fi
install run
if [ "${1:-}" = test ]; then
    install dev
fi
# build: the extension of these sources, by way of a wheel as `make wheel` makes it, so that both build once.
build() {
    scripts/tools.sh build || exit 1
    install build
    echo "setup: building the native extension (about a minute the first time)"
    VIRTUAL_ENV="$PWD/.venv" .venv/bin/maturin build --release --locked --out target/wheels || exit 1
    "$python" scripts/native.py take target/wheels
}

if ! "$python" scripts/native.py fresh && ! "$python" scripts/native.py take dist && ! build; then
    echo "setup: the native extension does not load: .venv/bin/python -m fechatter.native says why" >&2
    exit 1
fi
"$python" scripts/command.py
scripts/web.sh build
