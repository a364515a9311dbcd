.DEFAULT_GOAL := help
SHELL := /bin/bash

# The linter's version is pinned, so that a new release cannot make a build fail that passed before.
GOLANGCI_VERSION := v2.15.0
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)
WEB := adapters/httpapi/web

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: web ## Set everything up and serve in dev mode at http://localhost:3000/
	PARLEY_DEV=1 LOG_FORMAT=text go run .

build: web ## Build the binary ./parley with the chat page in it
	go build -o parley .

test: compiler web chromium ## Set everything up and run all tests
	cd $(WEB) && npm run check
	go test -race -shuffle=on -timeout 20m ./...

test-unit: compiler ## Run the Go tests that need neither Node.js nor a browser
	go test -race -shuffle=on $$(go list ./... | grep -v /test/)

fuzz: ## Fuzz every decoder for FUZZTIME (default 1m), everything else for a quarter of that
	./test/fuzz.sh $(or $(FUZZTIME),1m)

lint: $(GOLANGCI) ## Check style, generated files and go.mod
	$(GOLANGCI) run
	go mod tidy -diff
	go generate ./... && git diff --exit-code -- mocks

fmt: $(GOLANGCI) ## Format the Go code
	$(GOLANGCI) fmt

generate: ## Regenerate the mocks
	go generate ./...

# A comparison prints at its start how long it will take. BENCH passes further flags, which
# `go run ./test/load -help` lists.
comma := ,
ROUNDS := $(if $(SHORT),3,5)
SHORT_FLAGS := -knee-rounds 1 -rival-rounds 1 -rates 40,160,640 -room-sizes 100,10000 -room-time 2s -rate-time 2s \
	-stuck-time 7s -idle-time 7s -ping 3s -warmup 500ms
bench: ## Compare with the reference servers on this machine, write docs/benchmarks.md (35 minutes; SHORT=1: 15)
	./test/load/compare.sh -rounds $(ROUNDS) -docs docs $(if $(SHORT),$(SHORT_FLAGS)) $(BENCH)

bench-quick: ## Compare roughly, with fewer rows and without Bun, in two minutes; writes nothing
	PEERS=$(or $(PEERS),parley$(comma)node$(comma)floor) ./test/load/compare.sh -rounds 1 -knee-rounds 1 -rates "" -room-sizes 100 \
		-room-time 2s -knee-time 500ms -storm-clients 1000 -idle-clients 1000 -idle-time 3s -ping 1s -warmup 500ms \
		-rooms-clients 0 -stuck-clients 0 -drop-clients 0 $(BENCH)

bench-sweeps: ## Measure how Parley's cost per unit grows, write docs/benchmarks-sweeps.md (five minutes)
	./test/load/sweeps.sh -docs docs $(BENCH)

web: $(WEB)/dist/index.html

# The page is built only if one of its sources is newer than the last build.
$(WEB)/dist/index.html: $(WEB)/package-lock.json $(shell find $(WEB) -path $(WEB)/node_modules -prune -o -path $(WEB)/dist -prune -o -type f -print)
	cd $(WEB) && npm ci --no-audit --no-fund && npm run build

compiler:
	./test/install-compiler.sh

chromium:
	./test/browser/install-chromium.sh

$(GOLANGCI):
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .tools/golangci-lint $@

.PHONY: help run build test test-unit fuzz lint fmt generate bench bench-quick bench-sweeps web compiler chromium
