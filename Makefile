# `make` alone lists the targets. One Swift build at a time: SwiftPM and a small machine both prefer it.
.NOTPARALLEL:
.DEFAULT_GOAL := help

LIBRARIES := MoaiCRDT MoaiFlow MoaiFlowSQLite MoaiFlowHub MoaiFlowClient MoaiFlowTesting
FORMATTED := Package.swift $(wildcard Sources Tests Examples Benchmarks Fuzz)

# From nothing on two cores a debug build is there in half the time of a release build, and `make test` uses it too.
DEMO_CONFIGURATION ?= debug

MODEL := python3 -B Tests/ResolverModel/check.py
# Random cases and seed of `make model`.
CASES ?= 100000
SEED ?= 1
# Simulated runs: how many, by how many processes; or one seed, and perhaps some of its steps.
SEEDS ?= 100000
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
STEPS ?=
# Rounds of `make crash`.
ROUNDS ?= 100
# Requests that `make test-clients` makes up for each operation.
CASES_EACH ?= 100
# Seconds that `make fuzz` gives each target; the targets, all without a name.
FUZZ_SECONDS ?= 600
TARGET ?=

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1#/p' Makefile | awk -F'#' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## check the compiler; install libsqlite3-dev if it is missing
	@Tools/setup.sh

.PHONY: demo
demo: setup ## build, then run the demonstration on a temporary folder
	swift build --configuration $(DEMO_CONFIGURATION) --product moai-flow
	@.build/$(DEMO_CONFIGURATION)/moai-flow demo

.PHONY: test
test: setup lint ## formatting, build, a sample of the resolver's model, 2,000 simulated runs, all tests
	swift build --build-tests
	@if command -v python3 >/dev/null; then \
	  $(MODEL) --binary .build/debug/moai-flow --cases 2000 --seed 1; \
	else \
	  echo "*** SKIPPED: the resolver was NOT compared with its model, because python3 was not found ***" >&2; \
	fi
	.build/debug/simulate --seeds 2000 --jobs 2
	swift test --skip-build --disable-xctest

.PHONY: format
format: ## rewrite the Swift sources in the repository's format
	swift format --in-place --parallel --recursive $(FORMATTED)

.PHONY: lint
lint: ## fail on Swift sources that are not so formatted
	swift format lint --strict --parallel --recursive $(FORMATTED)

.PHONY: rules
rules: ## fail if a rule of docs/Semantics.md that is built has no test
	@Tools/rules --self-check
	@Tools/rules

.PHONY: model
model: setup ## compare the resolver with its Python model: all small cases and CASES random ones
	swift build --configuration release --product moai-flow
	$(MODEL) --binary .build/release/moai-flow --exhaustive --cases $(CASES) --seed $(SEED)

.PHONY: simulate
simulate: setup ## run the swarm in a simulated world, for SEEDS seeds; or replay SEED=s [STEPS=3,7]
	swift build --configuration release --product simulate
	.build/release/simulate $(if $(filter command line environment,$(origin SEED)),\
	  --seed $(SEED) --trace $(if $(STEPS),--steps $(STEPS)),--seeds $(SEEDS) --jobs $(JOBS))

.PHONY: bugs
bugs: setup ## plant known bugs, one at a time, and count the seeds that the simulator needs to find each
	@Tools/plant-bugs --self-check
	@Tools/plant-bugs

.PHONY: crash
crash: setup ## kill a writing process ROUNDS times and look for acknowledged writes that are gone
	swift build --configuration release --product moai-flow
	.build/release/moai-flow crash --rounds $(ROUNDS)

.PHONY: sanitize
sanitize: setup ## run all tests under the thread sanitizer; a report fails them
	TSAN_OPTIONS=halt_on_error=1 swift test --sanitize=thread -Xswiftc -DTHREAD_SANITIZER --scratch-path .build-tsan --disable-xctest

.PHONY: test-clients
test-clients: setup ## let schemathesis (from PyPI, in a folder of its own) try whatever the OpenAPI document allows
	swift build --product moai-flow
	@Tools/test-clients $(CASES_EACH)

.PHONY: fuzz
fuzz: setup ## make up inputs for every decoder, FUZZ_SECONDS each; or for TARGET=name
	@Tools/fuzz $(FUZZ_SECONDS) $(TARGET)

.PHONY: docs
docs: setup $(LIBRARIES:%=docs-%) ## build the reference of each library; a warning is an error

.PHONY: $(LIBRARIES:%=docs-%)
$(LIBRARIES:%=docs-%): docs-%: setup
	swift package generate-documentation --target $* --warnings-as-errors

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .build .build-*
