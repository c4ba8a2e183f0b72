# The words of the README. `make` alone lists them.
# Paths are relative throughout, so that a clone whose path has spaces works too.

PORT ?= 8501
HOST ?= 127.0.0.1
DATA ?= $(BT_DATA_DIR)
# One process per core. Each takes a test file at a time, and one of them takes all browser tests, which share
# a site (see tests/conftest.py). In collection order: browser tests at the end would leave cores idle.
PYTEST_ARGS ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

PY = .venv/bin/python
export PORT HOST PYTHON INSTALLER

.PHONY: help demo check test train bench audit lint lock release clean

help:
	@echo "make demo    install what is needed into .venv and start the site (PORT=$(PORT) HOST=$(HOST))"
	@echo "make check   lint and the quick tests: no page, browser, network or other process"
	@echo "make test    lint, then every test; browser tests need a Chromium or Chrome"
	@echo "make train   make everything that is generated in assets/ (DATA=folder with kaggle_3m)"
	@echo "make bench   time the site on this machine and write assets/metrics/bench.json"
	@echo "make audit   ask PyPI for known weaknesses of what is installed in .venv"
	@echo "make lint    ruff, imports that point one way, spelling and style of the texts"
	@echo "make lock    write requirements.lock anew: the newest packages of the ranges, with hashes"
	@echo "make release check version, changelog, lock and tests, then tag the commit"
	@echo "make clean   remove .venv and caches; never data, runs or assets"

demo: .venv/.runtime
	@exec $(PY) .ci/serve.py

check: lint
	@$(PY) -m pytest $(PYTEST_ARGS) -m "not (slow or browser or networks or pages or processes)"

test: lint
	@$(PY) -m pytest $(PYTEST_ARGS)

lint: .venv/.dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@.venv/bin/lint-imports --no-cache --no-logo >/dev/null || .venv/bin/lint-imports --no-cache
	@.venv/bin/codespell assets/cards assets/lessons assets/CREDITS.md *.md
	@.venv/bin/proselint --config .proselintrc.json check assets/cards/*.md assets/cards/templates/*.md assets/lessons/*.md

train: .venv/.train
	@test -n "$(DATA)" || { echo "Say where the data is: make train DATA=folder-with-kaggle_3m" >&2; exit 2; }
	@$(PY) -m train all --data "$(DATA)"

bench: .venv/.dev
	@$(PY) -m train bench

# pip-audit lives apart, so that what it needs is not audited with the site. --strict: what PyPI does not
# know, or a PyPI that does not answer, is a failure and never passes for sound.
audit: .venv/.runtime
	@test -x .venv/audit/bin/pip-audit || { \
		$(PY) -m venv .venv/audit && .venv/audit/bin/python -m pip install \
			--disable-pip-version-check --quiet "pip-audit>=2.7,<3"; }
	@.venv/audit/bin/pip-audit --strict --progress-spinner off \
		--path "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

# --universal: one lock for all systems and Pythons; what differs there carries a marker.
lock: .venv/.dev
	@.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" requirements-login.txt -o requirements.lock

# Nothing is pushed: the tag is there to be looked at first.
release: .venv/.dev
	@$(PY) .ci/release.py
	@.ci/run
	@version="$$($(PY) .ci/release.py --version)" && git tag --annotate "v$$version" --message "Version $$version" && \
		echo "Tagged v$$version. Publish it with: git push origin v$$version"

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -not -path './data/*' -prune -exec rm -rf {} +

# A stamp is written only after pip succeeded, and is older than its requirements once they change.
.venv/.runtime: requirements.txt
.venv/.dev: requirements-dev.txt requirements-train.txt requirements-login.txt requirements.txt
.venv/.train: requirements-train.txt requirements.txt
.venv/.runtime .venv/.dev .venv/.train:
	@sh .ci/install.sh $< $@
