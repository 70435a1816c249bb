# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors

.DEFAULT_GOAL := help
COUNT ?= 200000
SEED ?= 1
PYTEST = --numprocesses=3 --dist=worksteal
.PHONY: help build setup image images demo demo-down test test-matrix lint docs docs-links unit
.PHONY: integration integration-older test-versions molecule soak fuzz bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r target about; do printf '%-24s %s\n' "$$target" "$$about"; done
	@echo
	@echo '  SOAK=1 makes the tests of "make soak" long in the other targets, too.'
	@echo '  PYTHON=python3.12 make setup takes another Python than the newest that is there.'

setup:  ## install what is needed: Debian packages, a virtual environment
	@lab/lab setup

image: setup  ## build the image of the MySQL servers
	@lab/lab image

demo:  ## three MySQL servers, the plugin put on them, verified across a restart
	@lab/demo

demo-down:  ## remove the servers of the demo
	@lab/lab down demo

images: image  ## build the images that only tests need, too
	@for options in '--server mariadb' '--without pymysql' '--without python' \
		'--without server' '--with ssh'; do lab/lab image $$options >/dev/null || exit 1; done

test: setup images  ## all of the tests: lint, docs, unit, integration, molecule
	@total=$$(date +%s); for stage in lint docs unit integration integration-older molecule; do \
		printf '\n== %s\n' "$$stage"; start=$$(date +%s); \
		$(MAKE) --no-print-directory "$$stage" || exit 1; \
		printf '== %s: %s s\n' "$$stage" $$(($$(date +%s) - start)); \
	done; printf '\n== all passed: %s s\n' $$(($$(date +%s) - total))

test-matrix: image  ## each supported ansible-core and Python, recorded in CONTRIBUTING.md
	@lab/run tests/matrix/run $(CORES)

lint: setup  ## the checks of style, types and documentation
	@lab/run tests/lint

docs:  ## the documentation site, in docs/_build/html; a dead link fails it
	@lab/lab setup --docs
	@lab/run docs/site/build

docs-links:  ## the documentation's links to other sites; needs the internet
	@lab/lab setup --docs
	@lab/run docs/site/build external

unit: setup  ## the unit tests
	@lab/run tests/unit/run

integration: setup  ## the tests against real servers
	@lab/run pytest $(PYTEST) tests/integration

integration-older: setup  ## the main job against MySQL 8.4, where its tarball is there
	@lab/run tests/versions/run --main 8.4

test-versions: image  ## all tests on real servers with each version of MySQL (VERSIONS='5.7 8.4')
	@lab/run tests/versions/run $(VERSIONS)

molecule: setup  ## the molecule scenarios
	@lab/run tests/molecule

soak: image  ## the tests with random input and those that kill, at full length
	@SOAK=1 lab/run pytest $(PYTEST) -m soak tests/integration

fuzz: image  ## 200,000 random trees of option files, read and edited (COUNT=, SEED=)
	@lab/run tests/fuzz/run $(COUNT) $(SEED)

bench: image  ## measure runs against ping and the peers (BENCH='--only repeat')
	@lab/lab setup --bench
	@lab/run bench/run $(BENCH)

build:  ## build the collection's tarball from what is committed
	@lab/lab setup --demo
	@rm -rf .lab/build && mkdir -p .lab/build
	@git archive HEAD | tar -xf - -C .lab/build
	@lab/run ansible-galaxy collection build --force --output-path . .lab/build

clean:  ## remove all that the targets made, except Debian packages
	@lab/lab clean
	@rm -rf .venv .ansible .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/output docs/_build
