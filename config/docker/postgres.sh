#!/usr/bin/env bash
# Starts the PostgreSQL of docker-compose.yml; makes its cluster and database the first time. It listens on a Unix socket
# alone, in a volume shared with the gateway, so there is no password and no port.
set -euo pipefail
data=/var/lib/postgresql/data
bin=/usr/lib/postgresql/15/bin
if [[ ! -f $data/PG_VERSION ]]; then
  rm -rf "$data/new"
  "$bin/initdb" -D "$data/new" -U wakemq --auth-local=trust --auth-host=reject -E UTF8 --locale=C.UTF-8 >/dev/null
  printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '/run/postgresql'" 'max_connections = 200' \
    >>"$data/new/postgresql.conf"
  echo 'CREATE DATABASE wakemq' | "$bin/postgres" --single -D "$data/new" -j postgres >/dev/null
  # PG_VERSION last: an interrupted first start begins anew.
  for entry in "$data"/new/*; do
    if [[ ${entry##*/} != PG_VERSION ]]; then mv "$entry" "$data/"; fi
  done
  mv "$data/new/PG_VERSION" "$data/"
  rmdir "$data/new"
  chmod 700 "$data"
fi
exec "$bin/postgres" -D "$data"
