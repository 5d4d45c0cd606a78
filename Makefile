# The entry point for all tasks; `make` without a target lists them.  Each target installs what it needs,
# so that a new machine needs only Python 3.11 or newer.

.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SUITES ?= ../shared/suites
EXAMPLES ?= 20000
COMPARED := tests/benchmarks/layers/boto3.txt tests/benchmarks/layers/capo-sagemaker-runtime.txt
ROUNDS ?= 15
PARALLEL ?= -n 2
ONLY ?=
BASELINE ?=
RIVALS := $(VENV)/rivals
ATTACKED := $(VENV)/attacked
CONTENDERS := $(patsubst %,$(RIVALS)/%/.made,ours floor boto3 aiobotocore capo httpx)
CONTENDERS += $(if $(BASELINE),$(RIVALS)/baseline/.$(BASELINE))

# Debian's Pythons are used for versions that are not installed (see the target .pythons).  They come last on the path.
export PATH := $(PATH):$(abspath $(VENV))/pythons/bin
# The Python versions in pyproject.toml's classifiers that are on the path or installed by pyenv.  To use others:
# make test-all PYTHONS="python3.12 /opt/python3.13/bin/python"
VERSIONS := $(shell sed -n 's/.*Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml)
PYTHONS ?= $(shell PATH="$(PATH)"; for version in $(VERSIONS); do \
	for python in python$$version ~/.pyenv/versions/$$version.*/bin/python; do \
		$$python -c "" 2>/dev/null && echo $$python && break; \
	done; done)

.PHONY: help demo test test-all test-lowest check lint types contracts coverage wheel layer layer-pins layer-test conformance fuzz attack bench bench-readme fixtures format clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Run the main job with real input against the emulator
	$(BIN)/python tests/demo

test: $(VENV)/.dev ## Run the tests, and the examples in READMEs and docstrings
	$(BIN)/python -m pytest $(PARALLEL) $(COVER)

test-all: $(VENV)/.pythons ## Run the tests on each supported Python (PYTHONS) with the newest dependencies
	$(call on-each-python,newest,)

test-lowest: $(VENV)/.pythons ## Run the tests on each supported Python with the lowest allowed dependencies
	$(call on-each-python,lowest,$$venv/.lowest)

check: lint types contracts coverage wheel ## Run all CI checks

format: $(VENV)/.dev ## Format the code and fix style errors
	$(BIN)/python -m ruff check --fix . && $(BIN)/python -m ruff format .

lint: $(VENV)/.dev ## Check style and likely mistakes
	$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check .

types: $(VENV)/.dev ## Check types with mypy and pyright, including the examples in READMEs
	$(BIN)/python -m mypy && $(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/python tests/readme_types.py

contracts: $(VENV)/.dev ## Check which modules import which, and that __slots__ are correct
	PYTHONPATH=.:runtime_client $(BIN)/lint-imports --no-cache
	PYTHONPATH=.:runtime_client $(BIN)/python -m slotscheck -m sigv4 -m sagemaker_runtime_client

coverage: $(VENV)/.dev ## Run the tests and require full branch coverage
	$(BIN)/python -m coverage erase
	$(MAKE) test COVER="-p tests.covered"
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

wheel: $(VENV)/.dev ## Build the wheel, and test it in an empty environment
	PYTHON=$(PYTHON) BUILD=$(BIN)/python sh tests/wheel_smoke.sh

layer: $(VENV)/.demo $(VENV)/.pythons ## Build the Lambda layers in dist/, and compare their sizes with those of other clients
	$(BIN)/sagemaker-runtime layer $(COMPARED:%=--compare %)
	$(BIN)/sagemaker-runtime layer --variant lean --sourceless

layer-pins: $(VENV)/.demo $(VENV)/.pythons ## Pin the newest versions of the wheels in the layers
	$(BIN)/sagemaker-runtime layer --renew

layer-test: $(VENV)/.dev $(VENV)/.arm64 ## Run functions with each layer on each Python version, under AWS's runtime client
	LAYERS=all $(BIN)/python -m pytest tests/runtime_client/layer

conformance: $(VENV)/.dev ## Run the test suites of other projects, from the folder SUITES
	SUITES=$(SUITES) $(BIN)/python -m pytest tests/conformance

fuzz: $(VENV)/.dev ## Test every parser with random input, and compare EXAMPLES random requests with botocore and awscrt
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz

attack: $(ATTACKED)/.made ## Attack the installed wheel; ONLY=region_set runs one attack (a module in tests/attack)
	@$(ATTACKED)/bin/python -E tests/attack $(ONLY:%=--only %)

bench: $(CONTENDERS) ## Compare size and speed with other clients; options: ROUNDS=15, ONLY=cold (or another part), BASELINE=revision
	@$(BIN)/python tests/benchmarks --rounds $(ROUNDS) $(ONLY:%=--only %) $(BASELINE:%=--baseline)

bench-readme: $(CONTENDERS) $(VENV)/.bench ## Run the benchmarks, and update their README and the figures in README.md
	@$(BIN)/python tests/benchmarks --rounds $(ROUNDS) --keep

fixtures: $(VENV)/.fixtures ## Regenerate fixtures/ with the reference implementations
	for script in tests/regenerate_*.py; do $(BIN)/python $$script || exit 1; done

clean: ## Remove all generated files
	rm -rf $(VENV) .venvs dist build .coverage* .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[emulator,cli]"
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[cli]" --group dev
	$(BIN)/python -m venv --without-pip $(VENV)/servers
	$(BIN)/python -m pip --python $(VENV)/servers/bin/python install --quiet --group servers
	touch $@ $(VENV)/.demo

# Downloads Debian's packages of the supported Python versions that are not installed, if apt is available (20 MB and
# 10 s each).
$(VENV)/.pythons: tests/runtime_client/layer/pythons.py | $(VENV)/.demo
	$(BIN)/python $< native
	touch $@

# Downloads the Python versions for arm64, and an emulator that runs them on machines of other architectures.
$(VENV)/.arm64: tests/runtime_client/layer/pythons.py | $(VENV)/.pythons
	$(BIN)/python $< arm64
	touch $@

# Replaces the newest versions of direct dependencies with the lowest allowed ones, and those of indirect dependencies
# with versions that work with these.
$(VENV)/.lowest: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --python $(BIN)/python --resolution lowest-direct --all-extras \
		--no-header --no-annotate --output-file $@ pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --requirement $@

# Runs the tests for each Python in a separate environment.  The arguments are the beginning of the environment's name,
# and a target that is made before the tests.
define on-each-python
	set -e; for python in $(PYTHONS); do \
		venv=.venvs/$(1)-$$($$python -c 'import platform; print(platform.python_version())'); \
		echo "== $$venv"; $(MAKE) --no-print-directory PYTHON=$$python VENV=$$venv $(2) test; \
	done
endef

# Environments like those of users: each contains only one client and its run-time packages, none of them editable.
$(RIVALS)/ours/.made: $(shell find sigv4 runtime_client -name "*.py")
$(RIVALS)/ours/.made: INSTALL := .
$(RIVALS)/floor/.made: INSTALL :=
$(RIVALS)/%/.made: INSTALL = --group rival-$*
$(RIVALS)/%/.made: pyproject.toml | $(VENV)/.dev
	$(BIN)/python -m venv --without-pip --clear $(@D)
	$(if $(INSTALL),$(BIN)/python -m pip --python $(@D)/bin/python install --quiet $(INSTALL))
	touch $@

# An environment like that of a user, in which an earlier revision of this package is installed.
$(RIVALS)/baseline/.$(BASELINE): | $(VENV)/.dev
	$(BIN)/python -m venv --without-pip --clear $(@D)
	mkdir $(@D)/source && git archive $(BASELINE) | tar -x -C $(@D)/source
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet $(@D)/source
	touch $@

# An environment like that of a user, with the wheel, and with the servers and event loops for the attacks.
$(ATTACKED)/.made: pyproject.toml $(shell find sigv4 runtime_client -name "*.py") | $(VENV)/.dev
	$(BIN)/python -m venv --without-pip --clear $(@D)
	$(BIN)/python -m build --wheel --no-isolation --outdir $(@D)/dist . >$(@D)/build.log
	$(BIN)/python -m pip --python $(@D)/bin/python install --quiet $(@D)/dist/*.whl --group attack
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group bench
	touch $@

$(VENV)/.fixtures: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group fixtures
	touch $@
