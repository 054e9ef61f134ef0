# `make run` and `make test` do all the set-up on a machine with Python 3.11 or later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS_run := battery,data
EXTRAS_test := test,battery,data,telemetry
EXTRAS_clients := test,battery,data,telemetry,clients
UV := $(shell command -v uv)
CREATE := $(if $(UV),$(UV) venv --quiet --seed --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on
INSTALL := $(if $(UV),$(UV) pip install --python $(BIN)/python,$(PIP))
JOBS ?= 2  # Tests at a time
PEERS := tests/bench/peers
CLIENTS := tests/clients
WEB := $(CLIENTS)/web
ORACLE := tests/oracle
BENCH ?=  # Sections and options, such as "sqlite growth --small"
export PYTHONDONTWRITEBYTECODE :=  # Compiled modules are kept: tests start hundreds of interpreters

.PHONY: help run test all test-clients faults shake long bench lint format types unit constraints schema explorer console pictures clean

run: $(VENV)/run  ## Serve on 127.0.0.1:8000
	$(BIN)/voltgraph serve

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

all: $(VENV)/clients $(WEB)/node_modules  ## What test, faults and test-clients run, in less time than one after the other
	$(BIN)/python -m pytest -m 'not long and (parallel or not slow)' -n $(JOBS) --dist worksteal
	$(BIN)/python -m pytest -m 'slow and not parallel and not long'

faults: $(VENV)/test  ## Kills, takeovers, a soak of VOLTGRAPH_SOAK_SECONDS, by default 180: what takes minutes
	$(BIN)/python -m pytest -m 'slow and parallel and not long' --ignore $(CLIENTS) -n $(JOBS) --dist worksteal
	$(BIN)/python -m pytest -m 'slow and not parallel and not long' --ignore $(CLIENTS)

shake: $(VENV)/test $(WEB)/node_modules  ## Pages and clients of JavaScript, with late answers and a slow browser
	SHAKE_MS=600 SHAKE_CPU=4 $(BIN)/python -m pytest tests/console tests/explorer $(WEB)

long: $(VENV)/test $(ORACLE)/.venv  ## Families of fits, another program, a search of costly documents
	$(BIN)/python -m pytest -m 'long and parallel' -n $(JOBS) --dist worksteal
	$(BIN)/python -m pytest -m 'long and not parallel' --ignore $(CLIENTS)

bench: $(VENV)/test $(PEERS)/node_modules/.made  ## Speed, memory and growth, beside other servers; needs wrk and node
	$(BIN)/python -m tests.bench $(BENCH)

format: $(VENV)/test  ## Mend rules and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/run  ## Write the SDL
	$(BIN)/voltgraph schema > schema/schema.graphql

explorer:  ## Build the GraphiQL page; needs node
	cd app/server/pages/explorer && npm ci && npm run build

console:  ## Build the console; needs node
	cd app/server/pages/console && npm ci && npm run build

pictures: $(VENV)/test  ## Take the pictures of docs/console; needs chromium
	$(BIN)/python -m tests.console.pictures

constraints:  ## Lock the newest versions that fit together
	rm -rf $(VENV)/fresh
	$(PYTHON) -m venv $(VENV)/fresh
	$(VENV)/fresh/bin/pip install --quiet -e '.[test,battery,data,telemetry,clients]'
	$(VENV)/fresh/bin/pip freeze --exclude-editable > constraints.txt

clean:  ## Remove the virtual environment
	rm -rf $(VENV)

# The peers run on the Node that npm brings, for which their driver of SQLite is compiled: one to two minutes.
$(PEERS)/node_modules/.made: $(PEERS)/package-lock.json
	npm ci --no-audit --no-fund --loglevel=error --prefix $(PEERS)
	cd $(PEERS) && PATH="$$PWD/node_modules/.bin:$$PATH" npm rebuild --silent better-sqlite3 --build-from-source \
	  --nodedir="$$(echo "$$PWD"/node_modules/node-*-*)"
	touch $@

$(WEB)/node_modules: %/node_modules: %/package-lock.json
	npm ci --no-audit --no-fund --loglevel=error --prefix $*
	touch $@

$(ORACLE)/.venv: $(ORACLE)/requirements.txt
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/run $(VENV)/test $(VENV)/clients: $(VENV)/%: pyproject.toml constraints.txt | $(VENV)/made
	@echo "Installing the packages of '$*', about 1 GB. This happens once, and takes one to four minutes."
	$(INSTALL) -c constraints.txt -e '.[$(EXTRAS_$*)]'
	@touch $@

# An environment without pip is the rest of an attempt that failed: it is made again.
$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Voltgraph needs Python 3.11 or later")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && $(CREATE); } || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian or Ubuntu: apt install python3-venv. Or install uv."; exit 1; }
	@touch $@
