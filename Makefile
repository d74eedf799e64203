# All targets use the Node version pinned in package-lock.json, so the host may have an older one.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install lint format test test-faults demo e2e images cli bench tools docs sbom audit clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: node_modules/.installed ## Install the packages of package-lock.json

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

tools: install ## Download or build Kubernetes, helm, OpenBao, cert-manager and Pebble (the first time about 15 minutes)
	npm run --silent control-plane -- tools

lint: install ## Check types, style, dead code and package licences
	tsc -p .
	oxlint --type-aware
	biome check
	knip
	node build/check-licenses.ts

format: install ## Format the code
	biome check --write

test: lint tools ## Run all checks and tests except test-faults and e2e
	npm run --silent test

test-faults: tools ## Run the fault tests: attacks, crashes, network failures; ARGS=--write updates docs/reliability.md
	npm run --silent test:faults -- $(ARGS)

demo: install ## Run the demo on a real API server and keep it running; ARGS=--once exits at the end
	node test/demo/main.ts $(ARGS)

images: install ## Build the images of the services (Docker is optional)
	node build/images.ts

cli: install ## Build the kubectl plugin: dist/kubectl-countersign.mjs, its archive and krew manifest; ARGS=--executable includes Node
	node build/cli.ts $(ARGS)

e2e: tools ## Run the end-to-end tests on a real node (kubelet, containerd); needs root
	node test/support/node/main.ts --install
	npm run --silent test:e2e

bench: tools ## Compare performance with cert-manager's controller and with bare API server writes
	node test/bench/main.ts $(ARGS)

docs: install ## Regenerate the generated files
	npm run --silent docs

sbom: install ## Write the bill of materials of all locked packages to dist/sbom.cdx.json
	mkdir -p dist
	npm sbom --sbom-format=cyclonedx --package-lock-only > dist/sbom.cdx.json

audit: install ## Check the locked packages for known vulnerabilities (asks the npm registry)
	node build/audit.ts

clean: ## Remove installed packages and build output
	rm -rf node_modules dist coverage .tmp
