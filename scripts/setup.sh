#!/bin/sh
# Makes .venv with the `fechatter` command and the native extension, and does nothing twice.
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
    "$python" -m pip --disable-pip-version-check install --no-deps --require-hashes -r "$list"
    cp "$list" "$stamp"
}

if [ ! -x "$python" ] || [ "${1:-}" = test ]; then
    scripts/tools.sh "${1:-}"
fi
if [ ! -x "$python" ]; then
    echo "setup: making .venv"
    "$(scripts/python.sh)" -m venv .venv
fi
install run
if [ "${1:-}" = test ]; then
    install dev
fi
"$python" scripts/native.py fresh || {
    "$python" scripts/native.py from-wheel || {
        scripts/tools.sh build
        install build
        echo "setup: building the native extension (about a minute the first time)"
        VIRTUAL_ENV="$PWD/.venv" .venv/bin/maturin develop --release --locked --skip-install
    }
}
"$python" scripts/native.py fresh || {
    echo "setup: the native extension was built but does not load; see above" >&2
    exit 1
}
"$python" scripts/command.py
