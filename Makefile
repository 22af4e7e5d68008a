# golive: `make help` lists what there is. Every recipe does its own set-up; a second call does none of it again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/golive
VENV := .venv
BIN := $(VENV)/bin
STAMP := .make
export CARGO_TARGET_DIR := $(CACHE)/cargo

# What a run may be told: `make loadtest-30k RATE=10000 DURATION=1m WORKLOAD=direct-heavy TARGET=staging PROMETHEUS=http://… RESULTS=/data WORKERS=2 UI=1`
RUN_OPTIONS = $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--duration $(DURATION)) $(if $(WORKLOAD),--workload $(WORKLOAD)) \
  $(if $(TARGET),--target $(TARGET)) $(if $(PROMETHEUS),--prometheus $(PROMETHEUS)) $(if $(RESULTS),--results $(RESULTS)) \
  $(if $(WORKERS),--workers $(WORKERS)) $(if $(UI),--ui) $(if $(ON),--on $(ON)) $(if $(CONTEXT),--context $(CONTEXT)) \
  $(if $(NAMESPACE),--namespace $(NAMESPACE)) $(if $(IMAGE),--image $(IMAGE)) $(foreach file,$(VALUES),--values $(file)) $(if $(SECRET),--secret $(SECRET))

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9%-]+):.*## /\1\t/' | awk -F'\t' '{printf "  %-20s %s\n", $$1, $$2}'
	@echo "  A run takes RATE= DURATION= WORKLOAD= TARGET= PROMETHEUS= RESULTS= WORKERS= UI=1"
	@echo "  On a cluster ON=cluster CONTEXT= NAMESPACE= IMAGE= VALUES=\"file …\" SECRET="

# --- the main job and its relatives -------------------------------------------------------------
PROFILES := smoke baseline 10k 30k stress spike soak go-live
.PHONY: $(addprefix loadtest-,$(PROFILES))
loadtest-smoke: ## 200 requests/s for 20 s: does everything work here?
loadtest-baseline: ## 1,000 requests/s: how it is without pressure
loadtest-10k: ## 10,000 requests/s proved
loadtest-30k: ## 30,000 requests/s proved: the main job (1 min ramp, 3 min hold)
loadtest-stress: ## search the highest rate that meets the objectives, then prove it (docs/limit.md)
loadtest-spike: ## a sudden jump and back: does it come back, and how soon? (docs/limit.md)
loadtest-soak: ## a long hold
loadtest-go-live: ## 30 minutes with scale-down watched
$(addprefix loadtest-,$(PROFILES)): loadtest-%: setup
	@$(BIN)/golive run $* $(RUN_OPTIONS)

.PHONY: report
report: setup ## render the report of RUN= (default: the newest) again
	@$(BIN)/golive report $(RUN)

.PHONY: image
image: setup ## build the images without a registry, as root on Debian 12 with buildah (BASE= another base); docs/image.md
	@$(BIN)/python -m scripts.image $(if $(BASE),--base $(BASE))

# --- for those who change golive ----------------------------------------------------------------
.PHONY: check lint test test-rust fuzz bench bench-peers bench-control-plane bench-judging setup setup-dev lock fmt chart clean
check: setup-dev ## fast: lint, types, import contracts, unit tests (under two minutes)
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest -q -n 2 -m "not slow"

lint: setup-dev own-sources ## ruff, mypy, import contracts, cargo fmt and clippy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m mypy.stubtest loadtest._engine --ignore-missing-stub
	@cd engine && cargo fmt --check && cargo clippy --release --locked --all-targets -q -- -D warnings

test: setup-dev ## everything: what CI runs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test-rust
	@$(BIN)/pytest -q -n 2 -m "not slow"
	@$(BIN)/pytest -n 3 -m "slow and not alone and not cluster"
	@$(BIN)/pytest -m "slow and (alone or cluster)"

test-rust: setup-dev own-sources ## the engine's and the rehearsal platform's own tests
	@cd engine && cargo test --profile tests --locked -q

fuzz: setup-dev own-sources ## hostile answers for the engine's parser, SECONDS= for each property (default 60)
	@cd engine && GOLIVE_FUZZ_SECONDS=$(or $(SECONDS),60) cargo test --profile tests --locked -q -p golive-sender --test fuzz -- --nocapture --test-threads 1

bench: setup-dev ## the figures of docs/benchmarks.md, with the machine's name and how quiet it was
	@$(BIN)/python -m tests.bench

bench-peers: setup-dev ## golive beside wrk, h2load, oha, fortio, hey, vegeta, k6 and Locust's users, about an hour; BENCH="--tools golive,wrk --rounds 1"
	@$(BIN)/python -m tests.bench_peers $(BENCH)

bench-control-plane: setup-dev ## one real master and 50, 200, 500 and 1,000 simulated workers, some four minutes; BENCH="--workers 300 --rps 5000"
	@$(BIN)/python -m tests.bench_control_plane $(BENCH)

bench-judging: setup-dev ## CPU and memory of `golive judge` for records of 20 minutes to 8 hours, some four minutes; BENCH="10x20m"
	@$(BIN)/python -m tests.bench_judging $(BENCH)

chart: setup-dev ## write again what is made from the chart: its README, its schema's texts, the kept renderings
	@$(BIN)/python -m tests.charts.documentation
	@$(BIN)/python -m tests.charts.golden

.PHONY: cluster-up cluster-down
cluster-up: setup-dev ## a real one-node Kubernetes with the platform's image on it, as root (docs/test-cluster.md)
	@$(BIN)/python -m tests.cluster up

cluster-down: setup-dev ## take it down; nothing of it stays but what the next one needs
	@$(BIN)/python -m tests.cluster down

fmt: setup-dev ## format Python and Rust
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format -q .
	@cd engine && cargo fmt

lock: setup-dev ## resolve the locked Python packages anew
	@compile="$(BIN)/pip-compile -q --no-config --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras --allow-unsafe"; \
	for part in run dev; do $$compile $$([ $$part = dev ] && echo "-c requirements/run.txt --extra dev") \
	  -o requirements/$$part.txt pyproject.toml requirements/build.in; done; \
	for part in pod build; do $$compile -c requirements/run.txt -o requirements/$$part.txt requirements/$$part.in; done

# --- set-up -------------------------------------------------------------------------------------
setup: $(STAMP)/packages $(STAMP)/engine $(STAMP)/monitoring ## what a run needs: packages, engine, Prometheus

setup-dev: setup $(STAMP)/packages-dev $(STAMP)/test-tools ## what the tests need besides

$(STAMP)/tools:
	@mkdir -p $(STAMP)
	@scripts/require-tools $(PYTHON)
	@touch $@

$(STAMP)/packages: requirements/run.txt | $(STAMP)/tools
	@echo "golive: installing the locked Python packages into $(VENV)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(STAMP)/packages-dev: requirements/dev.txt $(STAMP)/packages
	@echo "golive: installing the development packages into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# All checkouts build in one cache. Cargo goes by the files' times, so what another checkout built later than these files
# were written would be taken for theirs: whoever comes after another makes its own new.
.PHONY: own-sources
own-sources:
	@mkdir -p $(CARGO_TARGET_DIR)
	@[ "$$(cat $(CARGO_TARGET_DIR)/built-for 2>/dev/null || true)" = "$(CURDIR)" ] || \
	  { find engine tests/bench_peers/server -name target -prune -o -name '*.rs' -exec touch {} +; echo "$(CURDIR)" > $(CARGO_TARGET_DIR)/built-for; }

ENGINE_SOURCES := $(shell find engine -name target -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print)
$(STAMP)/engine: $(ENGINE_SOURCES) pyproject.toml $(STAMP)/packages | own-sources
	@echo "golive: building the engine and the rehearsal platform (about two minutes the first time)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop -q --release --locked > $(STAMP)/engine.log 2>&1 || { cat $(STAMP)/engine.log >&2; exit 1; }
	@cd engine && cargo build -q --release --locked -p golive-platform
	@install -m 755 $(CARGO_TARGET_DIR)/release/golive-rehearsal $(BIN)/golive-rehearsal
	@touch $@

$(STAMP)/monitoring: loadtest/rehearsal/binaries.py | $(STAMP)/engine
	@$(BIN)/python -m loadtest.rehearsal.binaries
	@touch $@

$(STAMP)/test-tools: scripts/require-test-tools | $(STAMP)/tools
	@scripts/require-test-tools
	@touch $@

clean: ## remove what set-up made in this folder (not the cache)
	@rm -rf $(VENV) $(STAMP) .mypy_cache .ruff_cache .pytest_cache .hypothesis loadtest/_engine*.so
