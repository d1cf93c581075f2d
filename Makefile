.DEFAULT_GOAL := help
.PHONY: help run demo-reset build static release packages test differential chaos soak contract clients examples bench generate lint lint-spec spec-diff

LISTEN     ?= 127.0.0.1:8080
TEST_FLAGS ?=
STEPS      ?= 100000
SOAK       ?= 30m
BASE       ?= $(shell git describe --tags --abbrev=0 2>/dev/null)
OASDIFF     = go tool -modfile=tools/go.mod oasdiff breaking --fail-on ERR --flatten-params --flatten-allof
# What the program says of itself: the tag without its v, the commit and the commit's time.
VERSION    ?= $(or $(patsubst v%,%,$(shell git describe --tags --always --dirty 2>/dev/null)),dev)
REVISION   := $(shell git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null)
COMMITTED  := $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
STAMP       = -X main.version=$(VERSION) -X main.revision=$(REVISION) -X main.committed=$(COMMITTED)

# The SQLite driver is written in C: without cgo the program builds, but fails when it runs.
export CGO_ENABLED = 1

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Serve demo data from the SQLite file opencalls.db, on LISTEN=127.0.0.1:8080
	bin/opencalls serve --demo --database-url sqlite:opencalls.db --listen $(LISTEN)

demo-reset: build ## Throw opencalls.db away, then do what make run does
	@! ls -l /proc/[0-9]*/fd 2>/dev/null | grep -qF -- '-> $(CURDIR)/opencalls.db' || \
		{ echo "A server has opencalls.db open: stop it first." >&2; exit 1; }
	rm -f opencalls.db opencalls.db-wal opencalls.db-shm
	bin/opencalls serve --demo --database-url sqlite:opencalls.db --listen $(LISTEN)

# Go's own version stamp (buildvcs) needs a git checkout, which an archive is not.
build: ## Build bin/opencalls; install a C compiler if there is none
	@tools/setup.sh build
	@[ -e bin/opencalls ] || echo "The first build compiles SQLite and everything else: it takes a minute or more."
	go build -trimpath -buildvcs=false -ldflags '$(STAMP)' -o bin/opencalls ./cmd/opencalls

# The tags leave out what a static C library can't do.
static: ## Build bin/static/opencalls, which needs no C library and no other file
	@tools/setup.sh build
	go build -trimpath -buildvcs=false -tags netgo,osusergo,sqlite_omit_load_extension \
		-ldflags '$(STAMP) -s -w -linkmode external -extldflags -static' -o bin/static/opencalls ./cmd/opencalls

release: ## Make archives, Debian packages and their sums in dist/, the same bytes each time (VERSION=0.1.0)
	@tools/setup.sh build release
	tools/release.sh $(VERSION)

packages: ## Make a release and an image, and try them in an empty Debian (as root)
	@tools/setup.sh build release packages
	go test -tags release -count=1 -v -timeout 15m $(TEST_FLAGS) ./tests/release/

# -count=1: Go's test cache does not notice changes of the binary that some tests run.
test: ## Run all tests on SQLite and Postgres (TEST_FLAGS='-race -run Name', OPENCALLS_TEST_ENGINES=sqlite)
	@tools/setup.sh build test
	tools/postgres.sh go test -count=1 $(TEST_FLAGS) ./...

differential: ## Take STEPS=100000 random steps on SQLite, Postgres and a model of them; compare all answers
	@tools/setup.sh build test
	STEPS=$(STEPS) tools/postgres.sh go test -count=1 -v -timeout 60m -run TestSequences $(TEST_FLAGS) ./tests/differential/

# The tests stop Postgres servers, so they start their own and use no other.
chaos: ## Kill the program and its databases, fill its disk, restart it behind haproxy (as root)
	@tools/setup.sh build chaos
	env -u OPENCALLS_TEST_POSTGRES_URL tools/postgres.sh go test -tags chaos -count=1 -v -timeout 8m $(TEST_FLAGS) ./tests/chaos/...

soak: ## Serve a steady load for SOAK=30m on each engine: nothing may grow (under 10m memory and latency may)
	@tools/setup.sh build test
	SOAK=$(SOAK) tools/postgres.sh go test -tags soak -count=1 -v -timeout 3h -run TestSoak $(TEST_FLAGS) ./tests/chaos/

contract: build ## Hold the server against openapi.yaml with schemathesis (SEED=1, EXAMPLES=100, ENGINES="sqlite postgres")
	@tools/setup.sh contract
	tools/postgres.sh tools/contract.sh

clients: build ## Make clients by many generators, compile and use them (ALL=1: those in Rust too)
	@tools/setup.sh clients $(if $(ALL),rust)
	tests/clients/run.py $(if $(ALL),--all)

examples: ## Run docs/examples as GitHub and GitLab would, and a suite of 500 tests in Python
	@tools/setup.sh build examples
	tests/examples/run.py

# A server that keeps what it acknowledged, or writes would cost nothing.
bench: build ## Measure the program under load, compared with BENCH_BASE=REV (docs/performance.md)
	go build -o bin/bench ./bench
	OPENCALLS_TEST_ENGINES=$${BENCH_ENGINES:-sqlite,postgres} OPENCALLS_POSTGRES_DURABLE=1 tools/postgres.sh bin/bench

generate: ## Make gen/ from openapi.yaml and sandbox.yaml, and docs/flags.md from the command line, and collect the licences of what is linked
	go tool oapi-codegen -config oapi-codegen.yaml -o gen/api.gen.go openapi.yaml
	go tool oapi-codegen -config oapi-codegen-client.yaml -o gen/client/client.gen.go openapi.yaml
	go tool oapi-codegen -config oapi-codegen-sandbox.yaml -o gen/sandbox/sandbox.gen.go sandbox.yaml
	go run ./cmd/opencalls man --flags >docs/flags.md
	tools/licenses.sh >cmd/opencalls/licenses.txt

lint: ## Run the linters; count the lines of Go that are written by hand
	go tool -modfile=tools/go.mod golangci-lint run --allow-parallel-runners
	@find . -name '*.go' ! -path '*/gen/*' -exec awk '\
		FILENAME ~ /^\.\/bench\// { benchmark++; next } \
		FILENAME ~ /_test\.go$$|^\.\/tests\/|test\/[^\/]*$$/ { tests++; next } \
		{ program++ } \
		END { printf "program %d, tests and helpers %d, benchmark %d lines of Go\n", program, tests, benchmark }' {} +

lint-spec: ## Hold openapi.yaml and sandbox.yaml against Redocly's and Spectral's recommended rules (needs npm)
	npm --prefix tools/spec install --silent --no-package-lock --no-audit --no-fund
	REDOCLY_TELEMETRY=off tools/spec/node_modules/.bin/redocly lint --config tools/spec/redocly.yaml openapi.yaml sandbox.yaml
	tools/spec/node_modules/.bin/spectral lint --fail-severity=hint --ruleset tools/spec/spectral.yaml openapi.yaml sandbox.yaml

# Waldur's part lies here without its descriptions. The differences that are known have their reasons in
# docs/differences.md.
spec-diff: ## Name what breaks clients in openapi.yaml since BASE (the last tag) and compared with Waldur's schema
	$(OASDIFF) --err-ignore tests/contract/waldur-differences.txt --warn-ignore tests/contract/waldur-differences.txt \
		tests/contract/waldur.yaml openapi.yaml
	$(if $(BASE),$(OASDIFF) $(BASE):openapi.yaml openapi.yaml)
