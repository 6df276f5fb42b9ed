"""Pairing by MQTT: a camera that speaks no REST publishes its code to $wake/pair; both sides are told on $wake/events, a
sleeping phone by push; a code that is wrong, used, or brings foreign topics pairs nothing."""

import json
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story
from support.simulators import Apns, Fcm
from support.wire import Wire

_NOT_AUTHORIZED = 0x87


class PairingOverMqtt(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.apns, cls.fcm = Apns(cls.folder), Fcm(cls.folder)
        cls.addClassCleanup(cls.apns.stop)
        cls.addClassCleanup(cls.fcm.stop)
        cls.OPTIONS = {"apps": [cls.apns.app(), cls.fcm.app()]}

    def set_up(self, name):
        """A user with a phone that is open and one that sleeps, and a camera that listens for answers."""
        self.story = Story(self.gateway, name)
        self.asleep_token = f"{name.encode().hex():0<64}"
        self.story.add_phone(f"{name}-open", "fcm", f"fcm:{name}")
        self.story.add_phone(f"{name}-asleep", "apns", self.asleep_token)
        self.app = self.connect(f"{name}-open", name, PASSWORD)
        self.camera_id, self.topic = f"CAM-{name}", f"/home/CAM-{name}/door"
        secret = self.story.add_camera(self.camera_id)
        self.camera = self.connect(self.camera_id, self.camera_id, secret)

    def connect(self, client_id, username, password, version=4):
        wire = Wire(self.gateway.mqtt_port, version=version)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, username, password).code, 0)
        wire.subscribe("$wake/events")
        return wire

    def new_code(self):
        return self.story.user.expect(201, "POST", "/v1/me/pairings")["code"]

    def claim(self, code, **changes):
        self.camera.publish("$wake/pair", json.dumps(
            {"code": code, "name": "Front door", "topics": [{"filter": self.topic, "title": "Front door"}], **changes}))

    def event(self, wire):
        message = wire.read_message()
        self.assertEqual(message.topic, "$wake/events")
        return json.loads(message.payload)

    def expect_refused(self, word):
        event = self.event(self.camera)
        self.assertEqual(event["type"], "pairing_failed", event)
        self.assertIn(word, event["detail"])
        self.assertIn("fix", event)

    def expect_nothing_paired(self):
        self.assertEqual(self.story.user.get("/v1/me/devices")["items"], [])
        self.assertEqual(self.story.entries(), [])
        self.app.ping()  # whatever was sent to the app before is here by now
        self.assertEqual(self.app.early, [], "the app hears nothing of a failed pairing")
        self.assertEqual(self.apns.log(self.asleep_token), [])

    def test_a_code_pairs_and_everybody_is_told(self):
        self.set_up("told")
        code = self.new_code()
        self.claim(f" {code[:3]}-{code[3:]} ".lower())  # as people type it
        expected = {"type": "paired", "device_id": self.camera_id, "name": "Front door"}
        self.assertEqual(self.event(self.camera), expected)
        self.assertEqual(self.event(self.app), expected)
        self.apns.phone(self.asleep_token, shown=1)
        push = self.apns.log(self.asleep_token)[0]["body"]
        self.assertEqual(json.loads(push["wake"]["payload"]), expected)
        self.assertIn("Front door", push["aps"]["alert"]["body"])
        self.assertEqual([(e["filter"], e["device_id"]) for e in self.story.entries()], [(self.topic, self.camera_id)])
        self.assertEqual(self.story.user.get(f"/v1/me/pairings/{code}")["state"], "claimed")
        self.camera.publish(self.topic, "ding")
        message = self.app.read_message()
        self.assertEqual((message.topic, message.payload), (self.topic, b"ding"), "the entry is at work at once")

    def test_a_code_that_was_never_given_out_pairs_nothing(self):
        self.set_up("wrong")
        self.claim("ZZZZZZZZ")
        self.expect_refused("pairing code")
        self.expect_nothing_paired()

    def test_a_code_works_once(self):
        self.set_up("once")
        code = self.new_code()
        self.claim(code)
        self.assertEqual(self.event(self.camera)["type"], "paired")
        other = self.connect("CAM-late", "CAM-late", self.story.add_camera("CAM-late"))
        other.publish("$wake/pair", json.dumps({"code": code}))
        self.assertEqual(self.event(other)["type"], "pairing_failed")
        self.assertEqual([d["id"] for d in self.story.user.get("/v1/me/devices")["items"]], [self.camera_id])

    def test_a_camera_brings_only_topics_of_its_own(self):
        self.set_up("foreign")
        code = self.new_code()
        self.claim(code, topics=[{"filter": "/home/CAM-of-somebody-else/door", "title": "x"}])
        self.expect_refused("no level " + self.camera_id)
        self.expect_nothing_paired()
        self.claim(code)
        self.assertEqual(self.event(self.camera)["type"], "paired", "the code was not used up by the refusal")

    def test_what_is_no_claim_is_refused_by_name(self):
        self.set_up("malformed")
        for payload, word in (("no JSON", "JSON"), ('{"name":"x"}', "code"), ('{"code":7}', "code"),
                              ('{"code":"AAAA","colour":"red"}', "colour")):
            self.camera.publish("$wake/pair", payload)
            self.expect_refused(word)
        self.expect_nothing_paired()

    def test_only_a_device_may_claim(self):
        self.set_up("people")
        code = self.new_code()
        user = self.connect("people-tablet", "people", PASSWORD, version=5)
        service = self.connect("people-service", "api-key", self.story.api_key, version=5)
        for wire in (user, service):
            answer = wire.publish("$wake/pair", json.dumps({"code": code}))
            self.assertEqual(answer[2], _NOT_AUTHORIZED)
        self.expect_nothing_paired()

    def test_guessing_ends_after_ten_wrong_codes(self):
        self.set_up("guess")
        for number in range(10):
            self.claim(f"GUESS{number:03}")
            self.expect_refused("pairing code")
        code = self.new_code()
        self.claim(code)
        self.expect_refused("too many")
        self.expect_nothing_paired()


if __name__ == "__main__":
    unittest.main()
