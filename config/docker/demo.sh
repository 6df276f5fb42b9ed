#!/usr/bin/env bash
# Profile `demo` of docker-compose.yml, once gateway and simulators are healthy: the gateway, whose process is number 1 here,
# is told to push to the simulators.
set -euo pipefail
cat "$(dirname "$0")"/{gateway,demo}.toml >/etc/wakemq/wakemq.toml.new
mv -f /etc/wakemq/wakemq.toml.new /etc/wakemq/wakemq.toml
kill -HUP 1
