"""Every wrong thing a client sends: a clear refusal, one log line, and nobody else is disturbed (contract section 9)."""

import json
import os
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.gateway import Gateway
from support.mosquitto import mosquitto_pub
from support.wire import (CONNACK, DISCONNECT, PUBLISH, SUBSCRIBE, Wire, connect_packet, packet, publish_packet,
                          text, varint)


class BadPackets(SharedGatewayCase):
    OPTIONS = {"sections": {"limits": {"max_packet": "64KiB"}, "cluster": {"nats_url": "nats://nowhere:4222"}}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)

    def setUp(self):
        """Somebody else, who must notice nothing."""
        self.bystander = Wire(self.gateway.mqtt_port)
        self.addCleanup(self.bystander.close)
        self.bystander.connect("bystander", *self.login)
        self.bystander.subscribe("calm")
        self.gateway.program.mark()

    def tearDown(self):
        self.bystander.publish("calm", "still here", qos=0)
        self.assertEqual(self.bystander.read_message().payload, b"still here")
        self.assertTrue(self.gateway.program.is_running())

    def connected(self, version=4, client_id="rude"):
        wire = Wire(self.gateway.mqtt_port, version)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, *self.login).code, 0)
        return wire

    def test_a_key_that_does_nothing_yet_is_told_at_start(self):
        self.assertRegex(self.gateway.program.text(), r"warning +event=config\.unused cluster\.nats_url")

    def test_first_bytes_that_are_no_connect(self):
        for name, data in (("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("PUBLISH", publish_packet("x", "x")),
                           ("reserved type", b"\xf1\x00"), ("endless length", b"\x10\xff\xff\xff\xff\xff"),
                           ("another protocol", packet(1, text("AMQP") + b"\4\2\0\x3c" + text("a")))):
            with self.subTest(name), Wire(self.gateway.mqtt_port) as wire:
                self.gateway.program.mark()
                wire.send(data)
                self.assertEqual([p for p in wire.expect_end() if p.type != CONNACK], [])
                self.gateway.program.wait_for_log(r"client\.refused.*127\.0\.0\.1")

    def test_unknown_protocol_level_is_told(self):
        with Wire(self.gateway.mqtt_port) as wire:
            wire.send(packet(1, text("MQTT") + b"\x09\x02\x00\x3c" + text("a")))
            self.assertIn(wire.expect(CONNACK).body[1], (0x01, 0x84))
            wire.expect_end()

    def test_malformed_packets_after_connect(self):
        malformed = {
            "PUBLISH with QoS 3": packet(PUBLISH, text("x") + b"\0\1x", 6),
            "PUBLISH without its topic": packet(PUBLISH, b"\0\x09x"),
            "PUBLISH to a wildcard": publish_packet("x/#", "x"),
            "PUBLISH with a topic that is not UTF-8": packet(PUBLISH, text(b"\xc3\x28") + b"x"),
            "SUBSCRIBE without a filter": packet(SUBSCRIBE, b"\0\1", 2),
            "SUBSCRIBE with wrong flags": packet(SUBSCRIBE, b"\0\1" + text("x") + b"\1", 0),
            "PUBLISH with packet id 0": packet(PUBLISH, text("x") + b"\0\0x", 2),
            "a second CONNECT": connect_packet("again"),
        }
        for name, data in malformed.items():
            with self.subTest(name):
                client_id = "rude-" + str(len(name))
                wire = self.connected(client_id=client_id)
                self.gateway.program.mark()
                wire.send(data)
                self.assertEqual(wire.expect_end(), [], "3.1.1: closed without a word")
                self.gateway.program.wait_for_log(rf"info +event=client\.faulty {client_id}: ")

    def test_a_bad_filter_is_refused_in_the_suback(self):
        for version, code in ((4, 0x80), (5, 0x8F)):
            wire = self.connected(version, f"filters-{version}")
            for bad in ("a/#/b", "a+/b", "a/b#"):
                self.assertEqual(wire.subscribe(bad), code, bad)

    def test_malformed_packet_of_5_0_gets_a_reason_code(self):
        wire = self.connected(5)
        wire.send(packet(PUBLISH, text("x") + varint(2) + b"\xff\xff" + b"x"))
        last = wire.expect_end()[-1]
        self.assertEqual(last.type, DISCONNECT)
        self.assertIn(last.body[0], (0x81, 0x82))

    def test_oversize_packet_is_refused_on_its_header(self):
        wire = self.connected(5)
        wire.send(bytes([PUBLISH << 4]) + varint(64 * 1024 + 1) + text("x"))  # the rest is never sent
        last = wire.expect_end()[-1]
        self.assertEqual((last.type, last.body[0]), (DISCONNECT, 0x95), "packet too large")

    def test_the_largest_packet_is_taken(self):
        topic = "api/large"
        wire = self.connected()
        wire.subscribe(topic)
        body = "x" * (64 * 1024 - 1 - 3 - 2 - len(topic) - 2)
        wire.send(publish_packet(topic, body, 1, 7))
        sizes = set()
        for _ in range(2):  # PUBACK and PUBLISH, in either order
            found = wire.read_packet()
            sizes.add((found.type, len(found.body)))
        self.assertEqual({kind for kind, _ in sizes}, {PUBLISH, 4})

    def test_wrong_password_is_refused(self):
        for version, code in ((4, (4, 5)), (5, (0x86, 0x87))):
            with self.subTest(version=version), Wire(self.gateway.mqtt_port, version) as wire:
                self.gateway.program.mark()
                self.assertIn(wire.connect("thief", "anna", "wrong password").code, code)
                wire.expect_end()
                self.gateway.program.wait_for_log(r"client\.refused.*wrong user name or password.*thief")
        status, output = mosquitto_pub(self.gateway.mqtt_port, "thief", "anna", "wrong", "x", "x")
        self.assertNotEqual(status, 0)
        self.assertRegex(output.lower(), "not authori[sz]ed|bad user name or password")

    def test_nobody_is_let_in_without_credentials(self):
        with Wire(self.gateway.mqtt_port) as wire:
            self.assertIn(wire.connect("nobody").code, (4, 5))
            wire.expect_end()

    def test_foreign_client_id_is_refused_and_its_owner_keeps_the_session(self):
        with Wire(self.gateway.mqtt_port) as owner:
            owner.connect("precious", *self.login, clean=False)
            owner.subscribe("precious/#")
            with Wire(self.gateway.mqtt_port, 5) as thief:
                self.assertEqual(thief.connect("precious", "anna", PASSWORD).code, 0x87)
                thief.expect_end()
            owner.publish("precious/x", "mine", qos=0)
            self.assertEqual(owner.read_message().payload, b"mine")

    def test_what_a_client_may_not_do_is_refused(self):
        with Wire(self.gateway.mqtt_port, 5) as wire:
            self.assertEqual(wire.connect("anna-pc", "anna", PASSWORD).code, 0)
            self.assertEqual(wire.subscribe("/somebody/elses/CAM9/x"), 0x87)
            self.assertEqual(wire.subscribe("#"), 0x87)
            self.assertEqual(wire.publish("/somebody/elses/CAM9/x", "x")[2], 0x87)
        with Wire(self.gateway.mqtt_port, 4) as wire:
            wire.connect("anna-pc", "anna", PASSWORD)
            self.assertEqual(wire.subscribe("/somebody/elses/CAM9/x"), 0x80)


class BadRest(SharedGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)

    def problem(self, status, rest, method, path, body=None, raw=None):
        answer = rest.call(method, path, body, raw)
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json", answer)
        self.assertEqual(answer.json["status"], status)
        self.assertTrue(answer.json["title"])
        return answer.json

    def test_json_that_is_none(self):
        for raw in (b"", b"{", b"[]", b'"text"', b"nonsense", b'{"username":"\xff"}', b"{" * 5000):
            with self.subTest(raw=raw[:20]):
                answer = self.gateway.rest.call("POST", "/v1/auth/token", raw=raw)
                self.assertIn(answer.status, (400, 422), answer)
                self.assertEqual(answer.headers.get_content_type(), "application/problem+json")

    def test_unknown_and_wrong_fields_are_named(self):
        phone = {"platform": "apns", "app_id": "a", "token": "00ff"}
        self.assertIn("tokn", json.dumps(self.problem(422, self.story.user, "PUT", "/v1/me/phones/p",
                                                      {**phone, "tokn": 1})))
        self.assertIn("platform", json.dumps(self.problem(422, self.story.user, "PUT", "/v1/me/phones/p",
                                                          {**phone, "platform": "pager"})))
        self.assertIn("token", json.dumps(self.problem(422, self.story.user, "PUT", "/v1/me/phones/p",
                                                       {"platform": "apns", "app_id": "a"})))

    def test_who_is_not_known_or_may_not(self):
        rest = self.gateway.rest
        self.problem(401, rest, "GET", "/v1/me/phones")
        self.problem(401, rest.as_("no such token"), "GET", "/v1/me/phones")
        self.problem(401, rest, "POST", "/v1/auth/token", {"username": "anna", "password": "wrong password"})
        self.problem(403, self.story.user, "GET", "/v1/devices")
        self.problem(404, self.story.user, "GET", "/v1/me/phones/none")
        self.problem(404, self.story.user, "GET", "/v1/nothing")
        self.problem(405, self.story.user, "PATCH", "/v1/me/phones")


class BadConfiguration(WakeCase):
    """Exit status 2, and a line with file, line, key and what was expected."""

    def gateway_without_database(self):
        return Gateway(self.folder, "postgresql:///nowhere")

    def refused(self, content, *words, environment=None):
        gateway = self.gateway_without_database()
        with open(gateway.config, "w", encoding="utf-8") as file:
            file.write(content)
        gateway.environment = environment or {}
        for command in ("check-config", "serve"):
            said = gateway.command(command, expect=2)
            for word in words:
                self.assertIn(word, said, command)

    def test_unknown_key(self):
        self.refused('[limits]\nmax_packet = "1MiB"\nmax_pakcet = "1MiB"\n', "wakemq.toml:3", "max_pakcet")

    def test_unknown_section(self):
        self.refused("[limit]\nmax_packet = 1\n", "wakemq.toml:1", "limit")

    def test_wrong_value(self):
        self.refused('\n[delivery]\nack_timeout = "soon"\n', "wakemq.toml:3", "delivery.ack_timeout", "expected")

    def test_missing_key(self):
        self.refused('[[push.app]]\nid = "a"\nplatform = "apns"\ntopic = "a"\nkey_id = "ABCDEFGHIJ"\n'
                     'team_id = "ABCDEFGHIJ"\n', "wakemq.toml:1", "push.app[0].key_file", "expected")

    def test_file_that_is_not_there(self):
        self.refused('[[listener]]\nprotocol = "mqtts"\naddress = ":0"\ncert_file = "/nowhere.crt"\n'
                     'key_file = "/nowhere.key"\n', "wakemq.toml:4", "listener[0].cert_file", "/nowhere.crt")

    def test_no_toml_at_all(self):
        self.refused("this is = = not toml\n", "wakemq.toml:1")

    def test_wrong_variable(self):
        self.refused("", "WAKEMQ_LIMITS_MAX_PACKET", environment={"WAKEMQ_LIMITS_MAX_PACKET": "big"})

    def test_no_such_configuration_file(self):
        gateway = self.gateway_without_database()
        os.remove(gateway.config)
        self.assertIn("wakemq.toml", gateway.command("serve", expect=2))

    def test_wrong_usage(self):
        gateway = self.gateway_without_database()
        gateway.command("serv", expect=2)
        gateway.command("user", "add", expect=2)

    def test_port_that_is_taken(self):
        gateway = self.make_gateway()
        said = gateway.command("serve", expect=1)
        self.assertRegex(said, rf"{gateway.mqtt_port}|{gateway.http_port}")
        self.assertTrue(gateway.rest.is_ready(), "the first is not disturbed")


if __name__ == "__main__":
    unittest.main()
