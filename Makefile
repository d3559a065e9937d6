# What a person runs. `make` alone lists the targets; the scripts behind them are in deploy/.
# Everything a target needs is checked for first and installed where it is missing (deploy/stack/prepare.sh).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build demo test simulate vectors lint proto-lint large-file stack stack-down bench bench-quick bench-full bench-codecs profile

comma := ,
# Cargo itself reads CARGO_TARGET_DIR too.
TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

build: ## compiles everything, optimised
	deploy/stack/prepare.sh build
	cargo build --release --workspace

demo: ## runs the main job on embedded storage
	deploy/stack/prepare.sh build
	cargo build --release -p regua --bin regua
	$(TARGET)/release/regua demo

test: lint ## all tests, with PostgreSQL and Kafka of their own
	deploy/test.sh

simulate: ## plays SEEDS=… histories of the whole system in memory (FIRST=… DISK=1), or one with all that happens: SEED=…
	deploy/stack/prepare.sh build
	cargo build --release -p simulation --bin simulate
	$(TARGET)/release/simulate $(if $(SEED),--seed '$(SEED)',--seeds '$(or $(SEEDS),1000)' --first '$(or $(FIRST),1)') $(if $(DISK),--disk)

vectors: ## checks every row of the vector files in VECTORS=… (or the project's own) and counts them
	deploy/stack/prepare.sh build
	deploy/vectors.sh '$(VECTORS)'

bench: ## speed beside the machine's own, with PostgreSQL and Kafka of its own, a quarter of an hour (ONLY=… some figures); docs/performance.md explains it
	$(call bench,)

bench-quick: ## the same in three minutes
	$(call bench,--quick)

bench-full: ## the same with long rounds, a million invoices, ten in `growth` and `rebuild` (INVOICES=…: so many; ROUNDS=1: once), for hours
	$(call bench,--full)

define bench
	deploy/stack/prepare.sh build stack report
	cargo build --release -p regua --bin regua
	deploy/bench.sh $(TARGET)/release/regua $(TARGET)/bench/report.json $(1) $(if $(ONLY),--only '$(ONLY)') $(if $(INVOICES),--invoices '$(INVOICES)') $(if $(ROUNDS),--rounds '$(ROUNDS)')
	deploy/bench-report.py $(TARGET)/bench/report.json $(subst $(comma), ,$(ONLY))
endef

profile: ## where the time of figures goes, by thread and function: ONLY=append_sqlite,timers
	@: $(or $(ONLY),$(error usage: make profile ONLY=figure,…))
	deploy/stack/prepare.sh build stack
	cargo build --release -p regua --bin regua
	deploy/profile.sh $(TARGET)/release/regua $(subst $(comma), ,$(ONLY))

bench-codecs: ## throughput of boleto, Pix and bank file codecs beside a copy of the same bytes
	deploy/stack/prepare.sh build
	cargo bench --workspace --bench codecs

lint: proto-lint ## formatting, clippy and the protobuf linter, without a warning
	deploy/stack/prepare.sh build
	deploy/lint.sh

proto-lint: ## the protobuf linter alone
	deploy/proto-lint.sh

large-file: ## reads a portfolio of 1 GB and tells how much memory that takes
	deploy/stack/prepare.sh build
	REGUA_TEST_CSV_MB=1024 cargo test --release -p acceptance --test acceptance large_file -- --nocapture

stack: ## starts PostgreSQL and Kafka with their data under DIR=… and writes DIR/regua.toml
	@: $(or $(DIR),$(error usage: make stack DIR=folder))
	deploy/stack/prepare.sh stack
	deploy/stack/up.sh '$(DIR)'

stack-down: ## ends what `make stack DIR=…` started; the data stays
	@: $(or $(DIR),$(error usage: make stack-down DIR=folder))
	deploy/stack/down.sh '$(DIR)'
