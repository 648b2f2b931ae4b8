#!/usr/bin/env bash
# The compose file from nothing to nothing: up, a batch, a service dies and comes back, a second batch, three processes
# of one service, a third batch, down. In a project, with secrets and on ports of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

settings=$(mktemp)
.venv/bin/python scripts/env_file.py --free-ports >"$settings"
compose() { docker compose --project-name scriptorium-smoke --env-file "$settings" "$@"; }
up() { compose up --wait --wait-timeout 400 "$@"; }
batch() { .venv/bin/scriptorium submit examples --roster examples/roster.csv --env-file "$settings" --timeout 240 | tail -n 1; }
end() {
    status=$?
    [ $status = 0 ] || { compose ps --all; compose logs --tail 30; } || true
    compose down --volumes --timeout 15
    rm -f "$settings"
    exit $status
}
trap end EXIT
step() { printf '%4d s  %s\n' $SECONDS "$*"; }

step "build and start"
up --build
step "a batch"
batch

step "the essay lifecycle is killed"
started() { docker inspect --format '{{.State.StartedAt}}' "$(compose ps --quiet essay_lifecycle_service)"; }
before=$(started)
# From inside, since what `docker kill` ends is meant to stay away.
compose exec -T essay_lifecycle_service sh -c 'kill -9 -1' || true
until [ "$(started)" != "$before" ]; do sleep 0.5; done
up
step "it is back; a second batch"
batch

step "three processes of the essay lifecycle"
up --scale essay_lifecycle_service=3
[ "$(compose ps --quiet essay_lifecycle_service | wc -l)" = 3 ]
step "a third batch"
batch
step "down"
