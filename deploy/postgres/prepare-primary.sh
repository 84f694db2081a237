#!/bin/sh
# Lets a replica follow the primary: a role that may copy it, and a slot that keeps the write-ahead log for it.
# Run by a superuser of the primary (PGHOST, PGUSER, PGPASSWORD …). May be run again; the password is set anew.
set -eu
: "${REPLICATION_PASSWORD:?}" "${REPLICATION_SLOT:?}"

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null <<'SQL'
\getenv password REPLICATION_PASSWORD
\getenv slot REPLICATION_SLOT
SELECT 'CREATE ROLE replicator LOGIN REPLICATION'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \gexec
ALTER ROLE replicator PASSWORD :'password';
SELECT pg_create_physical_replication_slot(:'slot')
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = :'slot');
SQL
