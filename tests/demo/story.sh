# The story itself, in order. Sourced by demo.sh, whose words it uses.

step "Simulators of Apple's and Google's push services start (real TLS and HTTP/2, credentials really verified)"
start_simulator apns_sim
apns=$simulator apns_control=$(jq -r .control <<<"$simulator")
start_simulator fcm_sim
fcm=$simulator fcm_control=$(jq -r .control <<<"$simulator")

step "The gateway gets its configuration, its tables, and starts"
port_or_other 1883 && mqtt_port=$port
port_or_other 8883 && mqtts_port=$port
port_or_other 9001 && ws_port=$port
port_or_other 9002 && wss_port=$port
port_or_other 8080 && http_port=$port
url=http://127.0.0.1:$http_port
(umask 077 && : >"$out/wakemq.toml")
cat >"$out/wakemq.toml" <<TOML
[[listener]]
protocol = "mqtt"
address = "127.0.0.1:$mqtt_port"

[[listener]]
protocol = "mqtts"
address = "127.0.0.1:$mqtts_port"
cert_file = "$WAKE_TLS_DIR/server.crt"
key_file = "$WAKE_TLS_DIR/server.key"

[[listener]]
protocol = "ws"
address = "127.0.0.1:$ws_port"

[[listener]]
protocol = "wss"
address = "127.0.0.1:$wss_port"
cert_file = "$WAKE_TLS_DIR/server.crt"
key_file = "$WAKE_TLS_DIR/server.key"

[[listener]]
protocol = "http"
address = "127.0.0.1:$http_port"

[database]
url = "$WAKE_PG_URL"

[delivery]
ack_timeout = "${ack_timeout_s}s" # the default is 10s; the demonstration does not want to wait that long

[[push.app]]
id = "com.example.cam"
platform = "apns"
topic = "com.example.cam"
key_file = "$(jq -r .key_file <<<"$apns")"
key_id = "$(jq -r .key_id <<<"$apns")"
team_id = "$(jq -r .team_id <<<"$apns")"
endpoint = "$(jq -r .endpoint <<<"$apns")"
ca_file = "$(jq -r .ca_file <<<"$apns")"

[[push.app]]
id = "com.example.cam"
platform = "fcm"
service_account_file = "$(jq -r .service_account_file <<<"$fcm")"
endpoint = "$(jq -r .endpoint <<<"$fcm")"
ca_file = "$(jq -r .ca_file <<<"$fcm")"
TOML
shown "wakemq migrate --config .dev/demo/wakemq.toml"
"$build/wakemq" migrate --config "$out/wakemq.toml" >"$out/migrate.log" 2>&1 || fail "the tables are made" "exit status $?" "$out/migrate.log"
came "$(<"$out/migrate.log")"
admin=$("$build/wakemq" api-key create --config "$out/wakemq.toml" --name "demo $run" --scope admin --json | jq -r .key)
shown "wakemq serve --config .dev/demo/wakemq.toml"
start_gateway
held "it is ready: MQTT on $mqtt_port, over TLS on $mqtts_port, over WebSocket on $ws_port and (TLS) $wss_port, REST on $http_port; ack_timeout is ${ack_timeout_s} s here"

step "Anna gets an account and registers two phones over REST: an iPhone (APNs) and an Android phone (FCM)"
shown "curl -X POST $url/v1/users -d '{\"username\":\"$user\",\"password\":…}'"
as_admin 201 POST /v1/users -d "{\"username\":\"$user\",\"password\":\"$password\"}"
shown "curl -X POST $url/v1/auth/token -d …"
rest 200 POST /v1/auth/token -d "{\"username\":\"$user\",\"password\":\"$password\"}"
token=$(jq -r .access_token <<<"$answer")
for phone in "$iphone apns $apns_token" "$android fcm $fcm_token"; do
  read -r id platform device_token <<<"$phone"
  shown "curl -X PUT $url/v1/me/phones/$id -d '{\"platform\":\"$platform\",\"app_id\":\"com.example.cam\",\"token\":…}'"
  as_user 201 PUT "/v1/me/phones/$id" -d "{\"platform\":\"$platform\",\"app_id\":\"com.example.cam\",\"token\":\"$device_token\"}"
done

step "An operator provisions a camera"
shown "wakemq device add $camera --name 'Front door'"
secret=$("$build/wakemq" device add "$camera" --name 'Front door' --config "$out/wakemq.toml" --json | jq -r .secret)
[[ -n $secret ]] || fail "the camera's secret" "nothing" "$out/gateway.log"
held "the camera $camera has its secret (shown once)"

step "Both apps are open: the phones are connected over MQTT with TLS"
shown "mosquitto_sub -c -q 1 -p $mqtts_port --cafile ca.crt -i $iphone -u $user -P … -t '\$wake/events'"
open_app "$iphone"
open_app "$android"
held "the server knows the topics; the app subscribes to \$wake/events only, to hear what changes"

step "The camera is paired by a code that Anna's app shows"
shown "curl -X POST $url/v1/me/pairings"
as_user 201 POST /v1/me/pairings
code=$(jq -r .code <<<"$answer")
shown "curl -u $camera:… -X POST $url/v1/pairings/$code/claim -d '{\"name\":…,\"topics\":[…]}'     (as the camera)"
rest 200 POST "/v1/pairings/$code/claim" -u "$camera:$secret" -d "{\"name\":\"Front door\",\"topics\":[
  {\"filter\":\"$door\",\"title\":\"Front door\"}, {\"filter\":\"$living_room\",\"title\":\"客厅摄像头\"}]}"
for phone in "$iphone" "$android"; do
  await 20 grep -qF '"paired"' "$out/$phone.read" || fail "$phone hears of the pairing on \$wake/events" "$(<"$out/$phone.read")" "$out/gateway.log"
done
held "both apps heard of it: $(grep -F '"paired"' "$out/$iphone.read" | cut -d'|' -f3-)"
pushed=$(requests apns)
same "pushes for it, since the apps are open" "0 0" "$pushed $(requests fcm)" "$out/apns_sim.log, $out/fcm_sim.log"

step "The app is open and the camera sees something: the message comes over MQTT, and no push leaves"
camera_says 0 "$door" 'motion at the door, QoS 0'
camera_says 1 "$living_room" '客厅有人移动，QoS 1'
for message in 'motion at the door, QoS 0' '客厅有人移动，QoS 1'; do
  for phone in "$iphone" "$android"; do expect_in_app "$phone" "$message"; done
  expect_no_push "$message"
done

step "The apps are closed, the phones asleep. The camera sees something: one push per message and phone"
close_app "$iphone"
close_app "$android"
camera_says 0 "$door" 'somebody rings, QoS 0'
camera_says 1 "$living_room" '猫在沙发上，QoS 1'
for provider in apns fcm; do
  expect_shown "$provider" 2
  same "$provider: requests for it" 2 "$(requests "$provider")" "$out/${provider}_sim.log"
  print_pushes "$provider" 2
done

step "The iPhone's app returns: what it missed is there"
open_app "$iphone"
for message in 'somebody rings, QoS 0' '猫在沙发上，QoS 1'; do expect_in_app "$iphone" "$message"; done

step "The app hangs: its socket is open, but it acknowledges nothing. After ack_timeout (${ack_timeout_s} s) the push leaves"
shown "kill -STOP \$(pgrep …)     (the iPhone's mosquitto_sub)"
kill -STOP "${app[$iphone]}"
published_ms=$(date +%s%3N)
camera_says 1 "$door" 'the hanging app must be woken'
expect_shown apns 3
pushed_ms=$(date -d "$(curl -s "$apns_control/log" | jq -rs --arg token "$apns_token" '[.[] | select(.token == $token)][-1].at')" +%s%3N)
waited_ms=$((pushed_ms - published_ms))
((waited_ms >= ack_timeout_s * 1000 - 100)) || fail "the push leaves ${ack_timeout_s} s after the publish" "after $waited_ms ms" "$out/gateway.log"
held "the iPhone was woken $waited_ms ms after the publish; the Android phone, which was asleep, at once"
expect_shown fcm 3
shown "kill -CONT …     (the app goes on, and acknowledges late)"
kill -CONT "${app[$iphone]}"
expect_in_app "$iphone" 'the hanging app must be woken'
same "apns: requests after the late acknowledgement" 3 "$(requests apns)" "$out/apns_sim.log"
close_app "$iphone"

step "Thirty messages, then kill -9 for the gateway as soon as the last PUBACK is there, then a restart"
held "from now on every second push is shown at once but answered after 0.4 s only, the others are shown and answered then, one after another:"
held "so the kill meets pushes whose outcome the gateway cannot know"
for control in "$apns_control" "$fcm_control"; do
  curl -sS -m 10 -o "$out/answer" "$control/script" -d '{"token":"*","answers":[{"show":"first","delay_ms":400},{"delay_ms":400}],"repeat":15}'
done
shown "mosquitto_pub -q 1 -l -t '$door' … ; kill -9 $gateway"
for number in {1..30}; do echo "burst $number/30"; done |
  timeout 60 mosquitto_pub -h localhost -p "$mqtts_port" --cafile "$ca" -i "$camera" -u "$camera" -P "$secret" -q 1 -l -t "$door" \
    2>"$out/camera.log" || fail "30 PUBACKs" "$(<"$out/camera.log")" "$out/gateway.log"
end "$gateway" KILL
at_kill="$(on_screen apns) and $(on_screen fcm)"
held "killed; so far the screens had shown $at_kill notifications of 33"
start_gateway
for provider in apns fcm; do
  expect_shown "$provider" 33
  held "$provider: pushes repeated under the same id, since their outcome was unknown; the screen replaced them: $(screen "$provider" | jq .replaced)"
done

step "Both apps return: the backlog is drained over MQTT, nothing lost, nothing twice"
open_app "$iphone"
open_app "$android"
for number in {1..30}; do
  for phone in "$iphone" "$android"; do
    await 20 app_has "$phone" "burst $number/30" || fail "$phone gets burst $number/30" "$(tail -n 1 "$out/$phone.read")" "$out/gateway.log"
  done
done
for phone in "$iphone" "$android"; do
  same "$phone: messages read since the beginning (35, each once)" "35 35" \
    "$(grep -cv '^[0-9]|\$wake/' "$out/$phone.read") $(grep -v '^[0-9]|\$wake/' "$out/$phone.read" | sort -u | wc -l)" "$out/$phone.read"
done

step "The inbox, read over REST and acknowledged"
shown "curl $url/v1/me/messages?limit=200"
inbox=$(curl -sS -m 10 -H "Authorization: Bearer $token" "$url/v1/me/messages?limit=200")
came "$(jq -c '.items[0:4][] | {id, topic, payload, at}' <<<"$inbox")"
same "messages in it" 35 "$(jq '.items | length' <<<"$inbox")" "$out/gateway.log"
shown "curl -X POST $url/v1/me/messages/ack -d '{\"up_to\":…}'"
as_user 200 POST /v1/me/messages/ack -d "{\"up_to\":\"$(jq -r '.items[-1].id' <<<"$inbox")\"}"
same "messages left" 0 "$(curl -sS -m 10 -H "Authorization: Bearer $token" "$url/v1/me/messages" | jq '.items | length')" "$out/gateway.log"
same "apns and fcm: notifications shown in the end" "33 33" "$(on_screen apns) $(on_screen fcm)" "$out/apns_sim.log"

if [[ ${KEEP:-0} == 1 ]]; then
  step "Left running, with both apps open"
  came "REST           $url      Authorization: Bearer $admin   (scope admin)
the camera     mosquitto_pub -h localhost -p $mqtts_port --cafile $ca -i $camera -u $camera -P $secret -q 1 -t '$door' -m hello
Anna           user $user, password $password, access token $token
the screens    curl $apns_control/phones/$apns_token ; curl $fcm_control/phones/$fcm_token
logs           $out
end it         kill ${pids[*]}"
fi
printf '\n%sThe story held: %d steps.%s\n' "$bold" "$step_number" "$plain"
