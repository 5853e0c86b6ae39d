# Two commands: `make run` serves the project, `make test` tests it.  Both set up what they need first.
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help run test lint format bench bench-departments bench-growth bench-scheduler soak soak-ha soak-migrate crowds setup requirements clean

UV_VERSION := 0.13.9
BOOT := .boot/uv-$(UV_VERSION).stamp
UV := UV_PYTHON_DOWNLOADS=never .boot/bin/uv
BIN := .venv/bin
# Starting a command would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
# Extra words for pytest, and for the benchmarks: make test ARGS="-n 2 -k calendar"
ARGS ?=

help:
	@echo 'make run    set up and serve on 127.0.0.1:8080'
	@echo 'make test   set up and run every test, on SQLite and on PostgreSQL'
	@echo 'make lint   ruff, mypy, import-linter'
	@echo 'make bench  what work costs, beside the limit of the database; make bench-growth: how cost grows, with plots'
	@echo 'make bench-scheduler   a million timers: how late they go off, and how long people wait meanwhile'
	@echo 'make soak   many nodes on one database, and everything that can go wrong (DURATION=60 SEED=1 SUBMITTED=1000)'
	@echo 'make bench-departments   five departments finish at the same moment (TRIALS=1000)'
	@echo 'make crowds   people, departments and time act at random on the same cases, in widened windows (SEEDS=100 FIRST=0)'
	@echo 'make soak-ha   a primary with two synchronous standbys is killed and cut off'
	@echo 'make soak-migrate   that, in the midst of onething migrate'
	@echo 'make clean  forget environments and caches (never the data in var/)'

run: .venv/runtime.stamp
	$(BIN)/onething serve --sample

test: .venv/dev.stamp
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.bench_documents
	$(BIN)/python -m tests.benchmarks.bench_polls
	$(BIN)/python -m tests.benchmarks.bench_completion

# Which axes, and how far: make bench-growth ARGS="--axis cases --most 100000"; all of them take twenty minutes and 25 GB.
bench-growth: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks.growth $(ARGS)

# Timers that are pending, due within ten seconds, and due at once.
PENDING ?= 1000000
DUE ?= 20000
FLOOD ?= 100000
bench-scheduler: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks.bench_scheduler --pending $(PENDING) --due $(DUE) --flood $(FLOOD)
	$(BIN)/python -m tests.benchmarks.bench_queues
	$(BIN)/python -m tests.benchmarks.bench_masses
	$(BIN)/python -m tests.benchmarks.bench_calendar

# Seconds for which things go wrong, which things when, and how many cases there are before.
DURATION ?= 60
SEED ?= 1
SUBMITTED ?= 1000
soak: .venv/dev.stamp
	$(BIN)/python -m tests.soak --seconds $(DURATION) --seed $(SEED) --cases $(SUBMITTED)

soak-ha: .venv/dev.stamp
	$(BIN)/python -m tests.soak.standbys --seed $(SEED)
	$(BIN)/python -m tests.soak.midst --seed $(SEED)

soak-migrate: .venv/dev.stamp
	$(BIN)/python -m tests.soak.upgrades --seed $(SEED)

# So many seeds, each of which is another crowd, and the first of them.
SEEDS ?= 100
FIRST ?= 0
crowds: .venv/dev.stamp
	ONETHING_TEST_FIRST_SEED=$(FIRST) ONETHING_TEST_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/engine/test_crowds.py tests/engine/test_plain_crowds.py $(ARGS)

# Bundles whose five departments finish within ten milliseconds: 100,000 of them take hours.
TRIALS ?= 1000
bench-departments: .venv/dev.stamp
	$(BIN)/python -m tests.soak.many_departments $(TRIALS)

setup: .venv/dev.stamp

# The environment holds exactly what requirements/ pins by hash: dev.txt is runtime.txt and the tools.
SYNC = $(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --no-deps --build-constraints requirements/build.txt --editable .

.venv/runtime.stamp: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BOOT) .venv/pyvenv.cfg
	@rm -f .venv/dev.stamp
	@echo 'Installing what the project runs on'
	@$(SYNC) requirements/runtime.txt
	@$(INSTALL)
	@touch $@

.venv/dev.stamp: requirements/dev.txt requirements/build.txt pyproject.toml | $(BOOT) .venv/pyvenv.cfg
	@echo 'Installing what the project runs on and is tested with'
	@$(SYNC) requirements/dev.txt
	@$(INSTALL)
	@touch .venv/runtime.stamp $@

.venv/pyvenv.cfg: | $(BOOT)
	@$(UV) venv --quiet --allow-existing --python .boot/bin/python .venv

# A Python that is new enough and can make environments; the first that answers.
$(BOOT):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'Expected to find Python 3.11 or newer with its venv module, but there is none.' >&2; \
	  echo 'Install it (Debian: apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python3' >&2; exit 1; \
	fi; \
	echo "Setting up with $$($$found --version)"; rm -rf .boot && $$found -m venv .boot
	@.boot/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# After a change of the dependencies in pyproject.toml; UPGRADE=--upgrade moves everything to its newest version.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
          --custom-compile-command 'make requirements' $(UPGRADE)

requirements: $(BOOT)
	$(COMPILE) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE) requirements/build.in --output-file requirements/build.txt

clean:
	rm -rf .boot .venv build *.egg-info tests/moddle/node_modules tests/moddle/.venv tests/clients/node_modules tests/clients/.venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
