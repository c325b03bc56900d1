# `make quickstart` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests take small steps, for which a second thread costs more than it brings: two files of tests at
# once bring more.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
PARALLEL := -n 2 --dist loadfile
INSTALLED := $(VENV)/.installed

.PHONY: quickstart test test-all test-slow test-slurm install

quickstart: install  ## train the three stages small on synthetic motion, evaluate, draw
	$(BIN)/motiongpt run experiment=quickstart

test: install  ## lint, types and the quick tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) $(PARALLEL) -m "not slow and not slurm and not browser and not gpu"

test-all: install  ## also the tests that take minutes
	$(PYTEST) $(PARALLEL) -m "not slurm and not browser and not gpu"

test-slow: install  ## the tests that take minutes, alone
	$(PYTEST) $(PARALLEL) -m "slow and not slurm and not browser and not gpu"

test-slurm: install  ## tests on a SLURM cluster that they start on this machine (Debian; installs it if root)
	$(PYTEST) $(PARALLEL) -rs -m slurm

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,sweepers,nlg-metricverse]"
	touch $@
