#!/usr/bin/env bash
# Checks the rules of the house (house.awk) on a checkout: house.sh [ROOT]
set -euo pipefail
rules=$(cd "$(dirname "$0")" && pwd)/house.awk
cd "${1:-$(dirname "$0")/../..}"
folders=()
for folder in broker-core push db config gateway tests; do
  if [ -d "$folder" ]; then folders+=("$folder"); fi
done
# tests/bench holds load generators that are one long program each on purpose.
mapfile -t files < <(find "${folders[@]}" -path tests/bench -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print | sort)
if [ ${#files[@]} -eq 0 ]; then
  echo "house: no sources below $PWD" >&2
  exit 1
fi
if ! awk -f "$rules" "${files[@]}"; then
  echo "house: see the lines above; the rules are in tests/tidy/house.awk" >&2
  exit 1
fi
echo "house: ${#files[@]} files keep the rules"
