# Every target sets itself up: python3 >= 3.11 and a package index are all a machine needs.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_BENCH := .venv-bench/.ready
export UV := $(BIN)/uv
# Of the demonstration: on one day, so that everybody sees the same numbers.
DAY ?= 2026-11-21

help: ## list what can be done
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## the pinned environment in .venv, and nothing else

demo: $(READY) ## run lifecycle_job of the real bundle, here, end to end
	@$(BIN)/dbb run lifecycle_job --local --params as_of=$(DAY) $(if $(PARAMS),--params $(PARAMS))

test: $(READY) ## the tests, in parallel (with CI=1 also the slow ones)
	@$(BIN)/python -m pytest $(if $(CI),,-m "not slow") $(ARGS)

lint: $(READY) ## format, lint, architecture, pins, bundle
	@$(BIN)/black --check --quiet src tests benchmarks notebooks examples || { echo "black: run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@./sync_requirements.sh --check
	@for target in dev staging prod; do $(BIN)/dbb validate -t $$target --strict || exit $$?; done
	@$(BIN)/dbb targets > .venv/targets.log || exit $$?

schema: $(READY) ## the bundle's files against the JSON schema of the Databricks CLI (which it needs)
	@databricks bundle schema > .venv/bundle-schema.json
	@$(BIN)/check-jsonschema --schemafile .venv/bundle-schema.json databricks.yml resources/*.yml

format: $(READY) ## format and sort imports
	@$(BIN)/black --quiet src tests benchmarks notebooks examples
	@$(BIN)/ruff check --fix --quiet .

bench: $(READY) $(READY_BENCH) ## each benchmark prints ours, the named peer, the limit and the ratio
	@for name in validate rollback ope capacity decide engine point_in_time online_store drift; do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py || failed="$$failed $$name"; \
	done; test -z "$$failed" || { echo "missed its limit:$$failed"; exit 1; }

bench-learning: $(READY_BENCH) ## how much of the oracle's gap we capture, and how much our peers do
	@.venv-bench/bin/python benchmarks/learning.py $(ARGS)

bench-detection: $(READY_BENCH) ## how soon drift is noticed, and how often wrongly; ours and our peers
	@.venv-bench/bin/python benchmarks/detection.py $(ARGS)

oracle: $(READY) ## a thousand training sets against Databricks' own client, ten minutes
	@$(BIN)/python -m pytest tests/contract/test_oracle.py -n0 -s

loop: $(READY) ## sixty days of decisions, outcomes, drift and retraining; draws a picture
	@$(BIN)/dbb simulate --days 60 --drift both@30 $(ARGS)

matrix: $(READY) ## the tables of docs/guides/environments.md anew, from `dbb targets`
	@$(BIN)/dbb targets --markdown --var 'service_principal=<principal>' > .venv/matrix.md
	@awk '/made by `make matrix`/ { print; while ((getline line < ".venv/matrix.md") > 0) print line; skip = 1 } \
		/<!-- to here/ { skip = 0 } !skip' docs/guides/environments.md > .venv/environments.md
	@mv .venv/environments.md docs/guides/environments.md

pins: $(READY) ## make requirements*.txt anew from pyproject.toml
	@./sync_requirements.sh

clean: ## forget the environment and everything that local runs made
	rm -rf .venv .venv-bench .lakehouse .lakehouse-simulation dist build .pytest_cache .ruff_cache .hypothesis

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is older than 3.11: name a newer one, make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python3 has no venv module: install it (Debian: apt-get install python3-venv)"; exit 1; }
	@test -x $(UV) || { echo "installing uv"; $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo "installing the pinned environment into .venv (about a minute, once)"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -r requirements-dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@# Compiled here, once and on two cores, or by the first run's tasks one after the other.
	@$(BIN)/python -c "import mlflow.pyfunc, alembic, sqlalchemy.dialects.sqlite" & \
		$(BIN)/python -c "import pysail, pyspark.sql.connect.session, lightgbm, deltalake, nextbest.lifecycle" & wait
	@touch $(READY)

$(READY_BENCH): requirements-bench.txt $(READY)
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@$(UV) pip install --quiet --python .venv-bench/bin/python --no-deps -r requirements-bench.txt
	@$(UV) pip install --quiet --python .venv-bench/bin/python --no-deps --editable .
	@touch $(READY_BENCH)

.PHONY: help setup demo test lint schema format bench bench-learning bench-detection oracle loop matrix pins clean
