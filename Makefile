# `make help` lists the targets. The environment is .venv; every target makes it first where it is missing or old.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CODE := schemas clearing services tests
export PYTHON
# Container images like to forbid bytecode. Then every `clh` that a test starts compiles all it imports anew: 1.7 s of processor time, each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-bank test check bench fmt clean lock mutants faults

help: ## what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/installed ## a coalition on real purchases, from Kafka to last night's settlement report (DEMO=year: the whole year)
	$(if $(filter-out year,$(DEMO)),$(error DEMO=$(DEMO) is unknown: DEMO=year plays the whole year, without it the demo plays January))
	$(BIN)/clh demo $(if $(filter year,$(DEMO)),--year) $(ARGS)

demo-bank: .venv/installed ## January with its banks: signed, paid, settled; a payment comes back, a party defaults, a line is disputed, a file has breaks
	$(BIN)/clh demo --bank $(ARGS)

test: .venv/installed ## every test, in two processes (TESTS=path for some, in one, the fast ones first; ARGS="-k word" for pytest)
	$(BIN)/pytest $(if $(TESTS),$(TESTS),-n 2 --dist loadgroup --no-loadscope-reorder) $(ARGS)

check: .venv/installed ## what has to hold before a commit: ruff, formatting, mypy strict, the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed ## measures throughput, latency, closing and memory on this machine, and writes build/bench.json
	$(BIN)/python -m tests.bench

fmt: .venv/installed ## formats the code and mends what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## removes the environment, caches and build results; local Kafka and PostgreSQL are stopped first (their data in .clh stays)
	@if [ -x $(BIN)/clh ] && [ -d .clh ]; then $(BIN)/clh dev down; fi
	rm -rf .venv build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

lock: ## writes the lock files anew from pyproject.toml (ARGS=--upgrade for newer versions)
	scripts/venv.sh lock $(ARGS)

faults: .venv/installed ## the tests that kill, restart and cut off, TIMES=10 times in a row (it stops at the first that fails)
	set -e; for no in $$(seq $${TIMES:-10}); do echo "run $$no"; $(BIN)/pytest -q -x tests/faults; done

mutants: .venv/installed ## mutation testing of clearing/, anew; fails under 85 % killed (ARGS="clearing.vat.*" tests only these again)
	$(if $(ARGS),,rm -rf mutants)
	TZ=UTC $(BIN)/mutmut run $(ARGS)
	$(BIN)/python -m tests.mutants

.venv/installed: requirements.lock pyproject.toml scripts/venv.sh
	scripts/venv.sh
