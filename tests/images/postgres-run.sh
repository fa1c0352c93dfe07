#!/bin/bash
# Inside the stand-in image: what postgres:18 does with POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and POSTGRES_INITDB_ARGS.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  # shellcheck disable=SC2086 # the arguments are words
  initdb -D "$PGDATA" -U "${POSTGRES_USER:-postgres}" --pwfile=<(printf '%s' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses= -k /tmp" start
  PGPASSWORD=$POSTGRES_PASSWORD createdb -h /tmp -U "${POSTGRES_USER:-postgres}" "${POSTGRES_DB:-postgres}"
  pg_ctl -D "$PGDATA" -w stop
fi
exec "$@" -D "$PGDATA" -c "listen_addresses=*" -k /tmp
