# make demo: a pruned network through four decoders.  make test: the tests.  Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint expected prove figures bench clean

demo: $(READY)
	@$(BIN)/unprune demo

test: $(READY) lint
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: $(READY) lint  # all tests, and all that is checked of every format in full, with the table in out/verify.html
	@$(BIN)/python -m pytest -n auto --dist worksteal
	@$(BIN)/unprune verify --full

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy

expected: $(READY)  # record the area and clock figures that the tests hold by equality
	@$(BIN)/python -m synth.sweep --write --jobs -1
	@$(BIN)/python -m synth.markdown --write README.md

prove: $(READY)
	@$(BIN)/python -m hdl.properties

figures: $(READY)  # every decoder beside what was aimed at, and whole networks through each; half an hour
	@$(BIN)/python -m benchmarks.figures

bench: $(READY)
	@$(BIN)/python -m benchmarks.encode
	@$(BIN)/python -m benchmarks.planes

$(READY): pyproject.toml
	@command -v c++ >/dev/null || { echo "unprune needs a C++ compiler for the simulator, and there is none: install one (on Debian: apt install g++ make)"; exit 1; }
	@echo "installing into $(VENV), half a minute"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) out build *.egg-info
