# Every command of this project. Plain `make` lists them; each does what it needs first, and nothing twice.

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run web web-dev screenshots web-figures test check format prove figures claims fairness flame bench wheel rights openapi metrics lock clean

PYTEST := .venv/bin/python -m pytest

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):[^#]*## /  make \1  /p' $(MAKEFILE_LIST)

setup: ## make .venv with the fechatter command, the native extension and the web client
	@scripts/setup.sh

setup-test:
	@scripts/setup.sh test

run: setup ## start the server on http://127.0.0.1:6688
	@exec .venv/bin/fechatter serve

web: setup ## build the web client into fechatter/web/dist
	@scripts/web.sh build

web-dev: setup ## Vite on http://127.0.0.1:5173 in front of a running server (FECHATTER_URL)
	@scripts/web.sh dev

screenshots: setup ## the main states of the web client, both themes, phone and desktop, in target/screenshots
	@scripts/web.sh screenshots target/screenshots

web-figures: setup ## measure how fast the web client is in Chromium, into benches/results (minutes)
	@scripts/web.sh figures benches/results

test: setup-test ## the whole suite: lints, Rust, web client, Python, on both databases (ARGS="-k name" narrows)
	@scripts/test.sh $(ARGS)

check: setup-test ## the lints alone
	@scripts/check.sh

format: setup-test ## lay out all sources
	@.venv/bin/ruff check --fix --quiet; .venv/bin/ruff format; cargo fmt --all; scripts/web.sh format

prove: setup-test ## the long proofs (minutes): crashes, interleavings
	@$(PYTEST) -m prove --timeout 1800 $(ARGS)

figures: setup-test ## measure the server on both engines and write benches/results (minutes)
	@.venv/bin/python -m benches.measure $(ARGS)

claims: setup-test ## measure every headline, and write it to benches/claims.toml and README (minutes)
	@.venv/bin/python -m benches.claims $(ARGS)

fairness: setup-test ## measure what one heavy member does to the others, into benches/results (minutes)
	@.venv/bin/python -m benches.measure_fairness $(ARGS)

flame: setup-test ## draw one flame graph of the send path, with Python and Rust frames
	@.venv/bin/python -m benches.flame $(ARGS)

bench: setup-test ## measure the native functions against their Python references
	@$(PYTEST) benches -o timeout=0 --benchmark-only $(ARGS)

wheel: setup-test ## one wheel for Python 3.11 and later, in dist/
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin build --release --locked --out dist

rights: setup-test ## print the table of rights into SECURITY.md
	@.venv/bin/python scripts/rights.py

openapi: setup-test ## write the contract, fechatter/api/contract/openapi.json, and the web client's types of it
	@.venv/bin/python scripts/openapi.py && scripts/web.sh types

metrics: setup-test ## print the table of metrics into fechatter/telemetry/METRICS.md
	@.venv/bin/python scripts/metrics.py

lock: ## renew the locked requirements (needs uv)
	@scripts/lock.sh

clean: ## remove what was built; the data folder stays
	@rm -rf .venv dist target fechatter/web/dist fechatter/web/client/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis fechatter/_native*.so
