# Every task of this repository. `make help` lists them.
#
# A fresh machine needs Python 3.11 or newer and make, nothing else: each target first brings `.venv` to what it needs.
# A stamp file remembers that, so that a second run starts at once.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Numba notices an edit of the file a compiled function stands in, not of the files it calls: the cache folder is
# therefore named after all compiled sources. `=` and not `:=`, because the first run has no interpreter yet.
CACHE = $(CURDIR)/.numba_cache/$(shell $(PYTHON) tests/cache_key.py --prune .numba_cache)
demo test differential fuzz soak bench bench-peers simulate mutations: export NUMBA_CACHE_DIR = $(CACHE)

# Side by side on the machine's cores, each file in one process; what a test compiles, the others find in the cache.
PYTEST = $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
# What the bounds-checked and the interpreted run repeat: everything quick that does not itself start other engines.
MODES = tests/unit tests/property tests/scenario

.DEFAULT_GOAL := help
.PHONY: help venv demo test modes differential fuzz soak bench bench-peers simulate mutations lint clean

help:  ## list the targets
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: .venv/.stamp-lint  ## make .venv with everything that tests and checks need

demo: .venv/.stamp-package  ## synthetic market, grid strategy, summary, out/demo/report.html
	@mkdir -p out/demo
	$(BIN)/qf synth -o out/demo/synthetic.tape --events 2000000 --seed 1 --volatility-ticks 6 --force
	$(BIN)/qf backtest examples/grid.py --tape out/demo/synthetic.tape --config examples/grid.toml --out out/demo

test: .venv/.stamp-test  ## the whole suite but the heavy corpora
	$(PYTEST)

modes: .venv/.stamp-test  ## the quick tests again: with bounds checks, and interpreted
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CACHE)-checked $(PYTEST) -q -m "not slow and not soak" $(wildcard $(MODES))
	NUMBA_DISABLE_JIT=1 $(PYTEST) -q -m "not slow and not soak" $(wildcard $(MODES))

differential: .venv/.stamp-test  ## ours against hftbacktest, everything; N=… random storms of each kind
	$(if $(N),QF_DIFFERENTIAL_RUNS=$(N)) $(PYTEST) -m "soak or not soak" tests/differential

fuzz: .venv/.stamp-fuzz  ## arbitrary markets and calls under bounds checks, damaged feeds; RUNS=… SEED=…
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CACHE)-checked $(BIN)/python -m tests.fuzz.engine \
	    --runs $(or $(RUNS),20000) --seed $(or $(SEED),0)
	$(BIN)/python -m tests.fuzz.decoders --runs $(or $(RUNS),20000) --seed $(or $(SEED),0)

soak: .venv/.stamp-fuzz modes  ## the heavy corpora, and the quick tests in the other two modes
	$(PYTEST) -m soak

bench: .venv/.stamp-test  ## measure beside hftbacktest, kernel and connectors; write docs/benchmarks.md and others
	$(BIN)/python -m benchmarks.run --write docs/benchmarks.md
	$(BIN)/python -m benchmarks.convert --write docs/benchmarks.md
	$(BIN)/python -m benchmarks.kernel --write docs/reliability.md
	$(BIN)/python -m benchmarks.venues --write docs/venues.md

bench-peers: .venv/.stamp-test .venv-peers/.stamp  ## measure lrvx and NautilusTrader, in an environment of their own
	$(BIN)/python -m benchmarks.run --peers-only --repeats 3

SEEDS ?= 1000
STEPS ?= 500
SEED ?= 0
simulate: .venv/.stamp-package  ## let everything around the kernel fail: SEEDS=1000 STEPS=500 SEED=0
	$(BIN)/qf kernel simulate --seeds $(SEEDS) --steps $(STEPS) --seed $(SEED)

mutations: .venv/.stamp-test  ## put deliberate faults into the kernel, see whether the tests notice, write docs/reliability.md
	$(BIN)/python -m tests.mutations.run --write docs/reliability.md

lint: .venv/.stamp-lint  ## ruff, mypy and the import contract; reports every finding of each
	@status=0; \
	for check in "ruff check ." "ruff format --check ." mypy lint-imports; do \
	    echo "== $$check"; $(BIN)/$$check || status=1; \
	done; \
	exit $$status

clean:  ## remove outputs and caches, keep .venv
	rm -rf out build dist .numba_cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

.venv/.stamp-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "make: $(PYTHON) is `$(PYTHON) --version`; Queuefront needs 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# Not among the test needs: their engines are measured, never imported here, and would hold numpy and pyarrow back.
.venv-peers/.stamp:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check numpy pandas lrvx nautilus_trader
	@touch $@

.venv/.stamp-package: .venv/.stamp-venv pyproject.toml
	$(PIP) -e .
	@touch $@

.venv/.stamp-test: .venv/.stamp-venv pyproject.toml
	$(PIP) -e '.[test]'
	@touch $@ .venv/.stamp-package

.venv/.stamp-fuzz: .venv/.stamp-test pyproject.toml
	$(PIP) -e '.[fuzz]'
	@touch $@

# After the test needs, which hold numpy back: mypy reads the stubs of the version that the suite runs on, whichever
# target a fresh clone calls first.
.venv/.stamp-lint: .venv/.stamp-test pyproject.toml
	$(PIP) -e '.[lint]'
	@touch $@ .venv/.stamp-package
