# From a bare checkout to a running plant: `make demo`. Every target first makes .venv
# from the locked, hashed requirements, once; nothing outside the checkout is touched.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PEERS := tests/peers/.installed

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install demo test torture test-slow check bench clean

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## make .venv with everything locked in requirements.lock

demo: $(INSTALLED)  ## run a simulated plant and the engine; ARGS="--help" tells more
	@$(BIN)/mes demo $(ARGS)

test: $(INSTALLED) $(PEERS)  ## run the tests on two cores; ARGS="tests/core -k hold" picks some
	@$(BIN)/python -m pytest -n 2 $(ARGS)

torture: $(INSTALLED) $(PEERS)  ## kill, cut and wait: the tests that take their time
	@$(BIN)/python -m pytest -n 2 -m "torture and not slow" $(ARGS)

test-slow: $(INSTALLED) $(PEERS)  ## run the tests that `make test` leaves out for their length
	@$(BIN)/python -m pytest -m slow --timeout 900 $(ARGS)

check: $(INSTALLED)  ## lint, format, types and import contracts; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)  ## measure what must be fast, as ratios within one run
	@$(BIN)/python -m benchmarks $(ARGS)

clean:  ## remove .venv, the demo's data and all caches
	rm -rf .venv .demo dist tests/peers/node_modules $(PEERS) build .*_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old: Python 3.11 or newer is needed." >&2; \
	  echo "Name one with: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make a venv. On Debian: apt-get install python3-venv" >&2; \
	  exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) from requirements.lock ..."
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' \
	  2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "Done: the command is $(BIN)/mes"

# Servers of other makers. Without npm or a network their tests are skipped, and say so.
$(PEERS): tests/peers/package-lock.json
	@if ! command -v npm >/dev/null; then \
	  echo "There is no npm here, so no tests against its servers: apt-get install npm"; \
	elif npm ci --prefix tests/peers --ignore-scripts --no-audit --no-fund \
	  --loglevel=error >/dev/null; then touch $@; \
	else echo "tests/peers could not be installed, so no tests against them"; fi
