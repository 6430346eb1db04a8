# `make demo` runs the main job, `make test` passes the tests; each makes its own virtual environment when there is none.
# Debian's own Python is built with profile-guided optimization and runs the gateway some 15 % faster than one out of pyenv.
PYTHON ?= $(shell for p in /usr/bin/python3 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench clean

$(VENV)/.dev: pyproject.toml
	@test -x $(BIN)/python -o -n "$(PYTHON)" || \
		{ echo "Tidegate needs Python 3.11 or newer with venv and pip (on Debian: apt-get install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.run: pyproject.toml
	@test -x $(BIN)/python -o -n "$(PYTHON)" || \
		{ echo "Tidegate needs Python 3.11 or newer with venv and pip (on Debian: apt-get install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -e $(VENV)/.dev || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[neighbours]'
	@touch $@

demo: $(VENV)/.run
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/tidegate run examples/crud/template.yaml $(ARGS)

test: $(VENV)/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n auto $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m bench $(ARGS)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m bench.vtl $(filter --quick,$(ARGS))

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
