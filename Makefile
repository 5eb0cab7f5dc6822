# Every target installs what it needs by itself, into .venv (VENV=DIR for another). `make help` lists them.
SHELL := /bin/sh
export VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 2
export UV_PYTHON_DOWNLOADS := never
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run install test test-pythons soak mutants home-assistant-test proof proof-quick docker-proof check format lock wheel clean system-run system-test

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BIN)/.run-stamp system-run ## Run the product: headset or simulated wearer in, music out (ARGS="--music DIR ...")
	@$(BIN)/neuroplayer run $(ARGS)

install: $(BIN)/.run-stamp system-run ## Put the command neuroplayer on your PATH (by pipx or uv where they are, else as a link)
	@sh docker/install-command.sh "$(PYTHON)"

test: $(BIN)/.dev-stamp system-test ## Pass the tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not soak" $(ARGS)

test-pythons: ## Pass the tests on every Python from 3.11 on that this machine has (ONLY=3.13 for one)
	@sh docker/test-pythons.sh "$(MAKE)" $(ONLY)

soak: $(BIN)/.dev-stamp system-test ## Run the tests that take many minutes
	@$(BIN)/python -m pytest -m soak --timeout 3600 $(ARGS)

mutants: $(BIN)/.dev-stamp ## Count the one-line mutants that the tests notice (ARGS="--count 10 --room player/mixing")
	@$(BIN)/uv pip install -q --python $(BIN)/python --group mutants
	@nice -n 10 $(BIN)/python bench/mutation/mutants.py $(ARGS)

home-assistant-test: $(BIN)/.dev-stamp system-test ## Hold the discovery against a real Home Assistant (HA_PYTHON=python3.13 for a newer one)
	@sh docker/home-assistant-tests.sh $(ARGS)

proof: ## Prove in fresh Debian roots that the README's commands give sound (root, mmdebstrap; ARGS=--quick for less)
	@$(PYTHON) docker/proof $(ARGS)

proof-quick: ## One variant of each kind, in a few minutes
	@$(PYTHON) docker/proof --quick

docker-proof: ## Carry out the Dockerfile step by step in fresh Debian roots (root, mmdebstrap)
	@$(PYTHON) docker/proof/dockerfile.py

check: $(BIN)/.dev-stamp ## Lint, format, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(BIN)/.dev-stamp ## Format the code and mend what lint can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

wheel: $(BIN)/.dev-stamp ## Build the wheel into dist/
	@$(BIN)/python -m build --no-isolation --wheel --outdir dist .

lock: $(BIN)/.dev-stamp ## Resolve the dependencies anew into the two locks
	@$(BIN)/uv pip compile -q pyproject.toml --extra train --group dev --universal --generate-hashes \
		--constraint docker/lock-constraints.txt --no-emit-index-url -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes \
		--constraint docker/lock-constraints.txt --no-emit-index-url -o requirements-run.lock

clean: ## Remove the environment and every build product
	rm -rf .venv .venv-python* dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

system-run:
	@sh docker/system-packages.sh run

system-test:
	@sh docker/system-packages.sh test

$(BIN)/.venv-stamp:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed and none was found" >&2; exit 2; }
	@sh docker/make-venv.sh "$(PYTHON)"
	@touch $@

$(BIN)/.run-stamp: $(BIN)/.venv-stamp requirements-run.lock
	@echo "Installing what the product needs into $(VENV) (once, about a minute)"
	@sh docker/install-lock.sh requirements-run.lock
	@touch $@

$(BIN)/.dev-stamp: $(BIN)/.venv-stamp requirements.lock
	@echo "Installing what the tests need into .venv (once, a minute or two)"
	@sh docker/install-lock.sh requirements.lock
	@touch $@ $(BIN)/.run-stamp
