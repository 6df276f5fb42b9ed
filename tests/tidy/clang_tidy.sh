#!/usr/bin/env bash
# clang-tidy over the product's sources, in parallel: clang_tidy.sh BUILD_DIR JOBS
# What passed is remembered in the user's cache folder, for every checkout, by a hash of the source, all headers of this project that it includes (ninja
# knows them from the build), the checks, the compile command and clang-tidy itself: a second run looks only at what changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1 job_count=$2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/wakemq/clang-tidy
mkdir -p "$cache"
if [[ ! -f $build/compile_commands.json ]]; then
  echo "tidy: $build has no compile_commands.json: run ./dev build first" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "SOURCE FILE" a line: every file of the project that a source is made from, itself included. Includes go through links
# below $build/include/FOLDER, so that part of a path is dropped.
ninja -C "$build" -t deps | awk -v root="$PWD/" '
  /^[^ ].*: #deps/ { source = ""; next }
  /^ / {
    path = $1
    sub(/^(.*\/)?include\/(broker-core|push|db|config|gateway)\//, "", path)
    sub(/^\.\.\//, "", path) # as seen from the build folder, when ccache makes paths relative
    if (index(path, root) == 1) path = substr(path, length(root) + 1)
    if (path ~ /^\.?\.?\//) next
    if (source == "") source = path
    if (source ~ /^(broker-core|push|db|config|gateway)\/.*\.cpp$/) print source, path
  }' | sort -u >"$work/deps"
if [[ ! -s $work/deps ]]; then
  echo "tidy: $build was not built yet: run ./dev build first" >&2
  exit 1
fi

cut -d' ' -f2 "$work/deps" | sort -u | while read -r file; do
  if [[ -f $file ]]; then sha256sum "$file"; fi
done >"$work/hashes"
common=$({ clang-tidy --version; cat .clang-tidy CMakeLists.txt CMakePresets.json; } | sha256sum | cut -d' ' -f1)
awk -v common="$common" '
  NR == FNR { hash[$2] = $1; next }
  { if ($1 != last) { if (last != "") print last, text; last = $1; text = common } text = text hash[$2] }
  END { if (last != "") print last, text }' "$work/hashes" "$work/deps" |
  while read -r source text; do
    printf '%s %s\n' "$(sha256sum <<<"$source $text" | cut -d' ' -f1)" "$source"
  done >"$work/keys"

while read -r key source; do
  if [[ -f $source && ! -e $cache/$key ]]; then echo "$key $source"; fi
done <"$work/keys" >"$work/todo"
total=$(wc -l <"$work/keys")
if [[ $total == 0 ]]; then
  echo "tidy: no source was found in what $build was built from" >&2
  exit 1
fi
count=$(wc -l <"$work/todo")
echo "tidy: $count of $total sources to look at"

# A precompiled header of g++ is nothing to clang; the sources include what they use without it.
sed -E 's/-Winvalid-pch -include [^ ]+cmake_pch\.hxx//; s/-fpch-preprocess//' "$build/compile_commands.json" >"$work/compile_commands.json"

check() {
  local key=$1 source=$2 said
  # Warnings that only g++ has are switched off for some sources by name; clang need not know them.
  if said=$(clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option -p "$3" "$source" 2>/dev/null); then
    : >"$4/$key"
    echo "tidy: $source"
  else
    printf '%s\n' "${said:-tidy: $source: clang-tidy failed without a word}" >&2
    return 1
  fi
}
export -f check
export work cache
# A failure (not 255) lets xargs go on, so that everything is told in one run.
if ! xargs -r -L1 -P "$job_count" bash -c 'check "$1" "$2" "$work" "$cache"' _ <"$work/todo"; then
  echo "tidy: see the lines above; what is refused is listed in .clang-tidy" >&2
  exit 1
fi
