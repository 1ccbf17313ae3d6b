# make train makes a virtual environment, installs the pinned dependencies and trains.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
PROCESSES ?= 2
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES := osimexp hydra_plugins tests

.PHONY: help train test test-slow format clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo '  make train ARGS="algo=ppo seed=1" gives arguments to the main job, and'
	@echo '  make test ARGS=tests/tasks to pytest; PYTHON=python3.12 chooses the interpreter,'
	@echo '  3.11 to 3.13, that the virtual environment is made with.'

train: $(VENV)/installed ## install and run the main job, python -m osimexp $(ARGS)
	$(BIN)/python -m osimexp $(ARGS)

test: $(VENV)/installed-test ## install, lint, check types and run the tests, in PROCESSES=2
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

test-slow: $(VENV)/installed-test ## run the tests that train or measure for minutes
	$(BIN)/python -m pytest -m slow $(ARGS)

format: $(VENV)/installed-test ## bring the code into its format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean: ## remove the virtual environment and what tools left behind; outputs/ stays
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo '$(PYTHON) is not Python 3.11 to 3.13; name one that is, as PYTHON=python3.12.' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are newer than what they were installed from, so that nothing is installed twice.
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e .
	touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[test]'
	touch $(VENV)/installed $@
