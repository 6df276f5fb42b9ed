#!/usr/bin/env bash
# What the gateway of docker-compose.yml finds in /etc/wakemq when it starts: its configuration and a certificate for 8883.
set -euo pipefail
here=$(dirname "$0")
cp "$here/gateway.toml" /etc/wakemq/wakemq.toml.new
mv -f /etc/wakemq/wakemq.toml.new /etc/wakemq/wakemq.toml
exec bash "$here/certificates.sh" /etc/wakemq/tls "$@"
