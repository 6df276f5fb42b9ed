#!/usr/bin/env bash
# Each rule of house.awk is broken once in a small tree of its own and must be named there, with its line.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# expect NAME FILE LINE PART: house.sh on the tree names FILE:LINE with PART.
expect() {
  local said
  if said=$("$here/house.sh" "$tree" 2>&1); then
    echo "FAIL $1: the breach went unseen"
    failures=$((failures + 1))
  elif ! grep -qF "$2:$3: " <<<"$said" || ! grep -qF -- "$4" <<<"$said"; then
    printf 'FAIL %s: expected %s:%s … %s, got:\n%s\n' "$1" "$2" "$3" "$4" "$said"
    failures=$((failures + 1))
  fi
  rm -rf "${tree:?}"/*
}
# put FILE TEXT…: one line an argument.
put() {
  mkdir -p "$tree/$(dirname "$1")"
  printf '%s\n' "${@:2}" >"$tree/$1"
}

put push/a.cpp '#include <string>' '#include "db/pool.hpp"'
expect 'include against the arrow' push/a.cpp 2 'push/ must not include "db/pool.hpp"'
put db/a.cpp '#include "pool.hpp"'
expect 'include without folder' db/a.cpp 1 'without its folder'
put broker-core/a.cpp '#include <boost/asio.hpp>'
expect 'foreign header in the core' broker-core/a.cpp 1 'only the standard library'
put broker-core/a.cpp '#include <thread>'
expect 'thread in the core' broker-core/a.cpp 1 'no <thread>'
put broker-core/a.cpp 'auto t = std::chrono::steady_clock::now();'
expect 'clock in the core' broker-core/a.cpp 1 'is pure'
put broker-core/a.cpp '' 'int x = rand();'
expect 'chance in the core' broker-core/a.cpp 2 'is pure'
put db/a.cpp '#include <boost/asio.hpp>'
expect 'Asio in db' db/a.cpp 1 'no business with <boost/asio.hpp>'
put broker-core/a.cpp 'int s = ::socket(1, 2, 3);'
expect 'socket in the core' broker-core/a.cpp 1 'is pure'
put config/a.hpp 'int a();'
expect 'header without guard' config/a.hpp 1 'no #pragma once'
put gateway/a.cpp '// TO''DO later'
expect 'note to do it later' gateway/a.cpp 1 'do it, or open an issue'
put gateway/a.cpp
for _ in $(seq 401); do echo '//' >>"$tree/gateway/a.cpp"; done
expect 'long file' gateway/a.cpp 402 'longer than 400'

put broker-core/a.cpp '#include <chrono>' '#include "broker-core/b.hpp"' '// no ::now() here' 'x.send(now.steady);' 'const char* t = "::now()";'
put broker-core/b.hpp '#pragma once'
put gateway/a.cpp '#include "broker-core/b.hpp"' '#include <boost/asio.hpp>'
if ! said=$("$here/house.sh" "$tree" 2>&1); then
  printf 'FAIL a tree that keeps the rules was refused:\n%s\n' "$said"
  failures=$((failures + 1))
fi
[ "$failures" -eq 0 ] && echo "house_test: every rule is enforced"
exit $((failures > 0))
