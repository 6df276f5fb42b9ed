"""The topic cache on the server: who makes entries, what a list of them shows, and that a change reaches phones that are connected
at once, whoever made it."""

import json
import os
import struct
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.gateway import Gateway
from support.postgres import shared_cluster
from support.wire import PUBLISH, Wire, packet, text

_UNSUBSCRIBE, _UNSUBACK = 10, 11


def unsubscribe(case, phone, topic_filter):
    phone.send(packet(_UNSUBSCRIBE, struct.pack(">H", 9) + text(topic_filter), 2))
    while (answer := phone.read_packet()).type == PUBLISH:  # that the topics changed, it hears as well
        phone.early.append(answer)
    case.assertEqual((answer.type, answer.body), (_UNSUBACK, b"\0\x09"))


class TopicCache(SharedGatewayCase):
    def set_up(self, name):
        self.story = Story(self.gateway, name)
        self.camera_id = f"CAM-{name}"
        secret = self.story.add_camera(self.camera_id)
        self.topic = f"t/{self.camera_id}/door"
        self.story.pair(self.camera_id, self.topic)
        self.phones = [self.open_phone(f"{name}-{number}") for number in range(2)]
        self.camera = self.connect(self.camera_id, self.camera_id, secret)

    def open_phone(self, phone_id):
        self.story.add_phone(phone_id, "fcm", f"fcm:{phone_id}")
        return self.connect(phone_id, self.story.name, PASSWORD)

    def connect(self, client_id, username, password):
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, username, password, clean=False).code, 0)
        return wire

    def entry(self):
        return next(e for e in self.story.entries() if e["filter"] == self.topic)

    def path(self):
        return f"/v1/me/topics/{self.entry()['id']}"

    def expect_changed(self, *phones):
        for phone in phones or self.phones:
            message = phone.read_message()
            self.assertEqual((message.topic, json.loads(message.payload)), ("$wake/events", {"type": "topics_changed"}))

    def expect_reads(self, payload, count, topic=None):
        self.camera.publish(topic or self.topic, payload)
        for phone in self.phones:
            for _ in range(count):
                self.assertEqual(phone.read_message().payload, payload.encode())
            phone.ping()
            self.assertEqual(phone.early, [])

    def test_a_change_over_rest_reaches_open_phones_at_once(self):
        self.set_up("rest")
        self.expect_reads("one", 1)
        self.story.user.expect(200, "PATCH", self.path(), {"subscribed": False})
        self.expect_changed()
        self.expect_reads("two", 0)
        self.story.user.expect(200, "PATCH", self.path(), {"subscribed": True})
        self.expect_changed()
        self.expect_reads("three", 1)
        self.story.user.expect(204, "DELETE", self.path())
        self.expect_changed()
        self.expect_reads("four", 0)

    def test_a_change_that_the_gateway_only_hears_of_does_too(self):
        self.set_up("sql")
        shared_cluster().sql(f"UPDATE topic_entries SET subscribed = false WHERE filter = '{self.topic}'", self.gateway.database)
        self.expect_changed()
        self.expect_reads("secret", 0)

    def test_reading_messages_is_no_change_of_topics(self):
        self.set_up("acks")
        self.expect_reads("one", 1)
        entry = self.entry()
        self.assertEqual((entry["unread"], entry["title"], entry["device_id"]), (1, "Front door", self.camera_id))
        message = self.story.inbox()[0]
        self.assertEqual(entry["last_message"]["id"], message["id"])
        self.story.user.expect(200, "POST", "/v1/me/messages/ack", {"up_to": message["id"]})
        self.assertEqual((self.entry()["unread"], self.entry()["last_message"]), (0, entry["last_message"]))
        self.expect_reads("two", 1)
        self.assertGreater(int(self.entry()["last_message"]["id"]), int(message["id"]))

    def test_an_entry_of_the_back_end_rings_without_a_pairing(self):
        self.set_up("back")
        path = f"/v1/users/{self.story.name}/topics"
        entry = self.story.admin.expect(201, "POST", path, {"filter": "news/#", "title": "News"})
        self.expect_changed()
        self.assertEqual(self.phones[0].subscribe("news/#"), 0x80, "it gives no more than the entry")
        self.story.admin.expect(200, "POST", "/v1/publish", {"topic": "news/today", "payload": "hello"})
        for phone in self.phones:
            self.assertEqual(phone.read_message().payload, b"hello")
        self.assertEqual([m["payload"] for m in self.story.inbox()], ["hello"])
        self.story.admin.expect(204, "DELETE", f"{path}/{entry['id']}")
        self.expect_changed()
        self.story.admin.expect(200, "POST", "/v1/publish", {"topic": "news/today", "payload": "unheard"})
        for phone in self.phones:
            phone.ping()
            self.assertEqual(phone.early, [])
        self.assertEqual(self.story.inbox(), [], "nor is what came by it shown")

    def test_a_phones_own_unsubscribe_and_subscribe_switch_the_entry(self):
        self.set_up("switch")
        one, other = self.phones
        unsubscribe(self, one, self.topic)
        self.assertFalse(self.entry()["subscribed"], "stored before the UNSUBACK")
        self.expect_changed(one, other)
        self.expect_reads("two", 0)
        self.gateway.kill()
        self.gateway.start()
        name = self.story.name
        one, other = self.phones = [self.connect(f"{name}-{number}", name, PASSWORD) for number in range(2)]
        for phone in self.phones:  # an event whose acknowledgement died with the gateway comes again
            phone.ping()
            phone.early = []
        self.camera = self.connect(self.camera_id, self.camera_id, self.story.secrets[self.camera_id])
        self.expect_reads("three", 0)
        self.assertEqual(other.subscribe(self.topic), 1)
        self.assertTrue(self.entry()["subscribed"])
        self.expect_changed(one)

    def test_a_tablet_that_is_no_phone_switches_nothing(self):
        self.set_up("tablet")
        tablet = self.connect("tablet-client", "tablet", PASSWORD)
        tablet.subscribe(self.topic)
        unsubscribe(self, tablet, self.topic)
        self.assertTrue(self.entry()["subscribed"])
        self.expect_reads("one", 1)


class TwoGateways(WakeCase):
    """Two gateways on one database: what is changed at one is told to the phones that are at the other, and holds there."""

    def setUp(self):
        super().setUp()
        self.first = self.make_gateway()
        folder = os.path.join(self.folder, "second")
        os.mkdir(folder)
        self.second = Gateway(folder, self.first.sections["database"]["url"])
        self.addCleanup(self.second.stop)
        self.second.start()
        self.story = Story(self.first, "ann")
        self.secret = self.story.add_camera("CAM1")
        self.story.pair("CAM1", "t/CAM1/door")
        self.near, self.far = self.open_phone("near", self.first), self.open_phone("far", self.second)
        self.camera = self.connect("CAM1", "CAM1", self.secret, self.second)

    def connect(self, client_id, username, password, gateway):
        wire = Wire(gateway.mqtt_port)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, username, password, clean=False).code, 0)
        return wire

    def open_phone(self, phone_id, gateway):
        self.story.add_phone(phone_id, "fcm", f"fcm:{phone_id}")
        return self.connect(phone_id, "ann", PASSWORD, gateway)

    def entry(self):
        return self.story.entries()[0]

    def expect_changed(self, *phones):
        for phone in phones:
            message = phone.read_message()
            self.assertEqual((message.topic, json.loads(message.payload)), ("$wake/events", {"type": "topics_changed"}))
            phone.ping()
            self.assertEqual(phone.early, [], "once")

    def expect_far_reads(self, *payloads):
        self.camera.publish("t/CAM1/door", "ding")
        for payload in payloads:
            self.assertEqual(self.far.read_message().payload, payload)
        self.far.ping()
        self.assertEqual(self.far.early, [])

    def test_a_change_at_one_reaches_a_phone_at_the_other(self):
        self.expect_far_reads(b"ding")
        path = f"/v1/me/topics/{self.entry()['id']}"
        self.story.user.expect(200, "PATCH", path, {"subscribed": False})
        self.expect_changed(self.near, self.far)
        self.expect_far_reads()
        self.story.user.expect(200, "PATCH", path, {"subscribed": True})
        self.expect_changed(self.near, self.far)
        self.expect_far_reads(b"ding")

    def test_a_phones_own_switch_at_one_reaches_a_phone_at_the_other(self):
        unsubscribe(self, self.near, "t/CAM1/door")
        self.assertFalse(self.entry()["subscribed"])
        self.expect_changed(self.near, self.far)
        self.expect_far_reads()
        self.assertEqual(self.near.subscribe("t/CAM1/door"), 1)
        self.assertTrue(self.entry()["subscribed"])
        self.expect_changed(self.near, self.far)
        self.expect_far_reads(b"ding")


if __name__ == "__main__":
    unittest.main()
