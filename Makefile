# Needs only Python 3.11+, make and a package index; everything lands in this folder.
PYTHON ?= python3
UV := .tools/bin/uv
UV_VERSION := 0.13.8
SOAKED := tests/promises/soaked.jsonl
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never

.PHONY: install run demo test check bench bench-detection bench-trust soak promises seeded-bugs docs screens sbom supply fmt lint clean
.DEFAULT_GOAL := run

install: .venv/installed      ## set up .venv/bin/tocsin

run: install                  ## start the bot with config.yaml
	.venv/bin/tocsin run

demo: install                 ## play the story of 4 November 2022 in a minute
	.venv/bin/tocsin demo

test: .venv/developed         ## install, and run the whole test suite, on as many cores as there are
	.venv/bin/pytest -n auto --maxprocesses 8 --dist worksteal --cov --cov-fail-under 95

lint: .venv/developed         ## format, lint, types, stairs
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

supply: .venv/developed sbom  ## what it is made of: locked with hashes, licences known, no known holes
	.ci/supply

check: lint supply test       ## exactly what CI runs

bench: .venv/developed        ## measure: whole figures, ratios side by side in one run
	.venv/bin/python -m bench

bench-detection: .venv/developed .counts.npz  ## the detector against its rivals and the limit; minutes
	.venv/bin/python -m bench.detection

promises: .venv/developed     ## try every promise, and write down how often it held
	rm -f .promises.jsonl
	TOCSIN_PROMISES=.promises.jsonl .venv/bin/pytest --counted
	.venv/bin/python tests/promises/report.py .promises.jsonl $(SOAKED) docs/promises.md

seeded-bugs: .venv/developed  ## plant ten bugs in a copy, one at a time; each must turn a promise red
	.venv/bin/python tests/promises/seeded_bugs.py

bench-trust: .venv/developed  ## honest crowds and brigades of all sizes: writes docs/trust.md
	.venv/bin/python -m bench.trust docs/trust.md

docs: .venv/developed         ## write the reference pages and the schema from the code
	.venv/bin/tocsin schema > config.schema.json
	.venv/bin/python docs/generate.py

screens: .venv/developed      ## draw every kind of message as the chats would show it; needs Chromium
	.venv/bin/python docs/screens.py

sbom: | $(UV)                 ## what it is made of (CycloneDX), and the locked hashes
	$(UV) export --frozen --no-dev --format cyclonedx1.5 --output-file sbom.json --quiet
	$(UV) export --frozen --no-dev --no-emit-project --output-file requirements.lock --quiet

soak: .venv/developed         ## the long runs: about two hours; what they counted is kept for the promises
	rm -f $(SOAKED)
	TOCSIN_PROMISES=$(SOAKED) .venv/bin/pytest -m soak --timeout 3600

fmt: .venv/developed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.counts.npz: bench/detection/gather.py bench/detection/gather.py.lock | $(UV)  # real counts; without them the rest is measured
	-$(UV) run --quiet --locked --python $(PYTHON) --script bench/detection/gather.py $@

.venv/installed: uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --no-dev --inexact --compile-bytecode --python $(PYTHON) --quiet
	.venv/bin/python -m compileall -q bot
	touch $@

.venv/developed: uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --compile-bytecode --python $(PYTHON) --quiet
	touch $@ .venv/installed

$(UV):
	$(PYTHON) -c 'import sys; sys.exit("Tocsin needs Python 3.11 or later; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

clean:
	rm -rf .venv .tools .counts.npz .mypy_cache .ruff_cache .pytest_cache
