# Everything one does with this checkout. What is missing is set up first, so `make demo` or `make test` is the first command.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.14 python3 /usr/bin/python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo "$$python" && exit; done; echo python3)
BIN := .venv/bin
READY := .venv/.ready
UV_COMPILE = .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.12 --no-header --upgrade
ESSAYS ?=
ROSTER ?=
SEED ?= 1
KILLS ?= 1000
EACH ?= 2000
RESUME ?=
ONLY ?=
EXCEPT ?=
MESSAGES ?= 1000000
DATA ?= ../shared/data

.PHONY: help setup demo test test-unit test-integration test-containers test-exhaustive chaos chaos-short chaos-sabotage corpus bench bench-check bench-consumer bench-relay bench-latency bench-batch bench-matching bench-endtoend bench-profile bench-poison bench-replay bench-timers eval-matching soak compare check audit format docs lock clean
.PHONY: up down logs demo-compose smoke-compose env

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## virtual environment, locked packages, Kafka's jars (the other targets do this themselves)

# A file, so that the second time costs nothing.
$(READY): requirements/dev.txt pyproject.toml scripts/setup.py libs/local_stack/src/local_stack/kafka.lock
	@$(PYTHON) -c '' 2>/dev/null || { echo "No Python was found that runs (tried: $(PYTHON)); install Python 3.12 or newer," \
		"or say which one to use: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) scripts/setup.py

demo: $(READY)  ## the whole system on real Kafka and PostgreSQL; your own files: make demo ESSAYS=folder ROSTER=file.csv
	@$(BIN)/scriptorium demo $(if $(ESSAYS),--essays "$(ESSAYS)") $(if $(ROSTER),--roster "$(ROSTER)")

# Two at a time, each with a Kafka and a PostgreSQL of its own: most tests wait most of the time.
test: $(READY)  ## all tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-unit: $(READY)  ## tests without any I/O, in seconds
	$(BIN)/python -m pytest tests/unit

test-integration: $(READY)  ## tests on real Kafka and real PostgreSQL
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/integration

# Not the whole system and the local stack, which bring servers of their own.
test-containers: $(READY)  ## the tests of test-integration on Kafka and PostgreSQL in containers (Docker)
	TEST_STACK=containers $(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/integration \
		$(patsubst %,--ignore tests/integration/%,end_to_end test_local_stack.py $(EXCEPT))

test-exhaustive: $(READY)  ## every interleaving of every history, and thousands of random ones: many minutes
	EXHAUSTIVE=1 $(BIN)/python -m pytest tests/integration/test_interleavings.py $(shell find tests -name 'test_*any_history.py')

chaos: $(READY)  ## services, broker and database die while batches run; then everything is checked: make chaos SEED=1 KILLS=1000
	$(BIN)/python -m tests.chaos SEED=$(SEED) KILLS=$(KILLS) RESUME=$(RESUME)

chaos-short: $(READY)  ## the same with sixty kills, as in .ci/run
	$(BIN)/python -m pytest tests/chaos/test_sixty_kills.py

chaos-sabotage: $(READY)  ## each guarantee broken on purpose: the checker must see it
	$(BIN)/python -m tests.chaos.every_sabotage $(ONLY)

corpus: $(READY)  ## thousands of malformed files through the sandbox that reads them: make corpus SEED=1 EACH=2000
	$(BIN)/python -m tests.corpus SEED=$(SEED) EACH=$(EACH)

OTHERS := .cache/comparison/.ready

bench: $(READY) $(OTHERS)  ## how fast all of it is, beside what people would use instead: minutes, a table, build/benchmarks
	$(BIN)/python -m benchmarks.speed

bench-check: $(READY) $(OTHERS)  ## only the ratios, which do not depend on the machine: fails when one is under its bound
	$(BIN)/python -m benchmarks.speed.check

bench-consumer: $(READY) $(OTHERS)  ## messages a second through a real service, and through FastStream
	$(BIN)/python -m benchmarks.speed.consumer consumer

bench-relay: $(READY) $(OTHERS)  ## events a second from 200,000 outbox rows to Kafka, and by faststream-outbox
	$(BIN)/python -m benchmarks.speed.relay

bench-latency: $(READY)  ## from a commit to the commit of its effect in the next service
	$(BIN)/python -m benchmarks.speed.latency

bench-batch: $(READY)  ## messages a second by micro-batch size
	$(BIN)/python -m benchmarks.speed.consumer batch

bench-matching: $(READY)  ## how long matching thinks about an essay, by class size and text length
	$(BIN)/python -m benchmarks.speed.matching

bench-profile: $(READY) .cache/py-spy/.ready  ## where the consumer's time goes: a table and a flame graph
	$(BIN)/python -m benchmarks.speed.profile

bench-endtoend: $(READY)  ## up to 1,000 batches at once through all five services, and what an essay costs
	$(BIN)/python -m benchmarks.end_to_end

bench-poison: $(READY)  ## what messages that fail cost the others
	$(BIN)/python -m benchmarks.poison

bench-replay: $(READY)  ## how long 100,000 dead letters take
	$(BIN)/python -m benchmarks.replay

bench-timers: $(READY)  ## how late timers fire among a million others
	$(BIN)/python -m benchmarks.timers

eval-matching: $(READY)  ## how well authors are found: make eval-matching SEED=1 DATA=../shared/data
	$(BIN)/python -m benchmarks.matching --seed $(SEED) --data $(DATA)

soak: $(READY)  ## one service and many messages while a transaction is kept open: make soak MESSAGES=1000000
	$(BIN)/python -m benchmarks.soak --messages $(MESSAGES)

compare: $(READY) .cache/comparison/.ready  ## our runtime and other libraries through the same trials, in some minutes
	@$(BIN)/python -m benchmarks.comparison

# The other libraries have a virtual environment of their own: nothing of ours needs them.
.cache/comparison/.ready: benchmarks/comparison/requirements.txt | $(READY)
	@$(BIN)/python -m venv .cache/comparison
	@.cache/comparison/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.cache/py-spy/.ready: | $(READY)
	@$(BIN)/python -m venv .cache/py-spy
	@.cache/py-spy/bin/pip install --quiet --disable-pip-version-check py-spy==0.4.3
	@touch $@

# The whole system in containers; `docker compose` itself does as well, once there is a .env.
up: .env  ## the whole system in containers, until `make down`; SCALE="essay_lifecycle_service=3" runs three of one
	docker compose up --build --wait $(addprefix --scale ,$(SCALE))

down:  ## stop the containers; the data stays, `docker compose down --volumes` removes it too
	docker compose down

logs:  ## what the containers say, until Ctrl-C
	docker compose logs --follow --tail 100

demo-compose: $(READY) .env  ## the demonstration, on the containers of `make up`
	@$(BIN)/scriptorium demo --env-file .env

smoke-compose: $(READY)  ## containers from nothing: up, batches, a service dies and comes back, three of one, down
	scripts/smoke_compose.sh

.env:
	@(umask 077; $(PYTHON) scripts/env_file.py >.env.new && mv .env.new .env)
	@echo "Wrote .env, with secrets of its own."

env: .env  ## a .env with secrets of its own, if there is none

check: $(READY)  ## format, lint, types, layers, generated pages, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/docs.py --check
	$(BIN)/python -m pytest tests/unit tests/test_architecture.py

audit: $(READY)  ## known vulnerabilities of the locked packages; needs the internet
	@$(BIN)/python scripts/audit.py

format: $(READY)  ## format the code and fix what can be fixed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(READY)  ## write the generated pages anew
	$(BIN)/python scripts/docs.py

lock: $(READY)  ## choose new versions of all packages and jars
	$(BIN)/python -m venv .cache/uv
	.cache/uv/bin/pip install --quiet uv
	$(UV_COMPILE) requirements/runtime.in --output-file requirements/runtime.txt
	$(UV_COMPILE) requirements/dev.in --constraint requirements/runtime.txt --output-file requirements/dev.txt
	$(UV_COMPILE) requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt
	$(BIN)/python -m local_stack.download --lock

clean:  ## remove all that was set up or built here
	rm -rf .venv .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
