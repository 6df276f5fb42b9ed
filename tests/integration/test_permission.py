"""Every way around permission (contract section 6), sentence by sentence: who is authorised gets through, who is not gets nothing,
neither an answer that tells nor a message. Alice has the camera CAM-A; Mallory has an account, a phone and a camera of her own."""

import json
import re
import signal
import struct
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story
from support.postgres import shared_cluster
from support.simulators import Apns, Fcm
from support.waiting import wait_until
from support.wire import CONNACK, DISCONNECT, PUBACK, PUBLISH, Wire, connect_packet, packet, text, varint

_DENIED_3, _DENIED_5 = 0x80, 0x87


class Permission(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.apns, cls.fcm = Apns(cls.folder), Fcm(cls.folder)
        cls.addClassCleanup(cls.apns.stop)
        cls.addClassCleanup(cls.fcm.stop)
        cls.OPTIONS = {"apps": [cls.apns.app(), cls.fcm.app()]}

    def set_up(self, name):
        self.name = name
        self.alice, self.mallory = Story(self.gateway, f"{name}-alice"), Story(self.gateway, f"{name}-mallory")
        self.camera_id = f"CAM-{name}"
        self.topic = f"home/{self.camera_id}/door"
        secret = self.alice.add_camera(self.camera_id)
        self.alice.pair(self.camera_id, self.topic)
        self.camera = self.connect(self.camera_id, self.camera_id, secret)
        self.service = self.connect(f"{name}-service", "api-key", self.alice.api_key)

    def connect(self, client_id, username, password, version=4, **options):
        wire = Wire(self.gateway.mqtt_port, version=version)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, username, password, **options).code, 0)
        return wire

    def as_mallory(self, client_id="x", **options):
        return self.connect(f"{self.name}-m-{client_id}", self.mallory.name, PASSWORD, **options)

    def as_alice(self, client_id="x", **options):
        return self.connect(f"{self.name}-a-{client_id}", self.alice.name, PASSWORD, **options)

    def expect_silence(self, *wires):
        for wire in wires:
            wire.ping()
            self.assertEqual(wire.early, [])

    def sql(self, statement):
        return shared_cluster().sql(statement, self.gateway.database)

    # ---- reading

    def test_a_filter_is_granted_only_where_the_id_is_a_level_of_it(self):
        self.set_up("filters")
        alice, mallory = self.as_alice(), self.as_mallory()
        wider = ["#", "+/+/+", "home/#", "home/+/door", f"home/{self.camera_id}x/door", f"home/x{self.camera_id}/door",
                 f"home/{self.camera_id.lower()}/door", "$SYS/#", "$wake/#", "$wake/presence"]
        own = [self.topic, f"+/{self.camera_id}/#", f"+/+/+/{self.camera_id}", self.camera_id]
        for topic_filter in wider:
            self.assertEqual(alice.subscribe(topic_filter), _DENIED_3, topic_filter)
            self.assertEqual(alice.subscribe(f"$share/g/{topic_filter}"), _DENIED_3, topic_filter)
        for topic_filter in own:
            self.assertEqual(mallory.subscribe(topic_filter), _DENIED_3, topic_filter)
            self.assertEqual(mallory.subscribe(f"$share/g/{topic_filter}"), _DENIED_3, topic_filter)
            self.assertEqual(alice.subscribe(topic_filter), 1, topic_filter)
        self.assertEqual(self.as_mallory("five", version=5).subscribe(self.topic), _DENIED_5)
        self.camera.publish(self.topic, "secret")
        self.expect_silence(mallory)
        self.assertEqual(alice.read_message().payload, b"secret")

    def test_retained_messages_are_for_those_who_may_read_them(self):
        self.set_up("retained")
        self.camera.publish(self.topic, "kept", retain=True)
        alice, mallory = self.as_alice(), self.as_mallory()
        self.assertEqual(mallory.subscribe(self.topic), _DENIED_3)
        self.expect_silence(mallory)
        self.assertEqual(alice.subscribe(self.topic), 1)
        self.assertEqual(alice.read_message().payload, b"kept")
        self.alice.user.expect(204, "DELETE", f"/v1/me/devices/{self.camera_id}")
        self.assertEqual(alice.subscribe(self.topic), _DENIED_3)
        self.expect_silence(alice)

    def test_a_session_is_its_principals_alone(self):
        self.set_up("takeover")
        self.alice.add_phone("takeover-phone", "fcm", "fcm:takeover")
        phone = self.connect("takeover-phone", self.alice.name, PASSWORD, clean=False)
        for username, password in ((self.mallory.name, PASSWORD), ("api-key", self.mallory.api_key)):
            for clean in (True, False):
                thief = Wire(self.gateway.mqtt_port)
                self.addCleanup(thief.close)
                self.assertNotEqual(thief.connect("takeover-phone", username, password, clean=clean).code, 0)
        self.camera.publish(self.topic, "still hers")
        self.assertEqual(phone.read_message().payload, b"still hers")
        answer = self.mallory.user.call("PUT", "/v1/me/phones/mine", {"platform": "fcm", "app_id": "com.example.cam", "token": "t",
                                                                     "client_id": "takeover-phone"})
        self.assertEqual(answer.status, 409)
        phone.ping()

    def test_ids_with_wildcards_slashes_or_control_characters_are_refused(self):
        self.set_up("ids")
        bad = ["+", "#", "a/b", "a+", "\u0001", "a\u007fb", "\u0085", "x" * 129]
        for client_id in bad:
            wire = Wire(self.gateway.mqtt_port)
            self.addCleanup(wire.close)
            wire.send(connect_packet(client_id, self.mallory.name, PASSWORD))
            answers = wire.expect_end()
            self.assertTrue(all(a.type == CONNACK and a.body[1] != 0 for a in answers), (client_id, answers))
        for username in bad:
            wire = Wire(self.gateway.mqtt_port)
            self.addCleanup(wire.close)
            wire.send(connect_packet("ids-free", username, PASSWORD))
            answers = wire.expect_end()
            self.assertTrue(all(a.type == CONNACK and a.body[1] != 0 for a in answers), (username, answers))
            self.assertEqual(self.alice.admin.call("POST", "/v1/users", {"username": username, "password": PASSWORD}).status, 422, username)
            self.assertEqual(self.alice.admin.call("POST", "/v1/devices", {"id": username}).status, 422, username)
        self.assertEqual(self.mallory.user.call("PUT", "/v1/me/phones/p", {"platform": "fcm", "app_id": "a", "token": "t", "client_id": "+"}).status, 422)

    # ---- writing

    def test_who_may_not_publish_publishes_nothing_by_any_way(self):
        self.set_up("publish")
        alice = self.as_alice()
        alice.subscribe(self.topic)
        mallory, five = self.as_mallory(), self.as_mallory("five", version=5)
        mallory.publish(self.topic, "forged")  # 3.x: acknowledged and dropped
        mallory.publish(self.topic, "forged", retain=True)
        self.assertEqual(five.publish(self.topic, "forged")[2], _DENIED_5)
        alias = b"\x23" + struct.pack(">H", 1)  # given to a topic by one who may not, and then used alone
        for topic in (self.topic, ""):
            five.send(packet(PUBLISH, text(topic) + struct.pack(">H", 5) + varint(len(alias)) + alias + b"forged", 2))
            answer = five.read_packet()
            is_refused = answer.type == DISCONNECT or (answer.type == PUBACK and answer.body[2] >= 0x80)
            self.assertTrue(is_refused, answer)
        for topic in ("$wake/events", "$SYS/broker/version", f"$share/g/{self.topic}"):
            five = self.as_mallory("more", version=5)
            self.assertGreaterEqual(five.publish(topic, "forged")[2], 0x80, topic)
        self.assertEqual(self.mallory.user.call("POST", "/v1/publish", {"topic": self.topic, "payload": "x"}).status, 403)
        narrow = json.loads(self.gateway.command("api-key", "create", "--name", "narrow", "--scope", "publish", "--filter", "other/#",
                                                 "--json"))["key"]
        refused = self.gateway.rest.as_(narrow).call("POST", "/v1/publish", {"topic": self.topic, "payload": "forged"})
        self.assertEqual(refused.status, 403)
        self.expect_silence(alice)
        self.assertEqual(self.sql(f"SELECT count(*) FROM retained WHERE topic = '{self.topic}'"), ["0"])
        self.assertEqual(self.alice.inbox(), [])
        self.camera.publish(self.topic, "true")
        self.assertEqual(alice.read_message().payload, b"true")

    def test_a_will_is_judged_when_it_is_made_and_when_it_is_due(self):
        self.set_up("will")
        reader = self.connect("will-reader", "api-key", self.alice.api_key)
        reader.subscribe(f"home/{self.camera_id}/#")
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        self.assertNotEqual(wire.connect("will-m", self.mallory.name, PASSWORD, will=(self.topic, "forged", 1, True)).code, 0)
        alice = self.as_alice(will=(self.topic, "gone", 1, False))
        alice.close()
        self.assertEqual(reader.read_message().payload, b"gone")
        alice = self.as_alice(will=(self.topic, "forged", 1, True))
        self.alice.user.expect(204, "DELETE", f"/v1/me/devices/{self.camera_id}")
        alice.close()
        self.alice.wait_connected("will-a-x", present=False)
        self.expect_silence(reader)
        self.assertEqual(self.sql(f"SELECT count(*) FROM retained WHERE topic = '{self.topic}'"), ["0"])

    # ---- taking away

    def test_unpairing_reaches_what_is_queued_in_flight_in_the_outbox_and_in_the_inbox(self):
        self.set_up("unpair")
        token = f"{'unpair'.encode().hex():0<64}"
        self.alice.add_phone("unpair-flight", "fcm", "fcm:unpair")
        self.alice.add_phone("unpair-away", "apns", token)
        self.apns.script(token, {"status": 503, "reason": "ServiceUnavailable"}, repeat=1000)
        flight = self.connect("unpair-flight", self.alice.name, PASSWORD, clean=False)
        for number in range(3):
            self.camera.publish(self.topic, f"secret {number}")
        in_flight = flight.read_message(acknowledge=False)
        self.assertEqual(in_flight.payload, b"secret 0")
        message = self.alice.inbox()[0]["id"]
        wait_until(lambda: self.apns.log(token), "a push is tried")
        self.alice.user.expect(204, "DELETE", f"/v1/me/devices/{self.camera_id}")
        self.assertEqual(self.alice.inbox(), [])
        self.assertEqual(self.alice.user.call("GET", f"/v1/me/messages/{message}").status, 404)
        wait_until(lambda: {s for s, _ in self.alice.notifications_of(message).values()} <= {"cancelled", "failed"},
                   lambda: f"no push is left: {self.alice.notifications_of(message)}")
        self.apns.reset()
        away = self.connect("unpair-away", self.alice.name, PASSWORD, clean=False)
        heard = away.read_message()
        self.assertEqual((heard.topic, json.loads(heard.payload)["type"]), ("$wake/events", "unpaired"))
        self.expect_silence(away)
        flight.close()
        again = self.connect("unpair-flight", self.alice.name, PASSWORD, clean=False)
        heard = again.read_message()
        self.assertEqual((heard.topic, json.loads(heard.payload)["type"]), ("$wake/events", "unpaired"))
        self.camera.publish(self.topic, "later")
        self.expect_silence(again)

    # ---- rules

    def rule(self, topic_filter, subject="user", name="", action="all"):
        self.sql(f"INSERT INTO acl_rules (subject, name, action, filter) VALUES ('{subject}', '{name}', '{action}', '{topic_filter}')")
        self.addCleanup(self.sql, "DELETE FROM acl_rules")

    def test_rules_with_the_names_of_user_and_client_give_that_and_no_more(self):
        self.set_up("rules")
        self.rule("rules/%u/#")
        self.rule("rules/%c/in", action="subscribe")
        self.rule("rules/%/x%%u/%d")
        alice = self.as_alice()
        wait_until(lambda: alice.subscribe(f"rules/{self.alice.name}/#") == 1, "the rule is known")
        for topic_filter, code in ((f"rules/{self.mallory.name}/#", _DENIED_3), ("rules/rules-a-x/in", 1), ("rules/other/in", _DENIED_3),
                                   ("rules/#", _DENIED_3), ("rules/+/in", _DENIED_3), ("rules/%u/#", _DENIED_3), ("rules/%c/in", _DENIED_3),
                                   (f"rules/%/x%{self.alice.name}/%d", 1)):
            self.assertEqual(alice.subscribe(topic_filter), code, topic_filter)
        five = self.as_alice("five", version=5)
        self.assertLess(five.publish(f"rules/{self.alice.name}/a", "x")[2:3] or b"\0", b"\x80")
        self.assertEqual(five.publish("rules/rules-a-five/in", "x")[2], _DENIED_5)

    def test_what_stands_on_a_rule_falls_with_it(self):
        self.set_up("falls")
        token = f"{'falls'.encode().hex():0<64}"
        self.alice.add_phone("falls-phone", "apns", token)
        self.alice.add_phone("falls-open", "fcm", "fcm:falls")
        app = self.connect("falls-open", self.alice.name, PASSWORD, clean=False)
        self.rule("news/#", name=self.alice.name)
        wait_until(lambda: self.alice.user.call("POST", "/v1/me/topics", {"filter": "news/#"}).status in (201, 409), "the entry is made")
        while app.read_message().topic != "$wake/events":
            pass
        self.service.publish("news/1", "first")
        self.assertEqual(app.read_message().payload, b"first")
        self.apns.phone(token, shown=1)
        self.sql("DELETE FROM acl_rules")
        wait_until(lambda: app.subscribe("news/2") == _DENIED_3, "the rule is gone")

        def rings():
            self.service.publish("news/2", "second")
            app.ping()
            heard, app.early = bool(app.early), []
            return heard
        wait_until(lambda: not rings(), "the entry that stood on it is without effect")
        shown = self.apns.phone(token)["notifications"]
        self.service.publish("news/3", "third")
        app.ping()
        self.assertEqual(app.early, [])
        self.assertEqual(self.alice.inbox(), [], "nor is shown what came by it")
        self.assertEqual(len(self.apns.phone(token)["notifications"]), len(shown))

    # ---- other people's things over REST

    def test_others_phones_topics_messages_and_devices_do_not_exist(self):
        self.set_up("rest")
        self.alice.add_phone("rest-phone", "fcm", "fcm:rest")
        self.camera.publish(self.topic, "mine")
        wait_until(self.alice.inbox, "the message is in the inbox")
        message, entry = self.alice.inbox()[0]["id"], self.alice.entries()[0]["id"]
        code = self.alice.user.expect(201, "POST", "/v1/me/pairings")["code"]
        invited = self.alice.user.expect(201, "POST", f"/v1/me/devices/{self.camera_id}/invitations")["code"]
        bodies = {"PUT /v1/me/phones/{phone_id}/presence": {"state": "background"}, "PATCH /v1/me/topics/{id}": {"title": "x"},
                  "PATCH /v1/me/devices/{id}": {"name": "x"}, "PATCH /v1/me/devices/{id}/members/{username}": {"role": "owner"}}
        nobodys = {"phone_id": ("rest-phone", "nobodyphone"), "code": (code, "Z" * len(code)), "username": (self.alice.name, "nobody"),
                   "messages": (message, str(int(message) + 1)), "topics": (entry, "999999"), "devices": (self.camera_id, "CAM-nobodys")}
        calls = [(method.upper(), path) for path, methods in self.gateway.rest.get("/openapi.json")["paths"].items()
                 if path.startswith("/v1/me/") and "{" in path for method in methods if method != "parameters"]
        calls.remove(("PUT", "/v1/me/phones/{phone_id}"))  # it makes the caller's own, of any name
        self.assertGreaterEqual(len(calls), 19)
        for method, path in calls:
            def refusal(which):
                named = path.replace("{id}", "{" + path.split("/")[3] + "}")
                if "{code}" in path and "invitations" in path:
                    named = named.replace("{code}", (invited, "Z" * len(invited))[which])
                for name, words in nobodys.items():
                    named = named.replace("{" + name + "}", words[which])
                answer = self.mallory.user.call(method, named, bodies.get(f"{method} {path}"))
                raw = answer.raw.decode().replace(answer.headers["X-Request-Id"], "REQUEST")
                for words in (*nobodys.values(), (invited, "Z" * len(invited))):
                    raw = re.sub(rf"\b{re.escape(words[which])}\b", "ID", raw)
                own = ("Date", "X-Request-Id", "Content-Length")
                return answer.status, raw, [(name, value) for name, value in answer.headers.items() if name not in own]
            found, missing = refusal(0), refusal(1)
            self.assertEqual(found[0], 404, (method, path, found))
            self.assertEqual(found, missing, (method, path))
        self.assertEqual(self.mallory.user.expect(200, "POST", "/v1/me/messages/ack", {"ids": [message]}), {"acknowledged": 0})
        for method, path in (("GET", "/v1/devices"), ("GET", "/v1/api-keys"), ("GET", "/v1/clients"), ("GET", f"/v1/messages/{message}/trace"),
                             ("DELETE", f"/v1/clients/{self.camera_id}"), ("GET", f"/v1/users/{self.alice.name}/topics")):
            self.assertEqual(self.mallory.user.call(method, path).status, 403, path)
        self.assertEqual(len(self.alice.inbox()), 1)

    # ---- reload

    def test_a_broken_file_on_reload_opens_nothing(self):
        self.set_up("reload")
        with open(self.gateway.config, encoding="utf-8") as file:
            good = file.read()
        self.addCleanup(self.gateway.write_config)
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(good + "\n[auth]\nallow_anonymous = true\nno_such_key = 1\n")
        self.gateway.program.mark()
        self.gateway.program.signal(signal.SIGHUP)
        self.gateway.program.wait_for_log("reload.refused")
        stranger = Wire(self.gateway.mqtt_port)
        self.addCleanup(stranger.close)
        self.assertNotEqual(stranger.connect("reload-stranger").code, 0)
        self.assertEqual(self.as_mallory().subscribe(self.topic), _DENIED_3)
        self.assertEqual(self.as_alice().subscribe(self.topic), 1)


if __name__ == "__main__":
    unittest.main()
