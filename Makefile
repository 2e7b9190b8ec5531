# The only task runner. `make` lists the tasks.

CARGO ?= cargo

.PHONY: help build lab test fmt lint update bench fleet

help: ## List the tasks
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

build: ## Build the release binary
	$(CARGO) build --release --locked

lab: ## Run the main job on the embedded lab
	$(CARGO) run --release --locked -- up --lab -f examples/guest-cluster-0.yaml

test: ## Run every test; name what was skipped and why
	@scripts/test

fmt: ## Format
	$(CARGO) fmt --all

lint: ## Check formatting and clippy, as CI does
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

update: ## Rewrite generated files (schemas, the guide, the pages of reference)
	BERTH_UPDATE=1 $(CARGO) test --locked -q -p berth-api -p berth-procedure

bench: ## Measure the API server; beside a real one if KUBEBUILDER_ASSETS names a folder with it
	$(CARGO) build --release --locked -p berth-apiserver --example serve
	$(CARGO) bench --locked -p berth-apiserver -- $(ROWS)

fleet: ## Measure 200 guests in a lab: plan, up, status, down; GUESTS for another number
	@scripts/fleet $(GUESTS)
