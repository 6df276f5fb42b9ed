"""MQTT over WebSocket, plain and TLS: the handshake, frames of every kind, and each wrong one with its refusal."""

import os
import socket
import ssl
import unittest

from support.case import SharedGatewayCase, Story
from support.certificates import make_authority, make_server
from support.ports import free_port
from support.websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, WebSocketWire, frame, upgrade_request
from support.wire import CONNACK, DISCONNECT, PINGREQ, PINGRESP, PUBLISH, Wire, connect_packet, packet, publish_packet, text, varint

ORIGIN = "https://app.example.com"


class WebSocketCase(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        make_authority(cls.folder)
        make_server(cls.folder)
        cls.ws_port, cls.wss_port, cls.guarded_port = free_port(), free_port(), free_port()
        cls.OPTIONS = {"shards": 2, "sections": {"limits": {"max_packet": "64KiB", "connect_timeout": "1s"}}, "listeners": [
            {"protocol": "ws", "address": f"127.0.0.1:{cls.ws_port}"},
            {"protocol": "wss", "address": f"127.0.0.1:{cls.wss_port}", "cert_file": f"{cls.folder}/server.crt",
             "key_file": f"{cls.folder}/server.key"},
            {"protocol": "ws", "address": f"127.0.0.1:{cls.guarded_port}", "allowed_origins": [ORIGIN]}]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)
        cls.tls = ssl.create_default_context(cafile=os.path.join(cls.folder, "ca.crt"))

    def setUp(self):
        self.gateway.program.mark()

    def open(self, version=4, client_id=None, **options):
        wire = WebSocketWire(options.pop("port", self.ws_port), version, **options)
        self.addCleanup(wire.close)
        if client_id is not None:
            self.assertEqual(wire.connect(client_id, *self.login).code, 0)
        return wire

    def metric(self, name):
        for line in self.gateway.rest.call("GET", "/metrics").raw.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")


class Serves(WebSocketCase):
    def test_every_version_publishes_and_receives_over_ws_and_wss(self):
        for port, tls in ((self.ws_port, None), (self.wss_port, self.tls)):
            for version in (3, 4, 5):
                with self.subTest(port=port, version=version):
                    wire = self.open(version, f"round-{version}", port=port, tls=tls)
                    wire.subscribe("round/#")
                    wire.publish("round/ü", "grüße")
                    message = wire.read_message()
                    self.assertEqual((message.topic, message.payload), ("round/ü", "grüße".encode()))
                    wire.send(packet(DISCONNECT))
                    self.assertEqual(wire.ends_with(), 1000)

    def test_sessions_of_every_shard_are_reached_whoever_accepted(self):
        for number in range(8):
            for port, tls in ((self.ws_port, None), (self.wss_port, self.tls)):
                self.open(4, f"anywhere-{number}", port=port, tls=tls).ping()

    def test_both_subprotocols_and_any_path(self):
        for name in ("mqtt", "mqttv3.1", "chat, mqtt"):
            wire = self.open(path="/any/where?x=1", Sec_WebSocket_Protocol=name)
            self.assertEqual(wire.fields["sec-websocket-protocol"], name.split(", ")[-1])

    def test_packets_and_frames_need_not_meet(self):
        data = connect_packet("split", *self.login) + packet(PINGREQ)
        for cuts in ([1], [3, 3, 4], [len(data) - 1], list(range(1, len(data)))):
            with self.subTest(cuts=cuts[:5]):
                wire, edges = self.open(), [0, *cuts, len(data)]
                for start, end in zip(edges, edges[1:]):
                    wire.send(data[start:end])
                wire.expect(CONNACK)
                wire.expect(PINGRESP)
        wire = self.open()
        wire.send_raw(frame(BINARY, data[:5], final=False) + frame(PING, b"in between") + frame(CONTINUATION, b"", final=False) +
                      frame(CONTINUATION, data[5:]))
        wire.expect(CONNACK)
        wire.expect(PINGRESP)
        self.assertEqual(wire.pongs, [b"in between"])

    def test_a_large_message_comes_whole(self):
        wire = self.open(client_id="large")
        wire.subscribe("large")
        body = os.urandom(60_000)
        wire.publish("large", body)
        self.assertEqual(wire.read_message().payload, body)

    def test_a_close_is_answered_and_fires_the_will(self):
        watcher = self.open(client_id="watcher")
        watcher.subscribe("wills/#")
        wire = self.open()
        wire.connect("closing", *self.login, will=("wills/x", "gone", 0, False))
        wire.send_raw(frame(CLOSE, b"\x03\xe9"))
        self.assertEqual(wire.ends_with(), 1001)
        self.assertEqual(watcher.read_message().payload, b"gone")

    def test_the_listener_is_named_in_the_list_of_clients(self):
        self.open(client_id="listed", port=self.wss_port, tls=self.tls)
        clients = self.story.admin.expect(200, "GET", "/v1/clients")["items"]
        self.assertEqual([c["listener"] for c in clients if c["client_id"] == "listed"], ["wss"])


class Refuses(WebSocketCase):
    def test_what_is_no_upgrade_is_told_in_http(self):
        wrong = {426: [{"Upgrade": None}, {"Connection": "close"}, {"Sec_WebSocket_Version": "8"}],
                 400: [{"Sec_WebSocket_Key": "short"}, {"Sec_WebSocket_Key": None}, {"Sec_WebSocket_Protocol": None},
                       {"Sec_WebSocket_Protocol": "chat"}, {"Host": None}, {"Content_Length": "3"}],
                 431: [{"X_Long": "x" * 9000}]}
        for status, cases in wrong.items():
            for fields in cases:
                with self.subTest(status=status, fields=str(fields)[:60]):
                    before = self.metric("wakemq_websocket_refused_total")
                    wire = self.open(**fields)
                    self.assertEqual(wire.status, status)
                    self.gateway.program.wait_for_log(rf"websocket\.refused.*127\.0\.0\.1.*{status}")
                    self.assertEqual(self.metric("wakemq_websocket_refused_total"), before + 1)

    def test_origins_are_checked_where_asked_for(self):
        self.assertEqual(self.open(port=self.guarded_port, Origin="https://evil.example.com").status, 403)
        self.assertEqual(self.open(port=self.guarded_port, Origin=ORIGIN).status, 101)
        self.assertEqual(self.open(port=self.guarded_port).status, 101, "no browser")
        self.assertEqual(self.open(Origin="https://evil.example.com").status, 101, "no list here")

    def test_clients_of_other_listeners_are_told_apart(self):
        for data, hint in ((connect_packet("lost"), "mqtt listener"), (b"\x16\x03\x01\x00\x05hello", "wss listener")):
            with socket.create_connection(("127.0.0.1", self.ws_port), timeout=20) as plain:
                plain.sendall(data)
                self.assertTrue(plain.recv(100).startswith(b"HTTP/1.1 400"))
                self.gateway.program.wait_for_log(hint)
        with Wire(self.gateway.mqtt_port) as wire:
            wire.send(upgrade_request())
            wire.expect_end()
            self.gateway.program.wait_for_log(r"client\.refused")

    def test_broken_frames_end_with_their_code(self):
        connected = frame(BINARY, packet(PINGREQ))
        broken = {1003: [frame(TEXT, packet(PINGREQ))],
                  1002: [frame(BINARY, b"x", masked=False), frame(3, b"x"), frame(11, b"x"), frame(CONTINUATION, b"x"),
                         frame(BINARY, b"\xc0", final=False) + frame(BINARY, b"\0"), frame(PING, b"x" * 126),
                         frame(PING, b"x", final=False), frame(CLOSE, b"\x03"), frame(CLOSE, b"\x03\xed"),
                         bytes([0xC2]) + frame(BINARY, b"x")[1:]],
                  1007: [frame(CLOSE, b"\x03\xe8\xff")],
                  1009: [frame(BINARY, b"", declared=1 << 40)]}
        for code, cases in broken.items():
            for data in cases:
                with self.subTest(code=code, data=data[:4].hex()):
                    wire = self.open(client_id="broken")
                    before = self.metric("wakemq_websocket_malformed_total")
                    self.gateway.program.mark()
                    wire.send_raw(connected + data)
                    self.assertEqual(wire.ends_with(), code)
                    self.gateway.program.wait_for_log(r"websocket\.malformed.*127\.0\.0\.1")
                    self.assertEqual(self.metric("wakemq_websocket_malformed_total"), before + 1)

    def test_mqtt_errors_keep_their_reason(self):
        wire = self.open(5, "oversize")
        wire.send(bytes([PUBLISH << 4]) + varint(64 * 1024 + 1) + text("x"))
        last = wire.expect_end()[-1]
        self.assertEqual((last.type, last.body[0]), (DISCONNECT, 0x95))
        self.assertEqual(wire.closed_with, 1000)

    def test_a_reason_reaches_a_client_that_keeps_sending(self):
        wire = self.open(5, "chatty")
        wire.send(packet(PUBLISH, text("x") + b"\0\1x", 6))
        flood = frame(BINARY, publish_packet("x", "y" * 1000, version=5))
        try:
            for _ in range(500):
                wire.send_raw(flood)
        except ConnectionError:
            pass
        self.assertEqual([p.type for p in wire.expect_end()][-1], DISCONNECT)

    def test_half_an_upgrade_ends_with_connect_timeout(self):
        for tls in (None, self.tls):
            sock = socket.create_connection(("127.0.0.1", self.wss_port if tls else self.ws_port), timeout=20)
            sock = tls.wrap_socket(sock, server_hostname="localhost") if tls else sock
            with sock:
                sock.sendall(upgrade_request()[:50])
                try:
                    self.assertEqual(sock.recv(100), b"")
                except (ssl.SSLError, ConnectionError):
                    pass
            self.gateway.program.wait_for_log(r"websocket\.timed_out")
            self.gateway.program.mark()

    def test_an_upgrade_without_connect_ends_with_connect_timeout(self):
        self.assertEqual(self.open().ends_with(), 1000)
        self.gateway.program.wait_for_log(r"client\.refused.*no CONNECT")


if __name__ == "__main__":
    unittest.main()
