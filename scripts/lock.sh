#!/bin/sh
# Writes requirements/*.txt from pyproject.toml: versions and hashes for every platform, but no addresses.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "missing: uv. Install it with: pip install uv" >&2; exit 1; }

lock() {
    name=$1
    shift
    uv pip compile "$@" --output-file "requirements/$name.txt" --quiet --universal --python-version 3.11 --upgrade \
        --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links
}

lock run pyproject.toml
lock build --group build
lock web --group web
lock dev pyproject.toml --group dev --constraint requirements/run.txt
