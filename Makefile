# Batten. `make` alone lists the targets; CONTRIBUTING.md says more.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/batten-runtime/batten/internal/version.Version=$(VERSION)
TOOL    := $(GO) tool -modfile=tools/go.mod

# What the DaemonSet's image is called; put your registry's name in front.
IMAGE   ?= docker.io/batten-runtime/batten:dev

# How long each fuzz target runs under `make test`, and for `make fuzz`: executions,
# since Go before 1.27 may report the end of a time as a failure (golang/go#75804).
# A target may have its own number behind a second colon.
FUZZTIME ?= 50000x
FUZZ     := \
	spec:FuzzSplice \
	shim:FuzzOptions \
	shim:FuzzGroup \
	shim/runc:FuzzParse \
	policy:FuzzParse \
	policy:FuzzIdentify \
	policy:FuzzIdentifyCRIO \
	policy/profile:FuzzParse \
	policy/filter:FuzzProgram \
	internal/manifest:FuzzLint:10000x \
	internal/denials:FuzzSeccompPlace \
	internal/block:FuzzParse:4000x \
	policy/floor:FuzzFloorWork:2000x \
	policy/profile:FuzzSeal \
	policy/profile/reader:FuzzRead:40000x \
	policy/bpf:FuzzRun \
	internal/recording:FuzzRead:20000x

# The system extension of Talos: its name, its architecture, the directory with the nodes'
# policy.yaml and its profiles, and TALOS_FLAGS=-default to make Batten the nodes' default.
TALOS_IMAGE  ?= docker.io/batten-runtime/batten-talos:dev
TALOS_ARCH   ?= $(shell $(GO) env GOARCH)
TALOS_POLICY ?= deploy/kubernetes/base
TALOS_FLAGS  ?=

.PHONY: help packages build image talos-extension engines demo test test-kubernetes test-machines peers race assurance unit prove integration fuzz lint generate bench dist distcheck release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: packages ## the binaries, into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/containerd-shim-batten-v2 ./cmd/batten-runc
	ln -sf batten-runc bin/batten-runc-crio
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/batten

image: packages ## the image of the DaemonSet in deploy/kubernetes, bin/batten-image.tar, made without a daemon
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/static/ ./cmd/containerd-shim-batten-v2 ./cmd/batten-runc
	CGO_ENABLED=1 $(GO) build -trimpath -tags osusergo,netgo -ldflags "$(LDFLAGS) -linkmode external -extldflags '-static -Wl,--build-id=none'" -o bin/static/ ./cmd/batten
	$(GO) run ./deploy/image/build $(IMAGE) bin/batten-image.tar bin/static/batten bin/static/batten-runc bin/static/containerd-shim-batten-v2

talos-extension: ## the shim and a policy as a system extension of Talos, bin/batten-talos-ARCH.tar
	CGO_ENABLED=0 GOARCH=$(TALOS_ARCH) $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/talos-$(TALOS_ARCH)/ ./cmd/containerd-shim-batten-v2
	$(GO) run ./deploy/talos/build -arch $(TALOS_ARCH) $(TALOS_FLAGS) $(TALOS_IMAGE) bin/batten-talos-$(TALOS_ARCH).tar \
		bin/talos-$(TALOS_ARCH)/containerd-shim-batten-v2 $(VERSION) $(TALOS_POLICY)

engines: ## containerd and runc for the tests, built or unpacked once into a cache
	integration/engines/build.sh all

demo: build ## the main job, shown step by step on a private containerd
	integration/engines/build.sh debian
	$(GO) run ./integration/demo

test: lint unit fuzz integration peers test-kubernetes demo distcheck ## everything

packages: # what cgo needs
	@integration/engines/build.sh packages

unit: packages ## the packages' own tests, with the race detector; random profiles without it
	REQUIRE_INTEGRATION=1 $(GO) test -race ./cmd/... ./deploy/... ./docs/... ./internal/... ./policy/... ./shim/... ./spec/...
	REQUIRE_INTEGRATION=1 $(GO) test ./policy/filter ./policy/floor ./policy/observe ./internal/recording # with all of their random profiles

integration: build engines ## real daemons, real containers; nothing may be skipped
	REQUIRE_INTEGRATION=1 $(GO) test -count=1 -p 1 -timeout 30m ./integration ./integration/bypass ./integration/faults ./integration/load ./integration/observe ./integration/record

peers: build ## containerd's own tests of its client and its CRI plugin, and critest, with the stock shim and with Batten's; PEERS=1 for the long ones, too
	integration/engines/build.sh peers
	REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 60m ./integration/peers

race: engines ## the integration tests with binaries that report data races
	CGO_ENABLED=1 $(GO) build -race -o bin/ ./cmd/...
	@log=$$(mktemp -d); GORACE="log_path=$$log/race atexit_sleep_ms=0" REQUIRE_INTEGRATION=1 \
	$(GO) test -count=1 -p 1 -timeout 90m -skip TestLimits ./integration ./integration/bypass ./integration/faults ./integration/load ./integration/observe ./integration/record; status=$$?; \
	if cat $$log/* 2>/dev/null; then status=1; fi; rm -r $$log; $(MAKE) build; exit $$status

assurance: build engines ## the figures of docs/evidence/assurance.md; hours
	PROFILES=$(or $(PROFILES),100) REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 2h ./integration -run TestCompiled
	ROUNDS=$(or $(ROUNDS),500) REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 6h ./integration/faults
	STORM=$(or $(STORM),500) PODS=$(or $(PODS),200) GROWTH=$(or $(GROWTH),1h) REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 6h ./integration/load
	integration/engines/build.sh programs
	PROGRAMS=all REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 2h ./integration/observe -run TestGroundTruth
	CALLS=100000 TOGETHER=200 REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 1h ./integration/observe -run 'TestManyThreads|TestTogether'
	PROGRAMS=all REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 2h ./integration/record
	DRILL=60 REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 1h ./integration -run TestDrill
	KILLS=1000 REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 30m ./internal/tighten -run TestKilled
	PEERS=1 $(MAKE) peers
	$(MAKE) test-machines
	$(MAKE) race

test-kubernetes: build image ## a real Kubernetes node: API server, kubelet, pods
	integration/engines/build.sh kubernetes
	REQUIRE_INTEGRATION=1 $(GO) test -count=1 -timeout 30m ./integration/kubernetes

test-machines: build ## whole emulated machines: the package on a fresh Debian 12, as docs/guide/debian.md prints it; arm64
	integration/engines/build.sh machines
	REQUIRE_INTEGRATION=1 $(GO) test -count=1 -v -timeout 60m ./integration/machines

prove: packages ## the floors of all pairs of profiles, CORPUS=dir/*.json too, proved on the compiled filters; what lint says of these
	CORPUS=$(if $(CORPUS),$(abspath $(CORPUS))) $(GO) test -count=1 -v ./policy/floor -run TestFloorOfCorpus
	CORPUS=$(if $(CORPUS),$(abspath $(CORPUS))) $(GO) test -count=1 ./cmd/batten -run TestLintCorpus

fuzz: ## each fuzz target for FUZZTIME
	@for target in $(FUZZ); do package=$${target%%:*}; rest=$${target#*:}; name=$${rest%%:*}; times=$${rest#$$name}; times=$${times#:}; times=$${times:-$(FUZZTIME)}; echo "$$package $$name for $$times"; \
	$(GO) test ./$$package -run '^$$' -fuzz "^$$name$$" -fuzztime $$times -fuzzminimizetime 1s || exit 1; done

lint: packages ## gofumpt, vet, staticcheck, import direction, go.mod, dead code, spelling, and known vulnerabilities where their database can be had
	@unformatted=$$($(TOOL) gofumpt -l .); test -z "$$unformatted" || { echo "gofumpt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 GOARCH=arm64 $(GO) vet ./internal/live ./internal/recorder ./internal/tighten # which have files for each machine
	$(TOOL) staticcheck ./...
	$(TOOL) depguard ./...
	$(GO) mod tidy -diff
	@unused=$$($(TOOL) deadcode -test ./...); test -z "$$unused" || { echo "deadcode: $$unused"; exit 1; }
	@git ls-files '*.go' '*.md' '*.yaml' '*.sh' '*.txtar' Makefile | grep -v '/z[a-z0-9_]*\.go$$' | xargs $(TOOL) misspell -error -i nmae,versoin
	@out=$$($(TOOL) govulncheck ./cmd/... 2>&1); status=$$?; \
	case "$$status:$$out" in \
	0:*) echo "govulncheck: nothing known";; \
	*"fetching vulnerabilities"*) echo "govulncheck: not run, its database cannot be reached from here";; \
	*) echo "$$out"; exit 1;; esac

generate: ## what is generated from other sources
	$(GO) generate ./...

bench: build engines ## Batten against the stock shim; docs/evidence/performance.md says how to read it
	$(GO) run ./integration/bench

dist: ## what is released, into dist/: tarballs, Debian packages, bills of material
	tools/dist/build.sh $(VERSION) dist

distcheck: ## that dist is reproducible, and that what it makes runs
	tools/dist/check.sh

release: ## a tagged version, stamped, built twice and compared: make release VERSION=v1.2.3
	tools/dist/release.sh $(VERSION)

clean: ## what make build and make dist made
	rm -rf bin dist
