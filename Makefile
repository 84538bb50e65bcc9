# On a machine with Python 3.11+ and make, each target installs what it needs by itself.
# UV= (empty) uses venv and pip where uv is installed as well; PYTHON=python3.13 picks an interpreter.

VENV ?= .venv
UV ?= uv
PYTHON ?=
BIN := $(VENV)/bin
PYTEST_ARGS ?=
BENCH_ARGS ?=
FAULT_ARGS ?=
AUDIT_ARGS ?=
WHEEL ?=
# A PostgreSQL for each worker. Later arguments count: PYTEST_ARGS=-n0 runs all in one process.
SIDE_BY_SIDE := -n auto --maxprocesses 8 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest test-wheel coverage check faults audit format settings docs bench clean

help:
	@echo "make demo    evolve the example pool over 4 epochs and show the result, in demo/"
	@echo "make test    run the tests (PYTEST_ARGS='tests/pool -x' for some of them)"
	@echo "make test-oldest  the same with the oldest versions of what evolver needs"
	@echo "make test-wheel WHEEL=FILE  see that a built wheel installs and works"
	@echo "make coverage run the tests, and measure how much of the code they reach, branches too"
	@echo "make check   formatting, lint, types and import contracts"
	@echo "make faults  break the code in some places and see that tests notice (FAULT_ARGS=--all, --room store, ...)"
	@echo "make audit   look for known weaknesses in the code and in what it needs"
	@echo "make format  format, and mend what lint can mend"
	@echo "make settings write Python's keywords and docs/settings.md anew from the definition of the settings"
	@echo "make docs    build the documentation into site/"
	@echo "make bench   measure speed, memory and overhead in ten minutes (BENCH_ARGS=--full: the whole, in an hour)"
	@echo "make clean   remove the environment, the caches and what demo and docs wrote"

demo: $(VENV)/.has-run
	@"$(BIN)/python" scripts/demo.py

test: $(VENV)/.has-dev
	@"$(BIN)/python" -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

test-oldest: $(VENV)-oldest/.has-oldest
	@"$(VENV)-oldest/bin/python" -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

test-wheel: $(VENV)/.has-dev
	@EVOLVER_WHEEL="$(abspath $(WHEEL))" "$(BIN)/python" -m pytest tests/packaging $(PYTEST_ARGS)

coverage: $(VENV)/.has-dev
	@"$(BIN)/python" -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

check: $(VENV)/.has-dev
	"$(BIN)/ruff" format --check .
	"$(BIN)/ruff" check .
	"$(BIN)/python" -m mypy
	"$(BIN)/lint-imports"
	"$(BIN)/python" scripts/plant_faults.py --check

faults: $(VENV)/.has-dev
	@"$(BIN)/python" scripts/plant_faults.py $(FAULT_ARGS)

audit: $(VENV)/.has-audit
	@"$(BIN)/python" scripts/audit.py $(AUDIT_ARGS)

format: $(VENV)/.has-dev
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

settings: $(VENV)/.has-dev
	"$(BIN)/python" scripts/write_settings.py

docs: $(VENV)/.has-docs
	NO_MKDOCS_2_WARNING=1 "$(BIN)/python" -m mkdocs build --strict --quiet
	@echo "The documentation is in site/index.html"

bench: $(VENV)/.has-bench
	@"$(BIN)/python" -m benchmarks $(BENCH_ARGS)

clean:
	rm -rf "$(VENV)" "$(VENV)-oldest" demo site dist build htmlcov .coverage .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache

# A stamp for each set of packages; pyproject.toml says what is in it.
$(VENV)/.has-%: pyproject.toml scripts/environment.sh
	@UV="$(UV)" PYTHON="$(PYTHON)" sh scripts/environment.sh "$(VENV)" "$*"

$(VENV)-oldest/.has-oldest: pyproject.toml scripts/environment.sh
	@UV="$(UV)" PYTHON="$(PYTHON)" sh scripts/environment.sh "$(VENV)-oldest" oldest
