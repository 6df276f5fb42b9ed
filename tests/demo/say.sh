# How the demonstration speaks and checks: numbered steps, commands as a reader could type them, what came back, and
# failures that name what was expected, what came, and the log to read. Sourced by demo.sh.

if [[ -t 1 ]]; then bold=$'\033[1m' dim=$'\033[2m' green=$'\033[32m' red=$'\033[31m' plain=$'\033[0m'; else bold='' dim='' green='' red='' plain=''; fi

step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step_number" "$1" "$plain"
}
# shown COMMAND…: the command as a reader could type it.
shown() { printf '   %s$ %s%s\n' "$dim" "$*" "$plain"; }
came() { sed 's/^/     /' <<<"$1"; }
held() { printf '   %sok%s %s\n' "$green" "$plain" "$1"; }

# fail EXPECTED CAME LOG
fail() {
  printf '\n   %sFAILED%s in step %d\n     expected: %s\n     came:     %s\n     read:     %s\n' "$red" "$plain" "$step_number" "$1" "$2" "$3" >&2
  exit 1
}

# same WHAT EXPECTED CAME LOG: the check of one value.
same() {
  [[ $2 == "$3" ]] || fail "$1: $2" "$3" "$4"
  held "$1: $3"
}
