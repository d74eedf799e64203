# Everything runs on the Node that package-lock.json pins, so that a host with an older one will do.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install lint format test test-faults demo e2e images bench tools docs sbom audit clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: node_modules/.installed ## Install the locked packages

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

tools: install ## Fetch or build etcd, kube-apiserver, kubectl and helm (about ten minutes the first time)
	npm run --silent control-plane -- tools

lint: install ## Check types, style, dead code and the licences of the locked packages
	tsc -p .
	oxlint --type-aware
	biome check
	knip
	node build/check-licenses.ts

format: install ## Put the sources into their one format
	biome check --write

test: lint tools ## Run every check, and every test but those of e2e
	npm run --silent test

test-faults: tools ## Run the fault suite: attacks, crashes and broken networks; ARGS=--write updates docs/reliability.md
	npm run --silent test:faults -- $(ARGS)

demo: tools ## Watch a refusal and a certificate on a real API server; ARGS=--once to exit after the story
	node test/demo/main.ts $(ARGS)

images: install ## Build the images of both services, with a Docker engine or without one
	node build/images.ts

e2e: tools ## Install on a real node (kubelet, containerd) and try everything there; needs root
	node test/support/node/main.ts --install
	npm run --silent test:e2e

bench: tools ## Measure against cert-manager's own controller and the API server itself
	node test/bench/main.ts $(ARGS)

docs: install ## Write the generated pages anew
	npm run --silent docs

sbom: install ## Write the bill of materials of this repository to dist/sbom.cdx.json
	mkdir -p dist
	npm sbom --sbom-format=cyclonedx --package-lock-only > dist/sbom.cdx.json

audit: install ## Ask the registry for known vulnerabilities of the locked packages
	node build/audit.ts

clean: ## Remove what was installed and made in this checkout
	rm -rf node_modules dist coverage .tmp
