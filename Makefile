# Every target is one line of `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(TANDEM_BENCH_DATA)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-latency clean sandbox

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(VENV)/.installed sandbox ## install, fetch the models, start everything on http://127.0.0.1:8000
	@$(BIN)/tandem models fetch
	@exec $(BIN)/tandem serve

test: $(VENV)/.installed-dev sandbox ## lint, types, import contracts and every test
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## let ruff mend and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev sandbox ## the main job's benchmark over the questions in DATA=DIR
	@$(BIN)/tandem models fetch
	$(BIN)/tandem bench $(if $(DATA),--data $(DATA))

bench-latency: $(VENV)/.installed-dev ## what the gateway adds to a pass-through request, beside the LiteLLM proxy
	$(BIN)/python -m bench.latency

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tandem needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The sandbox needs bubblewrap; without it Tandem starts all the same and refuses to run programs.
sandbox:
	@command -v bwrap >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null; } \
	  || echo "bubblewrap is missing, so programs will not run: sudo apt-get install bubblewrap"
