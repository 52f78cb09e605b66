# Everything starts here: `make demo` and `make test` each work alone in a fresh clone with
# Python 3.11 or newer, make and a package index. Both build and share .venv/.

.DEFAULT_GOAL := help
.PHONY: help setup demo test suite check bench prove docs lock clean
.DELETE_ON_ERROR:

# The first command that runs and is new enough; a name on the PATH alone proves nothing.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2
OURS := src tests examples benchmarks prove docs tools

# A stray setting of the caller must not change what is tested.
unexport PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY) ## Build .venv/ from the hashed lock; nothing to do if it is up to date.

$(READY): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found"; \
		echo "  where: the PATH"; echo "  fix:   install Python 3.11+, or: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "error: $(PYTHON) cannot make virtual environments"; \
		echo "  where: module venv"; echo "  fix:   on Debian or Ubuntu: apt-get install python3-venv"; exit 2; }
	@echo "Setting up $(VENV)/ (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --no-compile --require-hashes --only-binary :all: -r requirements/dev.txt
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
# Once and on all cores, instead of in every process where nothing may be written beside a
# module: imports take a third of the time. Templates that are no Python do not count.
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib src || true
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { echo "error: LightGBM cannot be loaded: the system has no OpenMP runtime"; \
		echo "  where: libgomp.so.1"; echo "  fix:   on Debian or Ubuntu: apt-get install libgomp1"; exit 2; }
	@touch $@

demo: $(READY) ## Take two real projects from raw data to a verdict, one of them to a release.
	@$(BIN)/python examples/demo.py

test: $(READY) ## Run the static checks and every test; what continuous integration runs.
	@$(MAKE) --no-print-directory -j2 check suite

suite: $(READY) ## Run the tests alone.
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadscope --no-loadscope-reorder

check: $(READY) ## Run ruff, mypy, the import contract and the strict docs build.
	@$(BIN)/ruff check $(OURS)
	@$(BIN)/ruff format --check $(OURS)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

bench: $(READY) ## Run every benchmark and print one table.
	@$(BIN)/python benchmarks/run_all.py

prove: $(READY) ## Run the long simulations behind the verdicts.
	@$(BIN)/python prove/run_all.py

docs: $(READY) ## Build the documentation into build/site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

# No machine path and no index address may enter the locks; a test looks for them.
LOCK := pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-header --quiet
UV ?= $(firstword $(wildcard $(BIN)/uv) uv)

lock: ## Resolve pyproject.toml anew into requirements/*.txt (needs uv).
	@$(UV) --version >/dev/null 2>&1 || { echo "error: uv not found"; echo "  where: make lock"; \
		echo "  fix:   $(BIN)/python -m pip install uv"; exit 2; }
	@$(UV) $(LOCK) pyproject.toml -o requirements/run.txt
	@$(UV) $(LOCK) pyproject.toml requirements/dev.in --all-extras --group dev -c requirements/run.txt -o requirements/dev.txt

clean: ## Remove what was built; .venv/ stays.
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
