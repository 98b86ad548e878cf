# Every target is one line of `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(TANDEM_BENCH_DATA)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-collaboration bench-handover bench-latency bench-playbook bench-playbook-recall bench-routing bench-strategies clean sandbox browser ui ui-test
UI := web/ui
NPM := $(UI)/npm.sh $(abspath $(BIN)/python)

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(VENV)/.installed sandbox ## install, fetch the models, start everything on http://127.0.0.1:8000
	@$(MAKE) --no-print-directory ui || echo "the chat page could not be built; the API works without it"
	@$(BIN)/tandem models fetch
	@exec $(BIN)/tandem serve

test: $(VENV)/.installed-dev sandbox browser ## lint, types, import contracts and every test
	@$(MAKE) --no-print-directory lint ui-test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

lint: $(VENV)/.installed-dev ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: $(UI)/dist/.built ## build the chat page, if its sources changed

ui-test: $(UI)/dist/.built ## the chat page's lint, types and unit tests
	$(NPM) run --silent lint
	$(NPM) run --silent types
	$(NPM) run --silent test

format: $(VENV)/.installed-dev ## let ruff mend and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev sandbox ## the main job's benchmark over the questions in DATA=DIR
	@$(BIN)/tandem models fetch
	$(BIN)/tandem bench $(if $(DATA),--data $(DATA)) $(ARGS)

bench-collaboration: $(VENV)/.installed-dev ## who writes which token: every policy beside both models alone, over DATA=DIR
	@$(BIN)/tandem models fetch
	$(BIN)/python -m bench.collaboration $(if $(DATA),--data $(DATA)) $(ARGS)

bench-latency: $(VENV)/.installed-dev ## what the gateway adds to a pass-through request, beside the LiteLLM proxy
	$(BIN)/python -m bench.latency $(ARGS)

bench-routing: $(VENV)/.installed-dev ## routers and the answer-side policy beside every constant, from stored outcomes
	$(BIN)/python -m bench.routing $(if $(DATA),--data $(DATA)) $(ARGS)

bench-strategies: $(VENV)/.installed-dev sandbox ## every strategy beside the vote that costs as much, over DATA=DIR
	@$(BIN)/tandem models fetch
	$(BIN)/python -m bench.strategies $(if $(DATA),--data $(DATA)) $(ARGS)

bench-playbook: $(VENV)/.installed-dev sandbox ## a stream of questions with and without the playbook, over DATA=DIR
	@$(BIN)/tandem models fetch
	$(BIN)/python -m bench.playbook $(if $(DATA),--data $(DATA)) $(ARGS)

bench-playbook-recall: $(VENV)/.installed-dev ## how fast the playbook finds what it knows, and what its guard lets through
	$(BIN)/python -m bench.playbook_recall $(ARGS)

bench-handover: $(VENV)/.installed-dev ## what a hand-over between the two models costs as the text grows
	@$(BIN)/tandem models fetch
	$(BIN)/python -m bench.handover $(ARGS)

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) $(UI)/node_modules $(UI)/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The target is what comes last: an environment without pip is half-made, and made again. Debian's Python brings pip only
# with the package python3-venv; without it, the system's own pip does, where there is one.
$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tandem needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	  || { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } \
	  || { echo "no virtual environment with pip could be made by $(PYTHON); on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

UI_SOURCES = $(shell find $(UI)/src $(UI)/public -type f) $(addprefix $(UI)/,index.html package.json vite.config.ts fonts.ts size.mjs tsconfig.json)

$(UI)/dist/.built: $(UI_SOURCES) $(UI)/node_modules/.installed
	$(NPM) run --silent build
	@touch $@

$(UI)/node_modules/.installed: $(UI)/package-lock.json $(UI)/.npmrc | $(BIN)/pip
	$(NPM) ci --loglevel error
	@touch $@

# The sandbox needs bubblewrap; without it Tandem starts all the same and refuses to run programs.
sandbox:
	@command -v bwrap >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null; } \
	  || echo "bubblewrap is missing, so programs will not run: sudo apt-get install bubblewrap"

# The chat page's browser tests drive Debian's Chromium; without it they are skipped.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "Chromium is missing, so the chat page is not tested: sudo apt-get install chromium"
