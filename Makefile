# Two commands do everything: `make demo` and `make test`. The first call makes .venv and installs; later ones are quick.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
# make test SHAPES=1 checks every annotation while tests run (jaxtyping, beartype); that costs a third as much time again.
export SHAPES ?=
# Tests start hundreds of processes: what these import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# A module's tests stay on one worker, so that what they share is made once.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope

.PHONY: demo test test-slow test-all check docs fuzz mutants page bench clean

demo: .venv/installed
	$(BIN)/soundfix demo --out demo

test: .venv/installed
	$(PYTEST) -m "not slow"

# Few and long: whoever is free takes the next.
test-slow: .venv/installed
	$(PYTEST) --dist worksteal -m "slow and not pages"

test-all: .venv/installed
	$(PYTEST)

check: .venv/installed
	$(BIN)/ruff format --check src tests bench docs/*.py
	$(BIN)/ruff check src tests bench docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_layout.py tests/test_public.py tests/test_contributing.py

# The site, in build/docs; a warning is an error. Pages, and the notebook, are made again where they changed.
docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html -c docs . build/docs

# Hostile files by the thousand; each that is not refused with an error of ours is kept in fuzz/, beside how many were tried.
# The same SEED goes on where it ended.
MINUTES ?= 5
SEED ?= 0
WORKERS ?= 1
fuzz: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m attacks.fuzz --minutes $(MINUTES) --seed $(SEED) --workers $(WORKERS)

# Small changes to the source, each of which some test must notice; DRAW more are drawn.
DRAW ?= 0
mutants: .venv/installed
	$(BIN)/python bench/mutants.py --draw $(DRAW) --seed $(SEED)

# The page again from its source in web/, with npm; what is built is part of the package.
page:
	cd web && npm install --silent --no-audit --no-fund && npm test --silent && npm run build --silent

bench: .venv/installed
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/luvira_twin.py
	$(BIN)/python bench/long_recording.py
	$(BIN)/python bench/streaming.py

# torch first: a CPU build that is in .venv already is kept (README), which on Linux spares gigabytes of CUDA packages.
.venv/installed: pyproject.toml constraints.txt
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[report,web,dev]"
	touch $@

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf .venv build demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
