# Each target does all of its own set-up, in .venv/. See: make help
PYTHON ?= python3
PORT ?= 8501
BOOTSTRAP = @command -v $(PYTHON) >/dev/null || { echo "footnote: there is no $(PYTHON); install Python 3.11 or newer" >&2; exit 1; }; \
	$(PYTHON) scripts/bootstrap.py

.PHONY: help run set-up test test-slow lint lock clean
.DEFAULT_GOAL := help

help: ## Say what the targets do
	@sed -n 's/^\([a-z-]*\): ## /\1\t/p' Makefile

run: ## Set up, read the sample documents in and start the page; PORT=8502 for another port
	$(BOOTSTRAP) run --port $(PORT)

set-up: ## The environment and the models, nothing else
	$(BOOTSTRAP) set-up

test: ## Set up and run every check: format, lint, types, import contract, tests
	$(BOOTSTRAP) test

test-slow: ## Set up and run the tests that ask the 1.5B model many questions
	$(BOOTSTRAP) test-slow

lint: ## Set up and run every check but the tests
	$(BOOTSTRAP) lint

lock: ## Write requirements.lock anew from pyproject.toml
	$(BOOTSTRAP) lock

clean: ## Remove the environments and caches; models and knowledge bases stay
	rm -rf .venv .venv-vllm .venv-fastchat .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
