#!/usr/bin/env bash
# The main job on real parts: a camera wakes a sleeping phone. Told step by step; every step checks itself, and the exit
# status is 0 only when all of them held. Started by `./dev demo`; by hand it needs
#   WAKE_BUILD   the build folder: wakemq, apns_sim, fcm_sim
#   WAKE_PG_URL  a PostgreSQL database; what is there stays (names are new in every run)
#   WAKE_TLS_DIR ca.crt, server.crt, server.key for localhost
#   KEEP=1       leave everything running
# Logs, the configuration and what each part received are in .dev/demo.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
source "$here/say.sh"
source "$here/parts.sh"

for name in WAKE_BUILD WAKE_PG_URL WAKE_TLS_DIR; do
  [[ -n ${!name:-} ]] || { echo "demo: $name is not set; ./dev demo sets it" >&2; exit 2; }
done
build=$WAKE_BUILD ca=$WAKE_TLS_DIR/ca.crt out=$root/.dev/demo
mkdir -p "$out"
end_earlier
rm -rf "${out:?}"/*
trap 'status=$?; trap - EXIT; [[ $status == 0 && ${KEEP:-0} == 1 ]] || end_all; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
user=anna-$run password=$(openssl rand -hex 12)
camera=CAM${run^^}
iphone=iphone-$run android=android-$run
apns_token=$(openssl rand -hex 32) fcm_token=fcm:$(openssl rand -hex 40)
door=/zavio/ipcam/motiondetector/$camera/location
living_room=/智能家居/摄像头/$camera/客厅
ack_timeout_s=3

# ------------------------------------------------------------------ REST, the camera, the screens

# rest STATUS METHOD PATH CURL_ARGUMENT…: shows the call and the answer, checks the status, sets `answer`.
rest() {
  local want=$1 method=$2 path=$3 status
  shift 3
  status=$(curl -sS -m 20 -o "$out/answer" -w '%{http_code}' -X "$method" -H 'Content-Type: application/json' "$@" "$url$path") ||
    fail "$method $path: $want" "no answer" "$out/gateway.log"
  answer=$(<"$out/answer")
  [[ $status == "$want" ]] || fail "$method $path: $want" "$status $answer" "$out/gateway.log"
  came "$status $(jq -c 'del(.access_token, .secret, .key)' <<<"$answer" 2>/dev/null || true)"
}
as_user() { rest "$1" "$2" "$3" -H "Authorization: Bearer $token" "${@:4}"; }
as_admin() { rest "$1" "$2" "$3" -H "Authorization: Bearer $admin" "${@:4}"; }

# camera_says QOS TOPIC PAYLOAD: Debian's mosquitto_pub over TLS; at QoS 1 it ends when the PUBACK is there.
camera_says() {
  shown "mosquitto_pub -p $mqtts_port --cafile ca.crt -i $camera -u $camera -P … -q $1 -t '$2' -m '$3'"
  timeout 30 mosquitto_pub -h localhost -p "$mqtts_port" --cafile "$ca" -i "$camera" -u "$camera" -P "$secret" -q "$1" -t "$2" -m "$3" \
    2>"$out/camera.log" || fail "the publish is taken" "$(<"$out/camera.log") (exit status $?)" "$out/gateway.log"
}

# read_by PHONE PAYLOAD: how often the app got it over MQTT.
read_by() { grep -cF "|$2" "$out/$1.read" || true; }
app_has() { [[ $(read_by "$1" "$2") -ge 1 ]]; }
expect_in_app() {
  await 20 app_has "$1" "$2" || fail "$1 gets \"$2\" over MQTT" "$(tail -n 3 "$out/$1.read")" "$out/gateway.log"
  same "$1 has it over MQTT, times" 1 "$(read_by "$1" "$2")" "$out/$1.read"
}

# message_id PAYLOAD: its id, from the inbox.
message_id() {
  curl -s -m 10 -H "Authorization: Bearer $token" "$url/v1/me/messages?limit=200" | jq -r --arg payload "$1" '.items[] | select(.payload == $payload).id'
}
# no_push_pending PAYLOAD: nothing of this message is still to leave. What had left would be with the simulators.
no_push_pending() {
  local id
  id=$(message_id "$1")
  [[ -n $id ]] || return 1
  curl -s -m 10 -H "Authorization: Bearer $admin" "$url/v1/messages/$id/trace" |
    jq -e '[.receivers[] | select(.receiver == "push" and .state == "pending")] == []' >/dev/null
}
screen() { # screen apns|fcm: the phone as its provider knows it
  if [[ $1 == apns ]]; then curl -s -m 10 "$apns_control/phones/$apns_token"; else curl -s -m 10 "$fcm_control/phones/$fcm_token"; fi
}
requests() { # requests apns|fcm: how many pushes for this phone arrived, repeats and refusals included
  local control=$apns_control phone=$apns_token
  [[ $1 == apns ]] || control=$fcm_control phone=$fcm_token
  curl -s -m 10 "$control/log" | jq -s --arg token "$phone" '[.[] | select(.token == $token)] | length'
}
expect_no_push() { # expect_no_push PAYLOAD
  await 20 no_push_pending "$1" || fail "no push is left to send for \"$1\"" "GET /v1/messages/…/trace still has one pending" "$out/gateway.log"
  same "pushes that reached Apple and Google" "$pushed $pushed" "$(requests apns) $(requests fcm)" "$out/apns_sim.log, $out/fcm_sim.log"
}
# expect_shown apns|fcm COUNT: that many notifications on the screen, each once.
expect_shown() {
  local state
  await 30 has_shown "$1" "$2" || fail "$1: $2 notifications on the screen" "$(on_screen "$1")" "$out/${1}_sim.log and $out/gateway.log"
  state=$(screen "$1")
  same "$1: notifications on the screen" "$2" "$(jq '.notifications | length' <<<"$state")" "$out/${1}_sim.log"
  same "$1: different messages among them" "$2" "$(jq -r '[.notifications[].wake_id] | unique | length' <<<"$state")" "$out/${1}_sim.log"
}
has_shown() { [[ $(on_screen "$1") -ge $2 ]]; }
# on_screen apns|fcm: how many notifications; a repeat under the same id replaces the one that is there.
on_screen() { screen "$1" | jq '.notifications | length'; }
print_pushes() { # print_pushes apns|fcm COUNT: the newest, as the simulator received them
  local control=$apns_control phone=$apns_token
  [[ $1 == apns ]] || control=$fcm_control phone=$fcm_token
  came "$(curl -s -m 10 "$control/log" | jq -s --arg token "$phone" --argjson count "$2" '[.[] | select(.token == $token)][-$count:][]
    | .headers.authorization |= (.[0:20] + "…") | {path: (.path | .[0:60]), headers, body, answer: "\(.status) \(.outcome)"}')"
}

source "$here/story.sh"
