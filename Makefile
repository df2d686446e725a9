# make help lists what there is. Any setting of the deployment may follow: make up PORT=8001 LOG_LEVEL=DEBUG
PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=
CHAT_ARGS ?=
WHAT ?= workers
.DEFAULT_GOAL := help
.PHONY: help setup up down status logs roll test test-matrix bench bench-chat soak evening screenshots lint lock clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s%s\n", $$1, $$2 }'

setup: ## make .venv from requirements-lts.txt
	@$(PYTHON) deploy/embedded setup

up: ## start everything under supervisor and print the URL; PORT=8000 by default
	@$(PYTHON) deploy/embedded up

down: ## stop everything
	@$(PYTHON) deploy/embedded down

status: ## show the processes
	@$(PYTHON) deploy/embedded status

logs: ## follow all logs
	@$(PYTHON) deploy/embedded logs

roll: ## restart the workers one at a time; WHAT=daphne the interface servers, WHAT=all both and the delay server
	@$(PYTHON) deploy/embedded roll $(WHAT)

test: ## install what the tests need and run all of them
	@PYTHON='$(PYTHON)' tests/run.sh $(PYTEST_ARGS)

test-matrix: ## run the library and chat tests on every supported Python and both requirement sets
	@$(PYTHON) tests/matrix.py

bench: ## measure this and its peers, and then the chat; BENCH_ARGS=--quick for a look
	@$(PYTHON) -m bench.run $(BENCH_ARGS)
	@$(if $(filter-out --quick,$(BENCH_ARGS)),,$(PYTHON) -m bench.chat $(BENCH_ARGS))

bench-chat: ## measure the chat alone: messages stored a second, joining; six minutes; CHAT_ARGS=--quick for a look
	@$(PYTHON) -m bench.chat $(CHAT_ARGS)

soak: ## faults in random order under load; MINUTES=10, SEED=n repeats an order, FAULTS=none for memory alone
	@$(PYTHON) deploy/embedded setup tests/requirements.txt
	@.venv/bin/python -m tests.faults.soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) \
		$(if $(FAULTS),--faults '$(FAULTS)')

evening: ## 200 people talk while everything restarts and dies; MINUTES=30 PEOPLE=200 ROOMS=20 RATE=200, SEED=n
	@$(PYTHON) deploy/embedded setup tests/requirements.txt
	@.venv/bin/python -m tests.faults.evening --minutes $(or $(MINUTES),30) --people $(or $(PEOPLE),200) \
		--rooms $(or $(ROOMS),20) --rate $(or $(RATE),200) $(if $(SEED),--seed $(SEED))

screenshots: ## make the pictures of the page in docs/
	@$(PYTHON) deploy/embedded setup tests/requirements.txt
	@.venv/bin/python -m tests.browser.screenshots

lint: ## ruff and mypy
	@$(PYTHON) deploy/embedded setup tests/requirements.txt
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

lock: ## make both locks anew; LOCK_ARGS=--upgrade takes newer versions
	@PYTHON='$(PYTHON)' deploy/lock.sh $(LOCK_ARGS)

clean: down ## stop everything and remove .venv and the caches; data in var/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
	rm -rf var/static var/run var/plain var/supervisor42-* var/matrix var/lock var/log var/prepared.json
