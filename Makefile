# The targets do all their set-up; they need Python 3.11+, git and make, and the package registries.

PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$name >/dev/null 2>&1 && \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-audit
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ASSETS := $(wildcard shared/web/assets/*.json shared/web/assets/*.mjs) \
	$(shell find shared/web/static -type f -not -path '*/dist/*' 2>/dev/null)
PYTEST_ARGS ?=

.PHONY: demo test lint bench soak mutants audit dist lock clean

## demo: the demo county on one port, with a table of addresses and sign-ins
demo: $(VENV)/installed
	GRIDMERIT_DATA_DIR=$${GRIDMERIT_DATA_DIR:-var/demo} GRIDMERIT_LOG_FORMAT=console $(BIN)/gridmerit serve --demo

## test: everything that can be shown on one machine
test: $(VENV)/dev $(VENV)/browser
	$(BIN)/pytest -n auto --dist worksteal $(PYTEST_ARGS)

## lint: formatting, rules, types, templates
lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --lint shared points appraisal --extension html

## bench: the figures, beside their baselines (tests/load); BENCH_COUNTIES=40 scores a tenth
bench: $(VENV)/dev
	$(BIN)/python -m tests.load.bench
	$(BIN)/python -m tests.load.scoring

## soak: races, crashes and random stories, each played ROUNDS times with other dice
ROUNDS ?= 50
soak: $(VENV)/dev
	$(BIN)/pytest -m soak --soak $(ROUNDS) $(PYTEST_ARGS)

## mutants: faults put into ledger, scoring and due process, one at a time; the tests must notice
## each (WORDS="undo")
mutants: $(VENV)/dev
	$(BIN)/python -m tests.mutants.play $(WORDS)

## audit: what is known against the pinned packages; STRICT=1 fails where nobody answers
audit: $(TOOLS)/installed
	PATH=$(CURDIR)/$(TOOLS)/bin:$$PATH ./deploy/audit.sh

## dist: a wheel with its assets, in dist/, that installs offline, and the list of what it runs on
dist: $(VENV)/installed $(TOOLS)/installed
	rm -rf dist
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	$(TOOLS)/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml \
		--output-reproducible --output-file dist/gridmerit.cdx.json deploy/requirements.txt
	@ls -l dist

## lock: renew the hashed pins after a change of dependencies in pyproject.toml (needs uv)
lock:
	./deploy/lock.sh

## clean: forget the environment and what was built; the data in var/ stays
clean:
	rm -rf $(VENV) $(TOOLS) dist build shared/web/static/dist shared/web/assets/node_modules

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with its venv module, is needed." \
	"(Debian: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/locked: deploy/requirements.txt deploy/requirements-build.txt deploy/requirements-node.txt | $(BIN)/python
	$(PIP) install --require-hashes --only-binary :all: -r deploy/requirements.txt -r deploy/requirements-build.txt
	$(BIN)/python deploy/hatch_build.py --has-node || \
		$(PIP) install --require-hashes --only-binary :all: -r deploy/requirements-node.txt
	touch $@

$(VENV)/installed: $(VENV)/locked pyproject.toml deploy/hatch_build.py $(ASSETS)
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q shared points appraisal deploy
	touch $@

$(VENV)/dev: $(VENV)/installed deploy/requirements-dev.txt
	$(PIP) install --require-hashes --only-binary :all: -r deploy/requirements-dev.txt
	touch $@

# Apart from what is tested: they bring other versions of the same packages.
$(TOOLS)/installed: deploy/requirements-audit.txt | $(BIN)/python
	$(BIN)/python -m venv $(TOOLS)
	$(PIP) --python $(TOOLS)/bin/python install --require-hashes --only-binary :all: -r $<
	touch $@

# Browser tests need Debian's chromium and a Chinese font. Where they cannot be installed the tests
# say so loudly and fail in CI.
$(VENV)/browser: | $(BIN)/python
	@./deploy/install-browser.sh && touch $@ || true
