# The rules of the house that a compiler does not check, one line per breach: "file:line: what, and what instead".
# Usage: awk -f house.awk FILE... from the top of the checkout. Exit status 1 when anything was found.

BEGIN {
  # gateway -> config -> db -> push -> broker-core -> std: what each folder may include.
  may["broker-core"] = " broker-core "
  may["push"] = " push broker-core "
  may["db"] = " db push broker-core "
  may["config"] = " config db push broker-core "
  may["gateway"] = " gateway config db push broker-core "
  # Foreign parts that a folder must not have.
  foreign["push"] = "^(pqxx|libpq|postgresql|toml\\+\\+|CLI|spdlog|prometheus)"
  foreign["db"] = "^(boost|nghttp2|curl|toml\\+\\+|CLI|spdlog|prometheus)"
  foreign["config"] = "^(boost|nghttp2|curl|pqxx|CLI|spdlog|prometheus)"
  foreign["gateway"] = "^(nghttp2|libpq|toml\\+\\+)"
  impure_header = "^(thread|mutex|shared_mutex|condition_variable|future|random|fstream|iostream|ctime|semaphore|latch|barrier|stop_token)$"
  impure_code = "::now\\(|(^|[^A-Za-z_:.>])(std)?(::)?(rand|srand|getenv)\\(|(^|[^A-Za-z_])(std::|::)(time|clock|random|socket|send|recv|write|read)\\(|" \
                "std::(thread|jthread|mutex|async|random_device|mt19937|cout|cerr)"
  kMaxLines = 400
}

function breach(line, text) {
  printf "%s:%d: %s\n", FILENAME, line, text
  breaches++
}

function finish() {
  if (file == "") return
  if (lines > kMaxLines) printf "%s:%d: longer than %d lines: split it by subject\n", file, lines, kMaxLines
  if (lines > kMaxLines) breaches++
  if (file ~ /\.hpp$/ && !has_guard) { printf "%s:1: no #pragma once\n", file; breaches++ }
}

FNR == 1 {
  finish()
  file = FILENAME
  split(FILENAME, parts, "/")
  folder = parts[1]
  has_guard = 0
}

{ lines = FNR }

/^#pragma once/ { has_guard = 1 }

/(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ { breach(FNR, "a note to do it later: do it, or open an issue and say it in the text") }

# Only the five folders of the house have layers.
!(folder in may) { next }

/^[ \t]*#[ \t]*include[ \t]*"/ {
  split($0, quoted, "\"")
  split(quoted[2], path, "/")
  if (index(quoted[2], "/") == 0) breach(FNR, "\"" quoted[2] "\" is included without its folder: write \"folder/name.hpp\"")
  else if (index(may[folder], " " path[1] " ") == 0)
    breach(FNR, folder "/ must not include \"" quoted[2] "\": gateway -> config -> db -> push -> broker-core -> std")
  next
}

/^[ \t]*#[ \t]*include[ \t]*</ {
  name = $0
  sub(/^[^<]*</, "", name)
  sub(/>.*/, "", name)
  if (folder == "broker-core") {
    if (name ~ /[\/.]/) breach(FNR, "broker-core/ has only the standard library, not <" name ">")
    else if (name ~ impure_header) breach(FNR, "broker-core/ is pure: no <" name ">; time and chance are passed in")
  } else if (name ~ foreign[folder]) {
    breach(FNR, folder "/ has no business with <" name ">")
  }
  next
}

folder == "broker-core" {
  code = $0
  sub(/\/\/.*/, "", code)
  gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
  if (code ~ impure_code) breach(FNR, "broker-core/ is pure: no clock, chance, thread or socket; pass it in")
}

END {
  finish()
  exit breaches > 0
}
