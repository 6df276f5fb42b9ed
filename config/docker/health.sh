#!/usr/bin/env bash
# Does a program of ours answer? health.sh [PORT [PATH]]: 200 to a GET, without needing curl. Default: the gateway's /healthz.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${2:-/healthz}" >&3
read -r -t 4 _ status _ <&3
[[ $status == 200 ]]
