# Everything happens in .venv; `make` alone lists the words. On Linux machines without an NVIDIA card,
#     export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
# before the first of them saves gigabytes: pip then takes the CPU build of torch.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run demo test coverage faults lint type train bench bench-quick bench-wer

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Build .venv with everything in it (quick when nothing changed)

run: $(INSTALLED) ## Start the service on 127.0.0.1:8000
	$(BIN)/python -m app serve

demo: $(INSTALLED) ## Analyse the demo call through HTTP and show the result (DEMO_EXIT=1: then end)
	@$(BIN)/python scripts/demo.py

# Many tests wait for processes of their own, so two workers more than a machine with two cores has.
test: $(INSTALLED) ## Run all tests
	$(BIN)/python -m pytest tests/ -n 4 --dist loadfile

coverage: $(INSTALLED) ## The same, counting the lines that they reach (slower)
	$(BIN)/python -m pytest tests/ --cov=app -n 4 --dist loadfile

faults: $(INSTALLED) ## Kill, freeze and cut off real processes, and see what is left (docs/faults.md)
	$(BIN)/python -m tests.faults

lint: $(INSTALLED) ## Check style, formatting and the layers of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(INSTALLED) ## Check types
	$(BIN)/mypy

bench: $(INSTALLED) ## Measure start, health under load and accuracy; writes bench/results/
	$(BIN)/python -m bench

bench-quick: $(INSTALLED) ## The ratios alone
	$(BIN)/python -m bench --quick

bench-wer: $(INSTALLED) ## Word error rates of ../shared/audio on one engine (STT_PROVIDER=pocketsphinx)
	$(BIN)/python -m bench.wer $(or $(STT_PROVIDER),pocketsphinx)

train: $(INSTALLED) ## Train the reader of moments and sentiment anew (training/moments; under an hour)
	$(BIN)/python -m training.moments.train

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one with PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV); the first time takes a few minutes."
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@
