# Every target sets up what it needs: `make venv` runs first and costs nothing when .venv is already as it should be.
# Works with Python 3.11 or newer and GNU make; name another interpreter with `make PYTHON=python3.13 …`.

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# Debian packages that tests want beside Python: a real directory server.
SYSTEM_PACKAGES ?= slapd libsasl2-modules 389-ds-base postgresql pgbouncer mariadb-server \
	samba samba-ad-dc samba-ad-provision samba-dsdb-modules ldb-tools python3-samba chromium fonts-noto-core
QUICK := $(wildcard tests/unit tests/golden tests/properties)

.DEFAULT_GOAL := help
.PHONY: help venv clients system-packages demo test quick check format bench simulate fuzz fuzz-api mutants crash upgrade organisations screenshots lock audit docs wheel sbom clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 18 | sed 's/^/make /'

venv: .venv/.built-from system-packages  ## build .venv with all that the other targets use

.venv/.built-from: requirements.lock pyproject.toml scripts/build-venv
	@PYTHON='$(PYTHON)' scripts/build-venv

clients: venv  ## build .venv-clients: Microsoft's own clients, which tests drive the API with
	@scripts/build-clients

system-packages:
	@[ -z "$(SYSTEM_PACKAGES)" ] || scripts/system-packages $(SYSTEM_PACKAGES) || true

demo: venv  ## watch an organisation flow from HR files into a SCIM server
	@$(BIN)/provisor demo

test: venv clients  ## run every test; under fifteen minutes on two cores
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-quick} $(PYTEST) -q -n $(WORKERS) --dist worksteal

quick: venv  ## run the unit, golden and property tests; under thirty seconds
ifeq ($(QUICK),)
	@echo "no tests in tests/unit, tests/golden, tests/properties yet"
else
	@$(PYTEST) -q -n $(WORKERS) $(QUICK)
endif

check: venv  ## lint, format, types, import contracts, tests about the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(PYTEST) -q tests/tidy
	@scripts/audit

audit: venv  ## ask whether a dependency is known to be vulnerable; without a network it says so
	@scripts/audit

format: venv  ## put the code into its form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

screenshots: venv  ## take pictures of the console's pages into build/screenshots, and those that the documents show
	@$(BIN)/python -m tests.browser.screenshots build/screenshots docs/pictures

docs: venv  ## build the documentation as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && echo "build/site/index.html"

wheel: venv  ## build wheel and source archive, the same to the byte each time, in dist
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m build --no-isolation .

sbom: venv  ## write what the package is made of as CycloneDX, to build/provisor.cdx.json
	@$(BIN)/python scripts/sbom.py build/provisor.cdx.json

bench: venv  ## measure, and compare with what was measured before
	@$(BIN)/python -m benchmarks

simulate: venv  ## run the simulation long, with a new seed; SEED=… repeats one, EXAMPLES=… says how long
	@seed=$${SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; \
	echo "simulating with seed $$seed"; \
	$(PYTEST) -q -n $(WORKERS) --timeout=0 $(or $(wildcard tests/simulation),tests/test_simulation.py) \
		--hypothesis-profile=long --hypothesis-seed=$$seed \
	|| { code=$$?; echo "failed with seed $$seed: repeat with  make simulate SEED=$$seed"; exit $$code; }

fuzz: venv  ## spoil expressions, patterns, dates and schemas; SECONDS=… says how long, SEED=… and CASE=… repeat one
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE))

fuzz-api: venv  ## ask a running server all that its OpenAPI description allows, and forbids; SECONDS=…, SEED=… repeats
	@$(BIN)/python -m tests.fuzz.api --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED))

mutants: venv  ## break each law's cure in turn and see that the law notices
	@$(BIN)/python -m tests.mutants

crash: venv  ## kill real processes at hundreds of random moments, alone and among workers; KILLS=…, ROUNDS=…, SEED=… repeats
	@$(BIN)/python -m tests.crash $(or $(KILLS),300) $(SEED)
	@$(BIN)/python -m tests.crash.workers $(or $(ROUNDS),30) $(SEED)

upgrade: venv  ## have earlier versions make stores and work on them, and this one go on; COMMIT=… chooses
	@$(BIN)/python -m tests.upgrade $(COMMIT)

organisations: venv  ## 10,000 people in each kind of source and of target, through all that happens; PEOPLE=…, ONLY=ldap choose
	@PROVISOR_E2E_ORGANISATION=$(or $(PEOPLE),10000) $(PYTEST) -q -s -p no:warnings --timeout=0 \
		tests/endtoend/test_organisations.py tests/endtoend/test_targets_at_size.py \
		$(if $(ONLY),-k "$(ONLY)")

lock:  ## write the locks anew; UPGRADE=1 takes the newest of everything
	@scripts/lock $(if $(UPGRADE),--upgrade)

clean:  ## remove what was built, .venv included
	rm -rf .venv .venv-clients .venv-engines build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
