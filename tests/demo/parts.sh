# The processes of the demonstration: ports, the simulators, the gateway, the phones' apps, and their end. Sourced by
# demo.sh, and by `./dev stop` for end_earlier. What is started is written to $out/pids, and only that is ended.

pids=() # everything started and not yet ended by us

# await SECONDS COMMAND…: until the command succeeds; false when it never did.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

remember() {
  pids+=("$1")
  printf '%s\n' "${pids[@]}" >"$out/pids"
}
# end PID [SIGNAL]: sends it, and waits until it is gone.
end() {
  kill "-${2:-TERM}" "$1" 2>/dev/null || true
  kill -CONT "$1" 2>/dev/null || true # a stopped process hears nothing else
  wait "$1" 2>/dev/null || true
  local -a left=()
  local pid
  for pid in "${pids[@]}"; do [[ $pid == "$1" ]] || left+=("$pid"); done
  pids=("${left[@]}")
}
end_all() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
  rm -f "$out/pids"
}

# end_earlier: what `./dev demo --keep` left running. A number counts only when it is still one of our programs.
end_earlier() {
  [[ -f $out/pids ]] || return 0
  local pid program
  while read -r pid; do
    program=$(readlink "/proc/$pid/exe" 2>/dev/null) || continue
    case ${program% (deleted)} in
      "$build"/* | */mosquitto_sub)
        kill "$pid" 2>/dev/null || continue
        await 15 is_over "$pid" || echo "   (process $pid of an earlier demonstration does not end)"
        echo "   (ended process $pid of an earlier demonstration)"
        ;;
    esac
  done <"$out/pids"
  rm -f "$out/pids"
}

is_over() { ! kill -0 "$1" 2>/dev/null; }

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# port_or_other WISH: sets `port` to the wish, or when that is taken to a free one, and says so.
port_or_other() {
  port=$1
  while is_open "$port"; do port=$((20000 + RANDOM % 12000)); done
  [[ $port == "$1" ]] || echo "   (port $1 is taken by another program: $port is used instead)"
}

# start_simulator NAME ARGUMENT…: sets `simulator` to the line of JSON in which it says where it is.
start_simulator() {
  local name=$1
  shift
  [[ -x $build/$name ]] || fail "the program $build/$name" "there is none" "./dev build"
  "$build/$name" --dir "$out/sim" "$@" >"$out/$name.json" 2>"$out/$name.log" &
  remember $!
  await 20 test -s "$out/$name.json" || fail "$name says where it listens" "nothing within 20 s" "$out/$name.log"
  simulator=$(head -n 1 "$out/$name.json")
  same "$name is up" "${name/_/-}" "$(jq -r .program <<<"$simulator")" "$out/$name.log"
}

start_gateway() {
  "$build/wakemq" serve --config "$out/wakemq.toml" >>"$out/gateway.log" 2>&1 &
  gateway=$!
  remember "$gateway"
  await 30 is_ready || fail "GET /readyz: 200" "$(curl -sS -m 5 "$url/readyz" 2>&1 || true)" "$out/gateway.log"
}
is_ready() { [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "$url/readyz") == 200 ]]; }

declare -A app=() # phone -> process of its open app
# open_app PHONE: as the app does; what it reads is appended to $out/PHONE.read, one line "QoS|topic|payload" a message.
open_app() {
  local -a command=(mosquitto_sub -c -q 1 -h localhost -p "$mqtts_port" --cafile "$ca" -i "$1" -u "$user" -P "$password"
    -t '$wake/events' -F '%q|%t|%p')
  touch "$out/$1.read"
  stdbuf -oL "${command[@]}" >>"$out/$1.read" 2>>"$out/$1.log" &
  app[$1]=$!
  remember "${app[$1]}"
  await 20 is_connected "$1" || fail "$1 is connected" "GET /v1/clients does not list it; $(tail -n 1 "$out/$1.log")" "$out/gateway.log"
}
close_app() {
  end "${app[$1]}"
  await 20 is_gone "$1" || fail "$1 is offline" "GET /v1/clients still lists it" "$out/gateway.log"
}
clients() { curl -s -m 5 -H "Authorization: Bearer $admin" "$url/v1/clients?limit=1000" | jq -r '.items[].client_id'; }
is_connected() { clients | grep -qxF "$1"; }
is_gone() { ! is_connected "$1"; }
