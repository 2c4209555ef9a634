# Everything a fresh machine needs is Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready

.PHONY: run test test-long check format lock clean faults-long books adversary-long mails

run: $(READY)
	@RECOUP_SANDBOX=$${RECOUP_SANDBOX-1} $(BIN)/recoup up

test: $(DEV_READY)
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not long"

# Variants beyond the six minutes of `make test`: other zones, other manners of failing, every page under axe.
test-long: $(DEV_READY)
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m long --timeout 400

check: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.size_budget
	$(BIN)/python -m tools.check_migrations

# The random kills for as long as you like: make faults-long RECOUP_FAULT_SECONDS=900
faults-long: $(DEV_READY)
	RECOUP_FAULT_SECONDS=$${RECOUP_FAULT_SECONDS-900} $(BIN)/pytest tests/faults/test_random_kills.py -q

# Months of thousands of subscriptions with faults on, then both sets of books to the cent (benchmarks/README.md):
# make books RECOUP_BOOKS_SUBSCRIPTIONS=200 RECOUP_BOOKS_DAYS=30 RECOUP_BOOKS_MODE=drive
books: $(DEV_READY)
	@$(BIN)/python -m tests.long

# Every mail in every language and state, to be looked at: make mails MAILS=--language=de
mails: $(DEV_READY)
	@$(BIN)/python -m tools.mail_pictures $(MAILS)

# A million charges that all want to break a rule, over every brand; exits with 1 if one does:
# make adversary-long RECOUP_ADVERSARY_CHARGES=1000000 RECOUP_ADVERSARY_PROCESSES=2
adversary-long: $(DEV_READY)
	@$(BIN)/python -m benchmarks.retries_adversary --eager --charges $${RECOUP_ADVERSARY_CHARGES-1000000} --processes $${RECOUP_ADVERSARY_PROCESSES-2}

format: $(DEV_READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(DEV_READY)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml --group dev -o requirements-dev.txt

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit("Recoup needs Python 3.11 or newer: run make PYTHON=python3.12, for example") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(READY): requirements.txt pyproject.toml | $(BIN)/uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

$(DEV_READY): requirements-dev.txt $(READY)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .recoup
