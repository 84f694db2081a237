#!/bin/sh
# Starts a read replica of PRIMARY_HOST, with the arguments as postgres' own: the first time it copies the
# primary into PGDATA, from then on it follows.
set -eu
: "${PGDATA:?}" "${PRIMARY_HOST:?}" "${REPLICATION_PASSWORD:?}" "${REPLICATION_SLOT:?}"

# Written at each start: a new password need not be put into the copy's settings.
passfile="${TMPDIR:-/tmp}/replicator.pgpass"
umask 077
printf '*:*:*:replicator:%s\n' "$(printf '%s' "$REPLICATION_PASSWORD" | sed 's/[\\:]/\\&/g')" >"$passfile"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # A copy that was broken off lies beside its place, never in it.
    rm -rf "$PGDATA.new"
    pg_basebackup --pgdata="$PGDATA.new" --slot="$REPLICATION_SLOT" --checkpoint=fast --write-recovery-conf \
        --dbname="host=$PRIMARY_HOST port=${PRIMARY_PORT:-5432} user=replicator passfile=$passfile application_name=replica"
    mv "$PGDATA.new" "$PGDATA"
fi
exec postgres "$@"
