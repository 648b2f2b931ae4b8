#!/usr/bin/env bash
# Runs once, when the data is new: one database per service, all owned by an account that is no superuser.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$SCRIPTORIUM_DATABASE_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE scriptorium LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER scriptorium', name)
FROM unnest(ARRAY['batch_orchestrator_service', 'essay_lifecycle_service', 'class_management_service',
                  'student_matching_service', 'file_service']) AS name
\gexec
SQL
