# Everything from nothing but Python >= 3.11: each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.PHONY: run test lint bench storm explore constraints clean

run: .venv/runtime  ## start the server on 127.0.0.1:8000 with an embedded store and demo data
	$(BIN)/largesse demo
	exec $(BIN)/largesse serve

test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev  ## everything that must pass, on SQLite and on a PostgreSQL of its own
	$(BIN)/python -m pytest -n 3  # on two cores: one waits for a disk or for the end of a server
	$(BIN)/python -m pytest -n 2 -q tests/engine -m "not hypothesis" --cov --cov-report=
	$(BIN)/python -m coverage report --skip-covered --fail-under=100

lint: .venv/dev  ## formatting, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev  ## measured comparisons, a table for each store; ARGS="--quick redeem-hot" for less, ARGS=--help for more
	$(BIN)/python -m bench $(ARGS)

storm: .venv/dev  ## 50,000 operations on each store while servers and store are killed; ARGS="--seed 7 --store sqlite" for one
	$(BIN)/python -m tests.faults.storm $(ARGS)

explore: .venv/dev  ## the laws under examples that no run has seen; each failure prints how to see it again
	$(BIN)/python -m pytest -n 2 -m hypothesis --hypothesis-profile explore $(ARGS)

constraints: .venv/bin/python  ## pin every dependency anew, with hashes
	$(PIP) install uv
	printf 'hatchling>=1.27\neditables>=0.5\n' | $(COMPILE) pyproject.toml - -o constraints.txt
	$(COMPILE) --extra dev pyproject.toml -o constraints-dev.txt

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Largesse needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python constraints.txt pyproject.toml
	$(PIP) install --require-hashes -r constraints.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/bin/python constraints-dev.txt pyproject.toml
	$(PIP) install --require-hashes -r constraints-dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@
