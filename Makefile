# Everything that is run often. Needs Go, git and make; gcc for the race detector;
# wat2wasm (wabt) only for the fixture check of `make verify`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

# One file pins all Go tools, apart from the operator's own go.mod, so that a
# linter's requirements never reach the product. Each is compiled once and then
# comes from the Go build cache.
GO_TOOL := go tool -modfile=$(CURDIR)/go.tools.mod

# Prints the path of cosign, which tests and the demo run. It has a module of its own: the versions that it requires would
# change the linter. On two cores, the first call takes minutes.
COSIGN := go -C $(CURDIR)/test/cosign tool -n cosign

# Modules in this repository besides the root; new plugins are found by themselves. test/cosign is not among them: it has
# no packages, and go mod tidy would download 270 MB that nothing else needs.
MODULES := $(patsubst %/go.mod,%,$(wildcard hack/controlplane/go.mod hack/image/go.mod plugins/sdk/go/go.mod plugins/*/go.mod test/bench/go.mod test/registry/go.mod))
GO_PLUGINS := $(patsubst plugins/%/go.mod,%,$(wildcard plugins/*/go.mod))

# The directory with kube-apiserver, etcd and kubectl, built on first use.
ASSETS := go -C hack/controlplane run .
# A busy machine needs more than envtest's 20 s to start an API server.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT ?= 60s

# Without cgo, so that the linter, the demo and the static binary share what is
# compiled: the Kubernetes libraries take minutes. Only the race detector needs it.
export CGO_ENABLED := 0

VERSION ?= $(shell git describe --tags --match 'v*' --always --dirty 2>/dev/null || echo dev)
IMAGE ?= ghcr.io/k1s-io/k1s:dev
REGISTRY_IMAGE ?= ghcr.io/k1s-io/k1s-registry:dev
# Root certificates for the image: those of the machine that builds it.
CA_CERTIFICATES ?= $(wildcard /etc/ssl/certs/ca-certificates.crt)
PLATFORM ?= linux/$(shell go env GOARCH)
LDFLAGS = -s -w -X main.version=$(VERSION)

##@ General

.PHONY: help
help: ## Show this help
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make <target>" } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Generated files

.PHONY: generate
generate: ## Generate the API types' DeepCopy methods
	$(GO_TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate the CRDs and the RBAC role; copy both into the chart
	@mkdir -p bin/crd config/crd/bases charts/k1s/crds && rm -f bin/crd/*
	$(GO_TOOL) controller-gen crd paths=./api/... output:crd:dir=bin/crd
	$(GO_TOOL) controller-gen rbac:roleName=k1s-manager paths=./cmd/... paths=./internal/... output:rbac:dir=config/rbac
	@for dir in config/crd/bases charts/k1s/crds; do rm -f "$$dir"/*.yaml; cp bin/crd/*.yaml "$$dir"; done
	@mkdir -p charts/k1s/files && cp config/rbac/role.yaml charts/k1s/files/role.yaml

.PHONY: api-docs
api-docs: ## Generate docs/reference/api.md from the API types
	mkdir -p docs/reference
	$(GO_TOOL) crd-ref-docs --log-level=ERROR --max-depth=20 --source-path=./api --config=hack/api-docs/config.yaml \
	  --renderer=markdown --output-path=docs/reference/api.md

.PHONY: metrics-docs
metrics-docs: ## Generate docs/metrics.md from the metrics in the code
	go run ./hack/metrics-docs -o docs/metrics.md

.PHONY: wat
wat: ## Compile the WAT fixtures of the tests (needs wat2wasm)
	hack/wat.sh build

.PHONY: tidy
tidy: ## Run go mod tidy in every module
	@for m in . $(MODULES); do echo "go mod tidy ($$m)"; go -C "$$m" mod tidy; done

##@ Checks

.PHONY: fmt
fmt: ## Format all Go code and sort its imports
	@for m in . $(MODULES); do echo "golangci-lint fmt ($$m)"; (cd "$$m" && $(GO_TOOL) golangci-lint-kube-api-linter fmt ./...); done

# Guests are looked at twice, for the host, where their tests run, and for WASI.
# The linter is named by its path, as "go tool" would build it for WASI as well.
.PHONY: lint
lint: ## Run golangci-lint and go vet in every module
	@linter=$$($(GO_TOOL) -n golangci-lint-kube-api-linter); status=0; \
	for m in . $(MODULES); do \
	  echo "go vet, golangci-lint ($$m)"; cd "$(CURDIR)/$$m"; \
	  { go vet ./... && "$$linter" run ./...; } || status=1; \
	  case "$$m" in plugins/*) \
	    GOOS=wasip1 GOARCH=wasm "$$linter" run --tests=false ./... || status=1 ;; \
	  esac; \
	done; exit $$status

# When the tests of a package count as hanging. The default of 10 minutes is too short for a slow machine that is busy.
TEST_TIMEOUT ?= 60m

# Without the race detector run the hostile modules, which look at how much memory they take and how much comes back, as its
# shadow memory never shrinks; the meter, which is a function of bytes that no two goroutines share: WebAssembly's own tests
# take it a minute; and the tests of texts and of the import graph.
WITHOUT_RACE := ./internal/wasm/meter ./test/architecture ./test/hostile

# test/integration is first: it takes as long as all others, which run beside it.
.PHONY: test
test: ## Run all unit and envtest tests, with the race detector where there is gcc
	@assets=$$($(ASSETS)); export KUBEBUILDER_ASSETS="$$assets"; \
	echo "compiling helm, oras and cosign, which tests run"; \
	$(GO_TOOL) -n helm >/dev/null; $(GO_TOOL) -n oras >/dev/null; $(COSIGN) >/dev/null; \
	race=; if command -v gcc >/dev/null; then race=-race; export CGO_ENABLED=1; \
	else echo "there is no gcc: the tests run without the race detector"; fi; \
	for m in $(MODULES); do echo "go test ./... ($$m)"; CGO_ENABLED=0 go -C "$$m" test -timeout $(TEST_TIMEOUT) ./...; done; \
	echo "go test $(WITHOUT_RACE) (.)"; CGO_ENABLED=0 go test -timeout $(TEST_TIMEOUT) $(WITHOUT_RACE); \
	echo "go test -run TestOperator_attacks ./test/integration (.)"; \
	CGO_ENABLED=0 go test -timeout $(TEST_TIMEOUT) -run '^TestOperator_attacks$$' ./test/integration; \
	echo "go test $$race ./... (.)"; go test $$race -timeout $(TEST_TIMEOUT) $$(go list ./test/integration ./... | grep -vxF "$$(go list $(WITHOUT_RACE))")

# Past this a fuzz test has found what it finds soon; a night finds more.
FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME, one after another
	hack/fuzz.sh $(FUZZTIME) . $(MODULES)

# How long the operator is disturbed, before everything must settle.
DURATION ?= 10m

.PHONY: soak
soak: plugins build ## Disturb the operator for DURATION: swaps, kills, API server restarts
	@assets=$$($(ASSETS)); go build -o bin/soak ./test/soak && KUBEBUILDER_ASSETS="$$assets" exec bin/soak -duration $(DURATION)

# Guests whose toolchain is missing are left out, and the table says what to install.
.PHONY: bench
bench: ## Measure against targets and peers, write docs/benchmarks.md (ROWS=regexp: only those)
	test/bench/guests/build.sh bin/bench
	go -C test/bench build -o ../../bin/bench/bench .
	@assets=$$($(ASSETS)); KUBEBUILDER_ASSETS="$$assets" exec bin/bench/bench -rows "$${ROWS:-}"

.PHONY: verify
verify: ## Regenerate everything and fail if a committed file differs
	hack/verify.sh

##@ Build

.PHONY: build
build: ## Build static binaries of every command into bin/
	mkdir -p bin
	go build -ldflags "$(LDFLAGS)" -o bin/ ./cmd/...

.PHONY: plugins $(GO_PLUGINS:%=plugin-%)
plugins: $(GO_PLUGINS:%=plugin-%) ## Build the sample plugins to plugins/<name>.wasm

$(GO_PLUGINS:%=plugin-%): plugin-%:
	GOOS=wasip1 GOARCH=wasm go -C plugins/$* build -buildmode=c-shared -trimpath -ldflags "-s -w" -o ../$*.wasm .

# -trimpath, so that the image's digest does not depend on where the source lies.
.PHONY: image
image: ## Write the container image to bin/k1s-image.tar (docker load, ctr images import)
	@mkdir -p bin
	@platform=$(PLATFORM); GOOS=$${platform%%/*} GOARCH=$$(cut -d/ -f2 <<<"$$platform") \
	  go build -trimpath -ldflags "$(LDFLAGS)" -o bin/image/manager ./cmd/manager
	go -C hack/image run . -o $(CURDIR)/bin/k1s-image.tar -ref $(IMAGE) -platform $(PLATFORM) \
	  $(if $(CA_CERTIFICATES),-ca-certificates $(abspath $(CA_CERTIFICATES))) $(CURDIR)/bin/image/manager

.PHONY: registry-image
registry-image: ## Write the image of the registry of `make e2e` to bin/registry-image.tar
	@mkdir -p bin
	@platform=$(PLATFORM); GOOS=$${platform%%/*} GOARCH=$$(cut -d/ -f2 <<<"$$platform") \
	  go -C test/registry build -trimpath -ldflags "-s -w" -o ../../bin/image/registry .
	go -C hack/image run . -o $(CURDIR)/bin/registry-image.tar -ref $(REGISTRY_IMAGE) -platform $(PLATFORM) $(CURDIR)/bin/image/registry

##@ Run

.PHONY: controlplane
controlplane: ## Build kube-apiserver, etcd and kubectl once; print their directory
	@$(ASSETS)

.PHONY: demo
demo: plugins build ## Show the operator at work on a throw-away control plane
	@assets=$$($(ASSETS)); oras=$$($(GO_TOOL) -n oras); cosign=$$($(COSIGN)); \
	  go -C test/registry build -o ../../bin/registry . && go build -o bin/demo ./hack/demo && \
	  KUBEBUILDER_ASSETS="$$assets" ORAS="$$oras" COSIGN="$$cosign" exec bin/demo

.PHONY: run
run: plugins build ## Like demo, but keep the control plane running until Ctrl-C
	@assets=$$($(ASSETS)); go build -o bin/demo ./hack/demo && KUBEBUILDER_ASSETS="$$assets" exec bin/demo -stay

.PHONY: e2e
e2e: plugins ## Try the chart on the cluster of KUBECONFIG, which has both images
	IMAGE=$(IMAGE) REGISTRY_IMAGE=$(REGISTRY_IMAGE) HELM="$$($(GO_TOOL) -n helm)" ORAS="$$($(GO_TOOL) -n oras)" COSIGN="$$($(COSIGN))" hack/e2e/run.sh
