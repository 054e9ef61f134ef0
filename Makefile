# `make run` and `make test` do all the set-up on a machine with Python 3.11 or later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS_run := battery,data
EXTRAS_test := test,battery,data,telemetry
EXTRAS_clients := test,battery,data,telemetry,clients
JOBS ?= 2  # Tests at a time
PEERS := tests/bench/peers
CLIENTS := tests/clients
WEB := $(CLIENTS)/web
BENCH ?=  # Sections and options, such as "sqlite growth --small"

.PHONY: help run test test-clients faults bench lint format types unit constraints schema explorer clean

run: $(VENV)/run  ## Serve on 127.0.0.1:8000
	$(BIN)/python -m app serve

help:  ## What there is
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile

test: lint types unit  ## Lint, types, tests

lint: $(VENV)/test  ## Rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test  ## Strict types
	$(BIN)/mypy

unit: $(VENV)/test  ## Tests, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -m 'not slow' --ignore $(CLIENTS) -n $(JOBS) --dist worksteal

test-clients: $(VENV)/clients $(WEB)/node_modules  ## Clients as users install them, at servers that listen; needs node
	$(BIN)/python -m pytest $(CLIENTS) -n $(JOBS) --dist worksteal

faults: $(VENV)/test  ## Kills, takeovers, a soak of VOLTGRAPH_SOAK_SECONDS, by default 180: what takes minutes
	$(BIN)/python -m pytest -m 'slow and parallel' -n $(JOBS) --dist worksteal
	$(BIN)/python -m pytest -m 'slow and not parallel' --ignore $(CLIENTS)

bench: $(VENV)/test $(PEERS)/node_modules  ## Speed, memory and growth, beside other servers; needs wrk and node
	$(BIN)/python -m tests.bench $(BENCH)

format: $(VENV)/test  ## Mend rules and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/run  ## Write the SDL
	$(BIN)/python -m app schema > schema/schema.graphql

explorer:  ## Build the GraphiQL page; needs node
	cd app/server/pages/explorer && npm ci && npm run build

constraints:  ## Lock the newest versions that fit together
	rm -rf $(VENV)/fresh
	$(PYTHON) -m venv $(VENV)/fresh
	$(VENV)/fresh/bin/pip install --quiet -e '.[test,battery,data,telemetry,clients]'
	$(VENV)/fresh/bin/pip freeze --exclude-editable > constraints.txt

clean:  ## Remove the virtual environment
	rm -rf $(VENV)

$(PEERS)/node_modules $(WEB)/node_modules: %/node_modules: %/package-lock.json
	npm ci --silent --prefix $*
	touch $@

$(VENV)/run $(VENV)/test $(VENV)/clients: $(VENV)/%: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS_$*)]'
	touch $@

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Voltgraph needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
