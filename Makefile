# `make quickstart` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests take small steps, for which a second thread costs more than it brings: two files of tests at
# once bring more.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
# Files in the order of tests/conftest.py.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
INSTALLED := $(VENV)/.installed
# Without what nlg-metricverse holds back, and what holds it.
VENV5 := .venv-transformers-5
INSTALLED5 := $(VENV5)/.installed
HELD := transformers|huggingface.hub|tokenizers|pyarrow|datasets|dill|multiprocess|click|fsspec
TESTS5 := backbones causal import_checkpoint single_steps generation_loop golden_lm motiongpt_method \
	text_encoders small_text_encoder api_model motiongpt3_stages

# What a machine with CUDA's own torch, transformers and lightning may lack; pure Python.
GPU_PACKAGES := .gpu-packages
GPU_LACKS := hydra-core omegaconf antlr4-python3-runtime

.PHONY: quickstart test test-all test-slow test-slurm test-long test-browser test-gpu gpu-packages \
	test-transformers-5 install install-transformers-5 types quick-tests

quickstart: install  ## train the three stages small on synthetic motion, evaluate, draw
	$(BIN)/motiongpt run experiment=quickstart

test: install  ## lint, types and the quick tests
	$(BIN)/ruff check .
	$(MAKE) --no-print-directory --jobs=2 types quick-tests

# Side by side: mypy works on one core.
types:
	$(BIN)/mypy

quick-tests:
	$(PYTEST) $(PARALLEL) -m "not slow and not slurm and not browser and not gpu"

test-all: install  ## also the tests that take minutes
	$(PYTEST) $(PARALLEL) -m "not slurm and not browser and not gpu"

test-slow: install  ## the tests that take minutes, alone, but those of test-long
	$(PYTEST) $(PARALLEL) -m "slow and not long and not slurm and not browser and not gpu"

test-slurm: install  ## tests on a SLURM cluster that they start on this machine (Debian; installs it if root)
	$(PYTEST) $(PARALLEL) -rs -m "slurm and not long" tests/slurm

test-long: install  ## what takes longest and breaks seldom, on a SLURM cluster too: before a release
	$(PYTEST) $(PARALLEL) -rs -m "long and not browser and not gpu"

test-browser: install  ## pages in a headless browser (Debian: apt-get install chromium)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[browser,web]"
	$(PYTEST) -rs -m browser

# With the torch of PYTHON, not of .venv, whose torch may be one without CUDA. A machine that reaches
# no registry is brought the folder of `make gpu-packages`. One fails, the other still runs.
test-gpu:  ## below 8 minutes on one GPU: its tests, then parity, and speed beside the machine's limits
	@export PYTHONPATH="$(CURDIR):$(CURDIR)/$(GPU_PACKAGES)"; status=0; \
	$(PYTHON) -m pytest -rs -p no:cacheprovider -m gpu tests/gpu || status=1; \
	$(PYTHON) -m tests.benchmarks.gpu --device cuda --out outputs/gpu || status=1; \
	exit $$status

gpu-packages:  ## into .gpu-packages what `make test-gpu` needs beside CUDA's torch, transformers, lightning
	$(PYTHON) -m pip install --quiet --no-deps --upgrade --target $(GPU_PACKAGES) \
		--constraint constraints.txt $(GPU_LACKS)

# Two of the tests hold for the random weights that transformers 4 draws, not for others.
test-transformers-5: $(INSTALLED5)  ## the quick tests of what uses transformers, with version 5
	OMP_NUM_THREADS=1 $(VENV5)/bin/python -m pytest $(PARALLEL) -m "not slow and not gpu" \
		-k "not bfloat16_follows_float32 and not sampled_lengths_are_distributed" \
		$(TESTS5:%=tests/unit/test_%.py)

install: $(INSTALLED)

install-transformers-5: $(INSTALLED5)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,sweepers,nlg-metricverse]"
	touch $@

$(INSTALLED5): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV5)
	grep -vE '^($(HELD))==' constraints.txt > $(VENV5)/constraints.txt
	$(VENV5)/bin/python -m pip install --quiet --constraint $(VENV5)/constraints.txt torch
	$(VENV5)/bin/python -m pip install --quiet --constraint $(VENV5)/constraints.txt \
		--editable ".[test]" "transformers>=5"
	touch $@
