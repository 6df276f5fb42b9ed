"""What only MQTT 5.0 has, and what Mosquitto's users expect, through a real gateway: SCRAM-SHA-256 by an independent client
(RFC 5802, RFC 7677), shared subscriptions over several shards, topic aliases, $SYS."""

import base64
import hashlib
import hmac
import os
import struct
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.postgres import shared_cluster
from support.waiting import wait_until
from support.wire import CONNACK, DISCONNECT, PUBLISH, Wire, connect_packet, packet, text, varint

AUTH = 15
METHOD, DATA = 0x15, 0x16


class Scram:
    """The client of one exchange."""

    def __init__(self, name, password):
        self.password = password.encode()
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"
        self.signature = None

    def first(self):
        return ("n,," + self.bare).encode()

    def final(self, challenge):
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        assert fields["r"].startswith(self.nonce) and len(fields["r"]) > len(self.nonce)
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={fields['r']}"
        messages = ",".join([self.bare, challenge.decode(), without_proof]).encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), messages, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), messages, "sha256")
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def is_server(self, data):
        return data == b"v=" + base64.b64encode(self.signature)


def auth_properties(data=None, method="SCRAM-SHA-256"):
    block = bytes([METHOD]) + text(method)
    return block if data is None else block + bytes([DATA]) + text(data)


def auth_packet(reason, data=None):
    block = auth_properties(data)
    return packet(AUTH, bytes([reason]) + varint(len(block)) + block)


def find_data(block):
    """The authentication data in a block of properties that ends with it, or has it behind the method."""
    at = block.index(bytes([METHOD]) + text("SCRAM-SHA-256")) + 3 + len("SCRAM-SHA-256")
    assert block[at] == DATA
    length = struct.unpack(">H", block[at + 1:at + 3])[0]
    return block[at + 3:at + 3 + length]


class ScramLogin(SharedGatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.story.add_camera("CAM1")

    def begin(self, scram, client_id="app"):
        wire = Wire(self.gateway.mqtt_port, 5)
        self.addCleanup(wire.close)
        wire.send(connect_packet(client_id, version=5, properties=auth_properties(scram.first())))
        return wire

    def log_in(self, name, password, client_id="app"):
        """The wire, the reason code of CONNACK, and whether the server has proved itself."""
        scram = Scram(name, password)
        wire = self.begin(scram, client_id)
        asked = wire.expect(AUTH).body
        self.assertEqual(asked[0], 0x18)
        wire.send(auth_packet(0x18, scram.final(find_data(asked))))
        body = wire.expect(CONNACK).body
        return wire, body[1], body[1] == 0 and scram.is_server(find_data(body))

    def test_user_and_device_log_in_without_showing_their_secret(self):
        for name, secret in ((self.story.name, PASSWORD), ("CAM1", self.story.secrets["CAM1"])):
            wire, reason, is_proven = self.log_in(name, secret)
            self.assertEqual((reason, is_proven), (0, True), name)
            wire.ping()
            wire.disconnect()

    def test_device_may_what_it_may_with_its_password(self):
        wire, _, _ = self.log_in("CAM1", self.story.secrets["CAM1"], "cam")
        self.assertEqual(wire.subscribe("x/CAM1/y"), 1)
        self.assertEqual(wire.subscribe("x/CAM2/y"), 0x87)

    def test_wrong_password_is_refused(self):
        wire, reason, _ = self.log_in(self.story.name, "wrong horse battery")
        self.assertEqual(reason, 0x87)
        wire.expect_end()

    def test_unknown_name_is_asked_like_any_and_always_alike(self):
        salts = set()
        for _ in range(2):
            scram = Scram("nobody-here", PASSWORD)
            wire = self.begin(scram)
            challenge = find_data(wire.expect(AUTH).body)
            salts.add(challenge.decode().split(",")[1:][0])
            wire.send(auth_packet(0x18, scram.final(challenge)))
            self.assertEqual(wire.expect(CONNACK).body[1], 0x87)
        self.assertEqual(len(salts), 1)

    def test_unknown_method_is_told(self):
        with Wire(self.gateway.mqtt_port, 5) as wire:
            wire.send(connect_packet("app", version=5, properties=auth_properties(b"x", "SCRAM-SHA-1")))
            self.assertEqual(wire.expect(CONNACK).body[1], 0x8C)

    def test_authenticating_again_keeps_the_session(self):
        wire, _, _ = self.log_in("CAM1", self.story.secrets["CAM1"], "again")
        self.assertEqual(wire.subscribe("x/CAM1/y"), 1)
        scram = Scram("CAM1", self.story.secrets["CAM1"])
        wire.send(auth_packet(0x19, scram.first()))
        wire.send(auth_packet(0x18, scram.final(find_data(wire.expect(AUTH).body))))
        done = wire.expect(AUTH).body
        self.assertEqual(done[0], 0)
        self.assertTrue(scram.is_server(find_data(done)))
        wire.publish("x/CAM1/y", "still here")
        self.assertEqual(wire.read_message().payload, b"still here")

    def test_failing_to_authenticate_again_ends_the_connection(self):
        wire, _, _ = self.log_in("CAM1", self.story.secrets["CAM1"], "fails")
        scram = Scram("CAM1", "wrong")
        wire.send(auth_packet(0x19, scram.first()))
        wire.send(auth_packet(0x18, scram.final(find_data(wire.expect(AUTH).body))))
        self.assertEqual(wire.expect(DISCONNECT).body[0], 0x87)

    def test_account_of_before_gets_its_verifier_when_its_password_is_shown(self):
        for table in ("users", "devices"):
            shared_cluster().sql(f"UPDATE {table} SET scram = ''", self.gateway.database)
        for name, secret in ((self.story.name, PASSWORD), ("CAM1", self.story.secrets["CAM1"])):
            self.assertEqual(self.log_in(name, secret, f"app-{name}")[1], 0x87)
            with Wire(self.gateway.mqtt_port) as wire:
                self.assertEqual(wire.connect(f"before-{name}", name, secret).code, 0)
            self.assertEqual(self.log_in(name, secret, f"app-{name}")[1], 0)

    def test_new_password_is_the_one_that_counts(self):
        self.gateway.command("user", "add", "carl", "--password-stdin", stdin="first password")
        self.assertEqual(self.log_in("carl", "first password", "carl")[1], 0)
        self.gateway.command("user", "passwd", "carl", "--password-stdin", stdin="second password")
        self.assertEqual(self.log_in("carl", "first password", "carl")[1], 0x87)
        self.assertEqual(self.log_in("carl", "second password", "carl")[1], 0)


class Features(SharedGatewayCase):
    OPTIONS = {"shards": 4, "sections": {"auth": {"allow_anonymous": True}, "server": {"sys_interval": "1s"}}}

    def connected(self, client_id, version=5, **options):
        wire = Wire(self.gateway.mqtt_port, version)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, **options).code, 0)
        return wire

    def test_shared_subscription_divides_the_messages(self):
        workers = [self.connected(f"worker{i}", 5 if i % 2 else 4) for i in range(6)]
        for worker in workers:
            self.assertEqual(worker.subscribe("$share/workers/jobs/+"), 1)
        boss = self.connected("boss")
        for i in range(60):
            boss.publish(f"jobs/{i % 3}", str(i), packet_id=i + 1)
        jobs = [int(worker.read_message().payload) for worker in workers for _ in range(10)]
        self.assertEqual(sorted(jobs), list(range(60)))

    def test_topic_alias_both_ways(self):
        reader = self.connected("reader", properties=bytes([0x22]) + struct.pack(">H", 4))
        self.assertEqual(reader.subscribe("long/topic", qos=0), 0)
        writer = self.connected("writer")
        alias = bytes([3, 0x23, 0, 1])
        writer.send(packet(PUBLISH, text("long/topic") + alias + b"a") + packet(PUBLISH, text("") + alias + b"b"))
        self.assertEqual(reader.expect(PUBLISH).body, text("long/topic") + alias + b"a")
        self.assertEqual(reader.expect(PUBLISH).body, text("") + alias + b"b")

    def test_sys_topics_say_how_it_goes(self):
        wire = self.connected("curious", 4)
        self.assertEqual(wire.subscribe("$SYS/broker/#", qos=0), 0)
        values = {}

        def is_told():
            message = wire.read_message()
            values[message.topic] = message.payload.decode()
            return int(values.get("$SYS/broker/clients/connected", "0")) >= 1 and len(values) > 30
        wait_until(is_told, "the figures of $SYS")
        self.assertTrue(values["$SYS/broker/version"].startswith("wakemq version "))
        self.assertIn("$SYS/broker/load/bytes/received/15min", values)
        self.assertEqual(wire.subscribe("#", qos=0), 0)


class SysInterval(WakeCase):
    def test_is_the_configured_one_and_zero_means_none(self):
        for seconds in (3, 0):
            with self.subTest(seconds=seconds):
                gateway = self.make_gateway(sections={"auth": {"allow_anonymous": True},
                                                      "server": {"sys_interval": f"{seconds}s"}})
                wire = Wire(gateway.mqtt_port)
                self.addCleanup(wire.close)
                wire.connect("curious")
                wire.subscribe("$SYS/broker/uptime", qos=0)
                if seconds:
                    uptimes = [int(wire.read_message().payload.split()[0]) for _ in range(3)]
                    self.assertGreaterEqual(uptimes[2] - uptimes[1], seconds)
                else:
                    wire.ping()
                    self.assertEqual(wire.early, [])
                gateway.stop()


if __name__ == "__main__":
    unittest.main()
