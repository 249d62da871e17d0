# Two commands need nothing done before them: `make demo` and `make test`. `make` alone lists the rest.

VENV := .venv
BIN := $(VENV)/bin

# Which Python makes the environment; empty: the first on PATH that is 3.11 or newer.
PYTHON ?=
# More words for pytest, e.g. `make test PYTEST_ARGS="-k allocation -x"`.
PYTEST_ARGS ?=
# How many tests run side by side: many of them mostly wait for processes and servers.
JOBS ?= 3
# How many times longer random tests may look in `make test-long`.
LONG_FACTOR ?= 20

# Tests start many short processes: without kept bytecode each would compile its imports anew (2 s).
export PYTHONDONTWRITEBYTECODE :=

PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
SERVED := $(BIN)/python -m scripts.with_services

.DEFAULT_GOAL := help
SAFEGUARDS ?=
# More words for a benchmark, e.g. `make bench-hot BENCH_ARGS="--rounds 5"`.
BENCH_ARGS ?=
# The whole "Online Retail" set (UCI 352) as a CSV file, for `make bench-year UCI=FILE`.
UCI ?=

.PHONY: help setup demo test test-long test-serializable test-cluster test-compiled compiled check \
	rules mutate safeguards bench bench-test bench-throughput bench-year bench-growth bench-release \
	bench-hot bench-latency bench-scale bench-soak bench-report up down lock clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- the environment

# A stamp says what was done last; a changed lock or pyproject.toml does it again.
$(VENV)/.made: scripts/make-venv.sh
	@PYTHON="$(PYTHON)" sh scripts/make-venv.sh $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock requirements-build.lock pyproject.toml
	@echo "setup: installing the locked packages into $(VENV)"
	@$(PIP) install --no-deps --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "setup: installing the locked tools for checks and tests"
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	@echo "setup: installing what the benchmarks compare with and draw with"
	@$(PIP) install --no-deps --require-hashes -r requirements-bench.lock
	@touch $@

$(VENV)/.compile: $(VENV)/.dev requirements-compile.lock
	@echo "setup: installing what compiles"
	@$(PIP) install --no-deps --require-hashes -r requirements-compile.lock
	@touch $@

setup: $(VENV)/.dev  ## make .venv with all that running, checking and testing take

# ---------------------------------------------------------------- what people run

demo: $(VENV)/.runtime  ## the main job on real orders; no server needed, leaves backship-demo.db
	@$(BIN)/backship demo

test: $(VENV)/.dev  ## all checks and tests; finds or starts RabbitMQ and PostgreSQL itself
	@$(MAKE) --no-print-directory check
	@$(SERVED) $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

test-long: $(VENV)/.dev  ## what takes long: marked tests, random ones for longer, and all at SERIALIZABLE
	@HYPOTHESIS_PROFILE=long BACKSHIP_TEST_BUDGET_FACTOR=$(LONG_FACTOR) \
		$(SERVED) $(BIN)/python -m pytest -m "long or random or hypothesis" --timeout 3600 $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory test-serializable bench-test

test-serializable: $(VENV)/.dev  ## the store and its workers with every transaction at SERIALIZABLE
	@BACKSHIP_TEST_ISOLATION=serializable $(SERVED) $(BIN)/python -m pytest -m "postgres and not long" \
		tests/integration/store tests/integration/workers tests/faults/database \
		tests/e2e/test_kill.py tests/e2e/test_races.py tests/e2e/test_worker.py tests/e2e/test_fleet.py \
		$(PYTEST_ARGS)

test-cluster: $(VENV)/.dev  ## three RabbitMQ nodes and a PostgreSQL pair, killed under load; 5 minutes
	@$(BIN)/python -m pytest -m cluster --timeout 900 $(PYTEST_ARGS) tests/cluster

bench-test: $(VENV)/.bench  ## types and tests of the benchmarks themselves
	@echo "check: types of the benchmarks"; $(BIN)/mypy --no-error-summary -p benchmarks
	@$(SERVED) $(BIN)/python -m pytest -m "" --timeout 600 $(PYTEST_ARGS) benchmarks/tests

check: $(VENV)/.dev  ## format, lint, types, import contracts, what may not be in the tree
	@echo "check: format";           $(BIN)/ruff format --quiet --check
	@echo "check: lint";             $(BIN)/ruff check --quiet
	@echo "check: types";            $(BIN)/mypy --no-error-summary
	@echo "check: import contracts"; $(BIN)/lint-imports --no-cache >.import-contracts 2>&1 \
		|| { cat .import-contracts; rm -f .import-contracts; exit 1; }; rm -f .import-contracts
	@echo "check: the rules page";   $(BIN)/python -m scripts.write_rules --check
	@echo "check: the tree";         $(BIN)/python -m scripts.check_tree

rules: $(VENV)/.dev  ## docs/rules.md anew: where each rule lives and which tests prove it
	@$(BIN)/python -m scripts.write_rules

mutate: $(VENV)/.dev  ## change the rules a little: do the tests notice? MUTATE_ARGS="--minutes 10 --sample 200"
	@$(BIN)/python -m scripts.mutate $(MUTATE_ARGS)

safeguards: $(VENV)/.dev  ## switch each safeguard off in turn: does a test notice? SAFEGUARDS="inbox mandatory"
	@$(SERVED) $(BIN)/python -m scripts.safeguards $(SAFEGUARDS)

# ---------------------------------------------------------------- compiled

COMPILED := build/compiled
PROGRAM := $(shell find config console events handlers store workers -name '*.py')

$(COMPILED)/.made: $(VENV)/.compile pyproject.toml $(PROGRAM) scripts/compile.sh
	@sh scripts/compile.sh $(BIN)/python $(COMPILED)
	@touch $@

compiled: $(COMPILED)/.made  ## the same program with its rules compiled by mypyc, in build/compiled

# The rules are run compiled as well as read: what proves them proves both.
test-compiled: $(COMPILED)/.made  ## what proves the rules, with the rules compiled
	@PYTHONSAFEPATH=1 PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup \
		-o pythonpath=. $(PYTEST_ARGS) tests/unit tests/scenarios tests/reference tests/property

# ---------------------------------------------------------------- benchmarks

BENCH := $(SERVED) $(BIN)/python -m
# What the short set finds is kept apart: RESULTS.md shows whole runs.
SHORT := BENCH_RESULTS=build/bench $(BENCH)

.PHONY: bench-setup
bench-setup: $(VENV)/.bench $(COMPILED)/.made  # what is measured is what an image runs

bench: bench-setup  ## a short set of benchmarks, under ten minutes; whole ones: bench-NAME
	@$(SHORT) benchmarks.throughput --rounds 2 --orders 8000 --rival-orders 400
	@$(SHORT) benchmarks.latency --rounds 1 --orders 8000 --seconds 10
	@$(SHORT) benchmarks.hot --rounds 1 --orders 6000
	@$(SHORT) benchmarks.scale --rounds 1 --orders 8000

bench-throughput: bench-setup  ## orders a second, against a worker per message and the floor; 4 minutes
	@$(BENCH) benchmarks.throughput $(BENCH_ARGS)

bench-year: bench-setup  ## a year of a real shop, embedded and on servers; UCI=FILE names the data
	@UCI="$(UCI)" $(BENCH) benchmarks.year $(BENCH_ARGS)

bench-growth: bench-setup  ## the same load on an empty and on a grown store, and its queries; 10 minutes
	@$(BENCH) benchmarks.growth $(BENCH_ARGS)

bench-release: bench-setup  ## one receipt for a million lines that wait; 4 minutes. BENCH_ARGS="--lines 100000"
	@$(BENCH) benchmarks.release $(BENCH_ARGS)

bench-hot: bench-setup  ## four workers, one sku in every order, against orders of all skus alike
	@$(BENCH) benchmarks.hot $(BENCH_ARGS)

bench-latency: bench-setup  ## from an order until the warehouse hears of it; 4 minutes
	@$(BENCH) benchmarks.latency $(BENCH_ARGS)

bench-scale: bench-setup  ## one, two and four workers, and what bounds them; 4 minutes
	@$(BENCH) benchmarks.scale $(BENCH_ARGS)

bench-soak: bench-setup  ## a worker's memory at full load; half an hour. BENCH_ARGS="--minutes 3"
	@$(BENCH) benchmarks.soak $(BENCH_ARGS)

bench-report: $(VENV)/.bench  ## benchmarks/RESULTS.md and its plots anew, from what was measured last
	@$(BIN)/python -m benchmarks.results_page

# ---------------------------------------------------------------- with an engine

up: .env  ## RabbitMQ, PostgreSQL and a worker by docker compose
	@docker compose up --build --detach

down:  ## stop them; their data stays in volumes
	@docker compose down

.env:
	@cp .env.example .env && echo "up: made .env with development passwords; change them anywhere else"

# ---------------------------------------------------------------- upkeep

UV_COMPILE = uv pip compile --quiet --universal --generate-hashes --no-annotate \
	--python-version 3.11 --custom-compile-command "make lock" $(LOCK_ARGS)
# Newer versions: `make lock LOCK_ARGS=--upgrade`.
LOCK_ARGS ?=

lock:  ## resolve requirements*.lock anew from pyproject.toml
	@command -v uv >/dev/null || { echo "lock: uv is not on PATH; pipx install uv"; exit 2; }
	@$(UV_COMPILE) pyproject.toml --output-file requirements.lock
	@$(UV_COMPILE) --group build --output-file requirements-build.lock
	@$(UV_COMPILE) pyproject.toml --group build --group dev --output-file requirements-dev.lock \
		--constraints requirements.lock --constraints requirements-build.lock
	@$(UV_COMPILE) --group build --group compile --output-file requirements-compile.lock \
		--constraints requirements-dev.lock
	@$(UV_COMPILE) pyproject.toml --group build --group dev --group bench \
		--output-file requirements-bench.lock --constraints requirements-dev.lock

clean:  ## remove what the other commands made here
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -f backship-demo.db*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
