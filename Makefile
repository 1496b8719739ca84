# Two commands matter to a newcomer: `make up` and `make test`. They need Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PINS   := configs/constraints.txt
# With the pinned torch a machine that holds a CPU build of it keeps using that build.
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(PINS)

.DEFAULT_GOAL := help
.PHONY: help up down status test soak lint fix docs bench clean system-packages client-envs

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/installed ## Install and start the platform; prints a key and a curl that works
	@$(BIN)/sparrel up

down: ## Stop exactly what `make up` started
	@$(BIN)/sparrel down

status: ## Say what runs
	@$(BIN)/sparrel status

test: $(VENV)/installed-dev system-packages client-envs ## Run what CI runs
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not ray and not soak" $(ARGS)
	$(BIN)/python -m pytest -m "ray and not soak" $(ARGS)

soak: $(VENV)/installed-dev system-packages client-envs ## Run the long load and scale tests
	$(BIN)/python -m pytest -m soak $(ARGS)

lint: $(VENV)/installed-dev ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/installed-dev ## Format and fix what can be fixed by a tool
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/installed-dev ## Regenerate the API and CLI reference
	$(BIN)/python -m sparrel.cli.docs
	$(BIN)/python -m sparrel.kernel.docs

bench: $(VENV)/installed-dev ## Measure ratios side by side; writes docs/benchmarks.md
	$(BIN)/python -m sparrel.bench $(ARGS)

clean: ## Remove the virtual environments and caches
	rm -rf $(VENV) .venvs .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sparrel needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# torch first and alone: what depends on it then keeps the pinned build.
$(VENV)/installed: pyproject.toml $(PINS) | $(BIN)/python
	@echo "Installing Sparrel into $(VENV) (a few minutes the first time) ..."
	$(PIP) torch
	$(PIP) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) -e '.[dev]'
	@touch $@

# Tests start their own PostgreSQL and compile C++ answers: Debian's packages, installed where they are missing.
system-packages:
	@missing=""; \
	command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="postgresql"; \
	command -v g++ >/dev/null || missing="$$missing g++"; \
	[ -z "$$missing" ] || { echo "Installing for the tests:$$missing"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; }

# The two generations of the published SDK have conflicting dependencies: one environment each.
client-envs: .venvs/fireworks-0.19/installed .venvs/fireworks-1.2/installed

.venvs/fireworks-0.19/installed: SDK = fireworks-ai==0.19.20
.venvs/fireworks-1.2/installed: SDK = fireworks-ai==1.2.30
.venvs/fireworks-%/installed:
	@echo "Building the environment of $(SDK)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(SDK)
	@touch $@
