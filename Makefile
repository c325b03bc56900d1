# `make quickstart` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: quickstart test test-all lint install

quickstart: install  ## train the three stages small on synthetic motion, evaluate, draw
	$(BIN)/motiongpt run experiment=quickstart

test: install  ## lint, types and the quick tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not slow and not slurm and not browser and not gpu"

test-all: install  ## also the tests that take minutes
	$(BIN)/python -m pytest -m "not slurm and not browser and not gpu"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@
