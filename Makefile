# Needs Python 3.11 or newer, pip and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY  := $(VENV)/.ready
BENCH  := .venv-bench
BENCH_READY := $(BENCH)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-browser test-scale docs stress lint bench bench-publishing bench-mirror bench-lake bench-postgres bench-exports \
	bench-evaluation bench-completion clean

help:
	@echo "make demo   two databases, a publication, an evaluation notebook, an HTML report"
	@echo "make test   the test suite"
	@echo "make test-slow  the tests that take longer, which .ci/run runs as well"
	@echo "make test-browser  JupyterLab and Notebook 7 in Chromium; RUNS=20 for 20 times in a row"
	@echo "make test-scale  staging and analytics on real servers, which it installs where it may"
	@echo "make docs   the documentation site in build/site, without network; what its pages run is run"
	@echo "make stress publishers killed 500 times beside a writer and readers; a file beyond 1 GiB"
	@echo "make lint   ruff and mypy"
	@echo "make bench  loading time and overhead per cell beside two other SQL magics"
	@echo "make bench-publishing  publications beside SQLite's backup; ARGS=--quick without the 2 GB"
	@echo "make bench-mirror  twelve questions through greynb and eight other ways; ARGS=--quick for 100 MB alone"
	@echo "make bench-lake  a DuckLake beside the files; ARGS=--spark with Spark"
	@echo "make bench-postgres  staging and analytics on PostgreSQL beside the files"
	@echo "make bench-exports  a million rows as CSV, Parquet, JSON and Excel, beside pandas"
	@echo "make bench-completion  Tab in a cell over 200 tables of 40 columns"
	@echo "make bench-evaluation  greynb.evaluate beside a loop with three queries per race"
	@echo "make clean  remove what the others made"

# The stamp is older than its inputs after every change of a dependency, and only then.
# The labextension is copied by the installation, also by this editable one.
$(READY): pyproject.toml constraints.txt $(wildcard lab/greynb/*.json lab/greynb/*/*.* lab/greynb/*/*/*.json)
	@echo "Setting up $(VENV) (once; a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit("greynb needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@$(BIN)/python -c 'import pathlib; pathlib.Path("$(READY)").touch()'

# Peers need other versions of IPython and pandas than the project: an environment of their own.
$(BENCH_READY): pyproject.toml constraints.txt benchmarks/requirements.txt
	@echo "Setting up $(BENCH)"
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/$(notdir $(BIN))/python -m pip install -q --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt -e .
	@$(PYTHON) -c 'import pathlib; pathlib.Path("$(BENCH_READY)").touch()'

demo: $(READY)
	@$(BIN)/greynb demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n 2 $(ARGS)

test-slow: $(READY)
	@$(BIN)/python -m pytest -n 2 -m slow $(ARGS)

RUNS ?= 1
test-browser: $(READY)
	@for run in $$(seq $(RUNS)); do $(BIN)/python -m pytest -m browser tests/browser $(ARGS) || exit 1; done

test-scale: $(READY)
	@.ci/tools
	@$(BIN)/python -c 'import pyspark' 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[spark]'
	@$(BIN)/python -m pytest -m scale tests/scale $(ARGS)

stress: $(READY)
	@$(BIN)/python -m tests.publish.survival.stress $(ARGS)

# --strict: a link or an anchor that leads nowhere stops the build.
docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet $(ARGS)
	@echo "build/site/index.html"

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(BENCH_READY)
	@$(BENCH)/$(notdir $(BIN))/python benchmarks/compare.py $(ARGS)

bench-publishing: $(READY)
	@$(BIN)/python benchmarks/publishing.py $(ARGS)

bench-mirror: $(BENCH_READY)
	@$(BENCH)/$(notdir $(BIN))/python benchmarks/mirror.py $(ARGS)

bench-lake: $(READY)
	@$(BIN)/python benchmarks/lake.py $(ARGS)

bench-postgres: $(READY)
	@$(BIN)/python benchmarks/postgres.py $(ARGS)

bench-exports: $(READY)
	@$(BIN)/python benchmarks/exports.py $(ARGS)

bench-completion: $(READY)
	@$(BIN)/python benchmarks/completion.py $(ARGS)

bench-evaluation: $(READY)
	@$(BIN)/python benchmarks/evaluation.py $(ARGS)

clean:
	@$(PYTHON) -c 'import shutil; [shutil.rmtree(p, ignore_errors=True) for p in "$(VENV) $(BENCH) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist".split()]'
