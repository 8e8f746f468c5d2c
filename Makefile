# All commands of this project. Plain `make` lists them. Each one first does the steps it needs, unless they are done.

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run web web-dev screenshots web-figures test test-app check format prove figures claims \
	fairness compare arrivals slow flame bench wheel rights openapi metrics lock clean

PYTEST := .venv/bin/python -m pytest

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):[^#]*## /  make \1  /p' $(MAKEFILE_LIST)

setup: ## create .venv with the fechatter command, the native extension and the web client
	@scripts/setup.sh

setup-test:
	@scripts/setup.sh test

run: setup ## start the server on http://127.0.0.1:6688
	@exec .venv/bin/fechatter serve

web: setup ## build the web client into fechatter/web/dist
	@scripts/web.sh build

web-dev: setup ## run Vite on http://127.0.0.1:5173 in front of a running server (FECHATTER_URL)
	@scripts/web.sh dev

screenshots: setup ## take pictures of the web client's main states, in target/screenshots
	@scripts/web.sh screenshots target/screenshots

web-figures: setup ## measure the web client in Chromium, into benches/results (minutes)
	@scripts/web.sh figures benches/results

test: setup-test ## run the whole suite: lints, Rust, Python on both databases, web client (ARGS="-k name" narrows)
	@scripts/test.sh $(ARGS)

test-app: setup-test ## run the journeys and attacks again without the gateway
	@FECHATTER_GATEWAY=off $(PYTEST) -n 3 --dist worksteal tests/journeys tests/attacks $(ARGS)

check: setup-test ## run only the lints
	@scripts/check.sh

format: setup-test ## format all sources
	@.venv/bin/ruff check --fix --quiet; .venv/bin/ruff format; cargo fmt --all; scripts/web.sh format

prove: setup-test ## run the long proofs (minutes): fuzzing, crashes, interleavings
	@FUZZED_INPUTS=1000000 cargo test --workspace --locked --quiet --test framing --test fuzz --test fuzz_proxies
	@$(PYTEST) -m prove --timeout 1800 $(ARGS)

figures: setup-test ## measure the server on both engines, into benches/results (minutes)
	@.venv/bin/python -m benches.measure $(ARGS)

claims: setup-test ## measure every headline, into benches/results and docs/performance.md (minutes)
	@.venv/bin/python -m benches.claims $(ARGS)

fairness: setup-test ## measure the effect of one heavy member on the others, into benches/results (minutes)
	@.venv/bin/python -m benches.measure_fairness $(ARGS)

compare: setup-test ## compare live delivery with nchan, which needs Debian, into benches/results (minutes)
	@.venv/bin/python -m benches.compare $(ARGS)

arrivals: setup-test ## measure clients that connect at once, into benches/results (minutes)
	@.venv/bin/python -m benches.measure_arrivals $(ARGS)

slow: setup-test ## measure the effect of clients that never read, into benches/results
	@.venv/bin/python -m benches.measure_slow $(ARGS)

flame: setup-test ## draw a flame graph of the send path, with Python and Rust frames
	@.venv/bin/python -m benches.flame $(ARGS)

bench: setup-test ## compare the native functions with their Python references
	@$(PYTEST) benches -o timeout=0 --benchmark-only $(ARGS)

wheel: ## build one wheel for Python 3.11 and later, in dist/
	@scripts/setup.sh wheel

rights: setup-test ## write the table of rights into SECURITY.md and the web client
	@.venv/bin/python scripts/rights.py

openapi: setup-test ## write the contract, openapi.json, and the web client's types
	@.venv/bin/python scripts/openapi.py && scripts/web.sh types

metrics: setup-test ## write the table of metrics into METRICS.md
	@.venv/bin/python scripts/metrics.py

lock: ## update the locked requirements (needs uv)
	@scripts/lock.sh

clean: ## remove build results and caches; keeps the data folder
	@rm -rf .venv dist target fechatter/web/dist fechatter/web/client/node_modules fechatter/_native*.so
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
