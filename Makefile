# Two commands are enough: `make run` and `make test`. The others are thin calls of `otto`.
# ARGS hands options on:          make run ARGS=--until-ready
# CLOWD_PROVIDERS limits which providers may be touched:  CLOWD_PROVIDERS="lab, aws" make run

SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := help
OTTO := .venv/bin/otto

##@ The two

.PHONY: run
run: ## Set this machine up, then run OttO with its example sites until Ctrl-C
	@infra/setup/setup run
	@exec $(OTTO) up $(ARGS)

.PHONY: test
test: ## Set this machine up, then run the whole suite (ARGS: pytest's, as ARGS="-k spec")
	@infra/setup/setup test
	@exec .venv/bin/pytest -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

##@ Sites

.PHONY: status
status: .venv ## Show every site (ARGS: a site, --watch, --json)
	@exec $(OTTO) status $(ARGS)

.PHONY: provision
provision: ## Create or change the servers that the specs ask for
	@infra/setup/setup run
	@exec $(OTTO) provision $(ARGS)

.PHONY: config
config: .venv ## Configure the servers and deploy content
	@exec $(OTTO) configure $(ARGS)

.PHONY: verify
verify: .venv ## Test the running sites
	@exec $(OTTO) verify $(ARGS)

.PHONY: images
images: ## Build golden images, try them, put the good ones into the index (ARGS: names, --force)
	@infra/setup/setup images
	@exec $(OTTO) images build $(ARGS)

.PHONY: destroy
destroy: .venv ## Take all the lab's sites down, leaving nothing behind (asks first; ARGS=--yes)
	@exec $(OTTO) destroy --all $(ARGS)

##@ Work on OttO

.PHONY: check
check: ## Every linter, formatter, type check and validator
	@infra/setup/setup test
	@exec .ci/check $(ARGS)

.PHONY: bench
bench: ## Measure (ARGS: which of fresh images steady content pushes specs api dns, --json, --strict)
	@infra/setup/setup test
	@exec .venv/bin/python -m tests.bench $(ARGS)

.PHONY: doctor
doctor: .venv ## Check every tool, permission, port and kernel feature needed, with the mend
	@exec $(OTTO) doctor $(ARGS)

.PHONY: container
container: ## Build the controller's container image (ARGS: --base IMAGE, --tag NAME, podman build's)
	@infra/container/build $(ARGS)

.PHONY: lock
lock: ## Make the lock files anew from pyproject.toml (ARGS=--upgrade: with the newest versions)
	@infra/setup/lock $(ARGS)

.PHONY: clean
clean: ## Remove .venv, caches and build results; sites and var/ stay
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .ansible
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

.PHONY: .venv
.venv:
	@infra/setup/setup venv

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
