"""Listeners of every kind beside plain TCP: Unix sockets, the PROXY protocol, TLS with all that belongs to it, log-in rules
of a listener, limits of an address, and slow clients; each wrong thing with its refusal."""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import tempfile
import threading
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.certificates import join, make_authority, make_client, make_intermediate, make_server, revoke
from support.ports import free_port
from support.waiting import scaled, wait_until
from support.websocket import WebSocketWire, upgrade_request
from support.wire import CONNACK, Closed, DISCONNECT, PUBLISH, Wire, connect_packet, packet, publish_packet, text

PROXY_V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 1883\r\n"
PSK = "000102030405060708090a0b0c0d0e0f"


def proxy_v2(command=0x21, family=0x11, body=bytes([192, 0, 2, 8, 198, 51, 100, 1]) + struct.pack(">HH", 40001, 1883)):
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + struct.pack(">H", len(body)) + body


def tlv(kind, value):
    return bytes([kind]) + struct.pack(">H", len(value)) + value


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=scaled(20))
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Metrics:
    def metric(self, name):
        for line in self.gateway.rest.call("GET", "/metrics").raw.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")


class UnixSockets(WakeCase):
    def test_mqtt_ws_and_http_are_served_and_the_files_come_and_go(self):
        short = tempfile.mkdtemp(prefix="wk-", dir="/tmp")
        self.addCleanup(shutil.rmtree, short, ignore_errors=True)
        paths = {kind: os.path.join(short, kind) for kind in ("mqtt", "ws", "http")}
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(paths["mqtt"])
        stale.close()
        gateway = self.make_gateway(listeners=[{"protocol": kind, "address": f"unix:{path}", "unix_mode": "0600"}
                                               for kind, path in paths.items()])
        login = ("api-key", Story(gateway).api_key)
        for path in paths.values():
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with Wire(None, address=paths["mqtt"]) as wire, WebSocketWire(None, address=paths["ws"]) as framed:
            for number, client in enumerate((wire, framed)):
                self.assertEqual(client.connect(f"local-{number}", *login).code, 0)
                client.subscribe("local")
                client.publish("local", "here")
                self.assertEqual(client.read_message().payload, b"here")
        connection = UnixConnection(paths["http"])
        connection.request("GET", "/healthz")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        gateway.stop()
        self.assertEqual([path for path in paths.values() if os.path.exists(path)], [])

    def test_a_file_that_is_no_socket_is_left_alone(self):
        path = os.path.join(self.folder, "precious")
        with open(path, "w", encoding="ascii") as file:
            file.write("data")
        gateway = self.make_gateway(start=False, listeners=[{"protocol": "mqtt", "address": f"unix:{path}"}])
        gateway.launch()
        self.assertEqual(gateway.program.wait(), 1)
        self.assertRegex(gateway.program.text(), r"cannot listen on unix:.*the file is no socket")
        self.assertEqual(os.path.getsize(path), 4)


class Proxy(Metrics, SharedGatewayCase):
    @classmethod
    def prepare(cls):
        make_authority(cls.folder)
        make_server(cls.folder)
        cls.ports = {kind: free_port() for kind in ("mqtt", "mqtts", "ws", "http", "https")}
        tls = {"cert_file": f"{cls.folder}/server.crt", "key_file": f"{cls.folder}/server.key"}
        cls.OPTIONS = {"shards": 2, "sections": {"limits": {"connect_timeout": "2s"}}, "listeners": [
            {"protocol": kind, "address": f"127.0.0.1:{port}", "proxy_protocol": True, **(tls if kind.endswith("s") and kind != "ws" else {})}
            for kind, port in cls.ports.items()]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)
        cls.tls = ssl.create_default_context(cafile=os.path.join(cls.folder, "ca.crt"))

    def setUp(self):
        self.gateway.program.mark()

    def address_of(self, client_id):
        clients = self.story.admin.expect(200, "GET", "/v1/clients")["items"]
        return next(c["address"] for c in clients if c["client_id"] == client_id)

    def test_the_clients_own_address_is_known_whatever_follows(self):
        openers = {"mqtt": lambda before: Wire(self.ports["mqtt"], before=before),
                   "mqtts": lambda before: Wire(self.ports["mqtts"], tls=self.tls, before=before),
                   "ws": lambda before: WebSocketWire(self.ports["ws"], before=before)}
        headers = {"192.0.2.7:40000": PROXY_V1, "192.0.2.8:40001": proxy_v2(),
                   "[2001:db8::9]:40002": b"PROXY TCP6 2001:db8::9 2001:db8::1 40002 1883\r\n"}
        for kind, opener in openers.items():
            for number, (address, header) in enumerate(headers.items()):
                with self.subTest(kind=kind, address=address), opener(header) as wire:
                    self.assertEqual(wire.connect(f"{kind}-{number}", *self.login).code, 0)
                    self.assertEqual(self.address_of(f"{kind}-{number}"), address)

    def test_local_and_unknown_keep_the_proxys_address(self):
        for number, header in enumerate((proxy_v2(0x20, 0, b""), b"PROXY UNKNOWN\r\n")):
            with Wire(self.ports["mqtt"], before=header) as wire:
                wire.connect(f"local-{number}", *self.login)
                self.assertTrue(self.address_of(f"local-{number}").startswith("127.0.0.1:"))

    def test_the_common_name_of_a_certificate_that_the_proxy_verified_logs_in(self):
        self.story.add_camera("CAMPROXY")
        address = bytes([192, 0, 2, 8, 198, 51, 100, 1]) + struct.pack(">HH", 1, 2)
        for verified, code in ((b"\0\0\0\0", 0), (b"\0\0\0\x0a", 5)):
            header = proxy_v2(body=address + tlv(4, b"\0" * 40) + tlv(0x20, b"\x07" + verified + tlv(0x22, b"CAMPROXY")))
            with Wire(self.ports["mqtt"], before=header) as wire:
                self.assertIn(wire.connect("by-proxy").code, (code, 4) if code else (0,))

    def test_without_a_whole_header_nobody_gets_in(self):
        wrong = (connect_packet("direct"), b"PROXY TCP4 1.2.3.4 nonsense 1 2\r\n", b"PROXY " + b"x" * 200,
                 proxy_v2(0x21, 0x11, b"short"), proxy_v2(0x25), b"\x16\x03\x01\x02\x00\x01\x00")
        for number, data in enumerate(wrong, 1):
            with self.subTest(data=data[:20]), Wire(self.ports["mqtt"]) as wire:
                before = self.metric("wakemq_proxy_headers_refused_total")
                wire.send(data)
                self.assertEqual(wire.expect_end(), [])
                self.gateway.program.wait_for_log(r"proxy\.refused.*127\.0\.0\.1")
                self.gateway.program.mark()
                self.assertEqual(self.metric("wakemq_proxy_headers_refused_total"), before + 1)

    def test_half_a_header_ends_with_connect_timeout(self):
        for half in (PROXY_V1[:20], proxy_v2()[:14]):
            for port in (self.ports["mqtt"], self.ports["http"]):
                with Wire(port) as wire:
                    wire.send(half)
                    self.assertEqual(wire.socket.recv(100), b"", "the end, and not a reset")
            self.gateway.program.wait_for_log(r"proxy\.timed_out")
            self.gateway.program.mark()

    def test_rest_takes_it_too(self):
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for kind in ("http", "https"):
            for header in (PROXY_V1, proxy_v2()):
                sock = socket.create_connection(("127.0.0.1", self.ports[kind]), timeout=scaled(20))
                for byte in header[:-1]:
                    sock.sendall(bytes([byte]))
                sock.sendall(header[-1:])
                sock = self.tls.wrap_socket(sock, server_hostname="localhost") if kind == "https" else sock
                with sock:
                    sock.sendall(request)
                    self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200"))
        with socket.create_connection(("127.0.0.1", self.ports["http"]), timeout=scaled(20)) as sock:
            sock.sendall(request)
            with self.subTest("no header"):
                try:
                    self.assertEqual(sock.recv(100), b"")
                except ConnectionResetError:
                    pass
        self.gateway.program.wait_for_log(r"proxy\.refused")


class Tls(Metrics, SharedGatewayCase):
    @classmethod
    def prepare(cls):
        make_authority(cls.folder)
        make_authority(cls.folder, "clients")
        make_server(cls.folder)
        make_server(cls.folder, name="other", names="DNS:other.example,DNS:*.wild.example")
        with open(f"{cls.folder}/other.pem", "w", encoding="ascii") as out:
            for name in ("other.crt", "other.key"):
                with open(f"{cls.folder}/{name}", encoding="ascii") as file:
                    out.write(file.read())
        for name in ("CAM-TLS", "GHOST", "CAM-REVOKED"):
            make_client(cls.folder, "clients", name)
        revoke(cls.folder, "clients", [])
        make_authority(cls.folder, "fleet")
        for region, camera in (("north", "CAM-NORTH"), ("south", "CAM-SOUTH")):
            make_intermediate(cls.folder, "fleet", region)
            make_client(cls.folder, region, camera)
            join(cls.folder, f"{camera}.crt", f"{camera}.crt", f"{region}.crt")
            revoke(cls.folder, region, [])
        join(cls.folder, "chain.crl", "north.crl", "south.crl")
        with open(f"{cls.folder}/clients.psk", "w", encoding="ascii") as file:
            file.write(f"# test\nCAM-PSK:{PSK}\nGHOST:{PSK}\n")
        cls.ports = {kind: free_port() for kind in ("sni", "request", "require", "psk", "psk_alone", "new", "chain")}
        tls = {"protocol": "mqtts", "cert_file": f"{cls.folder}/server.crt", "key_file": f"{cls.folder}/server.key"}
        ca = {"client_ca_file": f"{cls.folder}/clients.crt", "crl_file": f"{cls.folder}/clients.crl"}
        more = {"sni": {"more_cert_files": [f"{cls.folder}/other.pem"]}, "request": {"client_cert": "request", **ca},
                "require": {"client_cert": "require", "auth": ["certificate"], **ca},
                "chain": {"client_cert": "require", "client_ca_file": f"{cls.folder}/fleet.crt",
                          "crl_file": f"{cls.folder}/chain.crl"},
                "psk": {"psk_file": f"{cls.folder}/clients.psk"}, "new": {"min_version": "1.3"}}
        cls.OPTIONS = {"shards": 2, "listeners": [{**tls, "address": f"127.0.0.1:{cls.ports[kind]}", **keys} for kind, keys in more.items()] +
                       [{"protocol": "mqtts", "address": f"127.0.0.1:{cls.ports['psk_alone']}", "psk_file": f"{cls.folder}/clients.psk"}]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)
        for camera in ("CAM-TLS", "CAM-REVOKED", "CAM-PSK", "CAM-NORTH", "CAM-SOUTH"):
            cls.story.add_camera(camera)

    def setUp(self):
        self.gateway.program.mark()

    def context(self, certificate=None):
        context = ssl.create_default_context(cafile=f"{self.folder}/ca.crt")
        if certificate:
            context.load_cert_chain(f"{self.folder}/{certificate}.crt", f"{self.folder}/{certificate}.key")
        return context

    def reload(self):
        self.gateway.program.mark()
        self.gateway.program.process.send_signal(signal.SIGHUP)
        self.gateway.program.wait_for_log(r"gateway\.reloaded")

    def s_client(self, port, *arguments, data=b""):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", f"{self.folder}/ca.crt", *arguments],
                              input=data, capture_output=True, timeout=scaled(30), check=False)
        return done.stdout.decode("latin-1")

    def test_the_certificate_is_chosen_by_name(self):
        for asked, shown in (("localhost", "localhost"), ("other.example", "other"), ("a.wild.example", "other"), ("unknown", "localhost")):
            with self.subTest(asked=asked):
                context = self.context()
                context.check_hostname = False
                raw = socket.create_connection(("127.0.0.1", self.ports["sni"]), timeout=scaled(20))
                with context.wrap_socket(raw, server_hostname=asked) as sock:
                    names = [value for _, value in sock.getpeercert()["subjectAltName"]]
                    self.assertIn({"localhost": "localhost", "other": "other.example"}[shown], names)

    def test_sessions_are_resumed_on_any_shard_and_after_a_handover(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            session, reused = None, []
            for number in range(12):
                raw = socket.create_connection(("127.0.0.1", self.ports["sni"]), timeout=scaled(20))
                with context.wrap_socket(raw, server_hostname="localhost", session=session) as sock:
                    sock.sendall(connect_packet(f"resume-{number}", *self.login))
                    self.assertEqual(sock.recv(4)[3], 0)
                    reused.append(sock.session_reused)
                    session = sock.session
            self.assertEqual(reused, [False] + [True] * 11, version)

    def test_a_certificates_name_logs_in_also_when_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = self.context("CAM-TLS"), None
            context.maximum_version = version
            for _ in range(3):
                raw = socket.create_connection(("127.0.0.1", self.ports["require"]), timeout=scaled(20))
                with context.wrap_socket(raw, server_hostname="localhost", session=session) as sock:
                    sock.sendall(connect_packet("by-certificate"))
                    self.assertEqual(sock.recv(4)[3], 0)
                    session = sock.session
            self.assertEqual([c["principal"]["id"] if isinstance(c.get("principal"), dict) else c.get("principal_id")
                              for c in self.story.admin.expect(200, "GET", "/v1/clients")["items"]
                              if c["client_id"] == "by-certificate"] or ["gone"], ["gone"])

    def test_a_certificate_without_an_account_is_refused(self):
        with Wire(self.ports["require"], tls=self.context("GHOST")) as wire:
            self.assertIn(wire.connect("ghost").code, (4, 5))

    def test_who_shows_none_is_refused_where_required_and_uses_a_password_where_asked(self):
        with self.assertRaises((ssl.SSLError, ConnectionError, Closed)):
            with Wire(self.ports["require"], tls=self.context()) as wire:
                wire.connect("none", *self.login)
        self.gateway.program.wait_for_log(r"tls\.handshake_failed.*must show a certificate")
        with Wire(self.ports["request"], tls=self.context()) as wire:
            self.assertEqual(wire.connect("none", *self.login).code, 0)

    def test_a_listener_for_certificates_looks_at_no_password(self):
        with Wire(self.ports["require"], tls=self.context("GHOST")) as wire:
            self.assertIn(wire.connect("ghost", *self.login).code, (4, 5))

    def test_a_certificates_name_counts_whatever_the_connect_says(self):
        with Wire(self.ports["request"], tls=self.context("CAM-TLS")) as wire:
            self.assertEqual(wire.connect("whose", *self.login).code, 0)
            client = [c for c in self.story.admin.expect(200, "GET", "/v1/clients")["items"] if c["client_id"] == "whose"]
            self.assertEqual(client[0]["principal"], {"kind": "device", "id": "CAM-TLS"})
        with Wire(self.ports["request"], tls=self.context("GHOST")) as wire:
            self.assertIn(wire.connect("ghost", *self.login).code, (4, 5))

    def test_a_reload_tells_what_it_took_up_and_what_not(self):
        self.reload()
        self.assertRegex(self.gateway.program.tail(), r"gateway\.reloaded.*MQTT listeners.*HTTP listeners")
        certificate = f"{self.folder}/server.crt"
        with open(certificate, encoding="ascii") as file:
            good = file.read()
        try:
            with open(certificate, "w", encoding="ascii") as file:
                file.write("not a certificate")
            self.reload()
            self.assertRegex(self.gateway.program.tail(), r"reload\.refused.*MQTT listeners stay as they are.*server\.crt")
            self.assertNotIn("MQTT listeners", self.gateway.program.tail().splitlines()[-1])
        finally:
            with open(certificate, "w", encoding="ascii") as file:
                file.write(good)
            self.reload()

    def test_a_new_certificate_and_a_new_authority_count_after_a_reload_and_connections_stay(self):
        files = ("server.crt", "server.key", "clients.crt", "clients.crl")
        before = {}
        for name in files:
            with open(f"{self.folder}/{name}", encoding="ascii") as file:
                before[name] = file.read()

        def put_back():
            for name in files:
                with open(f"{self.folder}/{name}", "w", encoding="ascii") as file:
                    file.write(before[name])
            self.reload()

        def names_shown():
            with Wire(self.ports["sni"], tls=self.context()) as wire:
                return [value for _, value in wire.socket.getpeercert()["subjectAltName"]]

        self.story.add_camera("CAM-NEW")
        make_authority(self.folder, "newcomers")
        make_client(self.folder, "newcomers", "CAM-NEW")
        revoke(self.folder, "newcomers", [])
        make_server(self.folder, name="renewed", names="DNS:localhost,IP:127.0.0.1,DNS:renewed.example")
        with Wire(self.ports["require"], tls=self.context("CAM-TLS")) as bystander:
            bystander.connect("bystander of the reload")
            self.assertNotIn("renewed.example", names_shown())
            with self.assertRaises((ssl.SSLError, ConnectionError, Closed)):
                with Wire(self.ports["require"], tls=self.context("CAM-NEW")) as wire:
                    wire.connect("too early")
            self.addCleanup(put_back)
            for name in ("crt", "key"):
                join(self.folder, f"server.{name}", f"renewed.{name}")
            for name in ("crt", "crl"):
                join(self.folder, f"clients.{name}", f"clients.{name}", f"newcomers.{name}")
            self.reload()
            self.assertIn("renewed.example", names_shown())
            for camera in ("CAM-NEW", "CAM-TLS"):
                with Wire(self.ports["require"], tls=self.context(camera)) as wire:
                    self.assertEqual(wire.connect(camera.lower()).code, 0)
            bystander.ping()

    def test_a_revoked_certificate_is_refused_after_a_reload_and_others_stay(self):
        context = self.context("CAM-REVOKED")
        with Wire(self.ports["require"], tls=self.context("CAM-TLS")) as bystander:
            bystander.connect("bystander")
            with Wire(self.ports["require"], tls=context) as wire:
                self.assertEqual(wire.connect("revoked").code, 0)
                session = wire.socket.session
            revoke(self.folder, "clients", ["CAM-REVOKED"])
            self.reload()
            for again in (None, session):
                with self.subTest(resumed=again is not None), self.assertRaises((ssl.SSLError, ConnectionError)):
                    raw = socket.create_connection(("127.0.0.1", self.ports["require"]), timeout=scaled(20))
                    with context.wrap_socket(raw, server_hostname="localhost", session=again) as sock:
                        sock.sendall(connect_packet("revoked"))
                        if sock.recv(4) == b"":
                            raise ConnectionError
            self.gateway.program.wait_for_log(r"tls\.handshake_failed.*revoked")
            bystander.ping()
            with open(f"{self.folder}/clients.crl", "w", encoding="ascii") as file:
                file.write("broken")
            self.gateway.program.mark()
            self.gateway.program.process.send_signal(signal.SIGHUP)
            self.gateway.program.wait_for_log(r"reload\.refused.*crl_file")
            bystander.ping()
            with Wire(self.ports["require"], tls=self.context("CAM-TLS")) as wire:
                self.assertEqual(wire.connect("still").code, 0, "the old lists stay in use")
        revoke(self.folder, "clients", [])

    def test_a_revoked_authority_takes_its_clients_with_it(self):
        def lets_in(camera):
            try:
                with Wire(self.ports["chain"], tls=self.context(camera)) as wire:
                    return wire.connect(camera.lower()).code == 0
            except (ssl.SSLError, ConnectionError):
                return False

        with self.subTest("lists of those who sign clients are enough"):
            self.assertEqual((lets_in("CAM-NORTH"), lets_in("CAM-SOUTH")), (True, True))
        revoke(self.folder, "fleet", ["north"])
        join(self.folder, "chain.crl", "north.crl", "south.crl", "fleet.crl")
        self.reload()
        self.assertEqual((lets_in("CAM-NORTH"), lets_in("CAM-SOUTH")), (False, True))
        self.gateway.program.wait_for_log(r"tls\.handshake_failed.*revoked")
        join(self.folder, "chain.crl", "north.crl", "fleet.crl")
        self.reload()
        with self.subTest("but they are needed"):
            self.assertFalse(lets_in("CAM-SOUTH"))

    def test_pre_shared_keys_log_in_by_their_identity(self):
        for kind in ("psk", "psk_alone"):
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(kind=kind, version=version):
                    self.assertEqual(self.psk(kind, version, "CAM-PSK", PSK), b"\x20\x02\x00\x00")
                    self.assertIn(self.psk(kind, version, "GHOST", PSK), (b"\x20\x02\x00\x04", b"\x20\x02\x00\x05"))
                    self.assertEqual(self.psk(kind, version, "CAM-PSK", "ff" * 16), b"", "the key must be proven")
                    # With a certificate on our side a client may go on without its key, and is nobody then.
                    self.assertIn(self.psk(kind, version, "NOBODY", PSK), (b"", b"\x20\x02\x00\x04", b"\x20\x02\x00\x05"))

    def test_an_identity_that_was_offered_and_not_proven_is_nobody(self):
        """The client insists on a hash that the key does not go with, so the handshake goes on with our certificate."""
        got = self.psk("psk", "-tls1_3", "CAM-PSK", "ff" * 16, "-ciphersuites", "TLS_AES_256_GCM_SHA384")
        self.assertIn(got, (b"", b"\x20\x02\x00\x04", b"\x20\x02\x00\x05"))

    def test_a_pre_shared_key_may_be_resumed_by_its_ticket(self):
        ticket = f"{self.folder}/ticket.pem"
        for offered in ("-sess_out", "-sess_in"):
            got = self.psk("psk_alone", "-tls1_3", "CAM-PSK", PSK, offered, ticket)
            self.assertEqual(got, b"\x20\x02\x00\x00", offered)

    def psk(self, kind, version, identity, key, *arguments):
        """What the gateway answers to a CONNECT without credentials."""
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.ports[kind]}", version, "-quiet", "-psk_identity",
                                   identity, "-psk", key, *(["-cipher", "PSK"] if version == "-tls1_2" else []), *arguments],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        timer = threading.Timer(scaled(20), client.kill)
        timer.start()
        try:
            client.stdin.write(connect_packet("psk-" + identity))
            client.stdin.flush()
            return client.stdout.read(4)
        except BrokenPipeError:
            return b""
        finally:
            timer.cancel()
            client.kill()
            client.wait()
            client.stdout.close()
            try:
                client.stdin.close()
            except BrokenPipeError:
                pass

    def test_versions_are_held_to(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(ssl.SSLError):
            Wire(self.ports["new"], tls=context)
        self.gateway.program.wait_for_log(r"tls\.handshake_failed")
        Wire(self.ports["new"], tls=self.context()).close()

    def test_clients_of_the_other_port_are_told_apart(self):
        with Wire(self.ports["sni"]) as wire:
            wire.send(connect_packet("plain"))
            wire.expect_end()
        self.gateway.program.wait_for_log(r"tls\.handshake_failed.*no TLS bytes")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Wire(self.gateway.mqtt_port, tls=self.context())
        self.gateway.program.wait_for_log(r"socket\.wrong_listener")

    def test_a_probe_of_the_port_is_no_news(self):
        for port in (self.gateway.mqtt_port, self.ports["sni"]):
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        with Wire(self.gateway.mqtt_port) as wire:
            wire.send(b"\xf1\0")
            wire.expect_end()
        self.gateway.program.wait_for_log(r"client\.refused.*(malformed|first packet)")
        self.assertNotRegex(self.gateway.program.tail(20).split("client.refused")[0].split("gateway.ready")[-1], "connection lost")


class Rules(Metrics, SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.ports = {kind: free_port() for kind in ("open", "token", "few")}
        cls.OPTIONS = {"sections": {"limits": {"connect_timeout": "2s", "max_connections_per_address": 5}}, "listeners": [
            {"protocol": "mqtt", "address": f"127.0.0.1:{cls.ports['open']}", "auth": ["anonymous", "password"]},
            {"protocol": "mqtt", "address": f"127.0.0.1:{cls.ports['token']}", "auth": ["token"]}]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)

    def test_each_listener_has_its_own_log_ins(self):
        token = self.gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": "anna", "password": PASSWORD})["access_token"]
        refused = (4, 5)
        for port, login, codes in ((self.ports["open"], (), (0,)), (self.ports["open"], ("anna", PASSWORD), (0,)),
                                   (self.ports["open"], ("anna", token), refused), (self.ports["open"], ("anna", "wrong"), refused),
                                   (self.ports["token"], ("anna", token), (0,)), (self.ports["token"], ("anna", PASSWORD), refused),
                                   (self.ports["token"], (), refused), (self.gateway.mqtt_port, (), refused),
                                   (self.gateway.mqtt_port, ("anna", token), (0,))):
            with self.subTest(port=port, login=[str(w)[:8] for w in login]), Wire(port) as wire:
                self.assertIn(wire.connect("rules-" + str(len(login)), *login).code, codes)

    def test_an_address_has_only_so_many_connections(self):
        def come(number):
            wire = Wire(self.gateway.mqtt_port)
            self.addCleanup(wire.close)
            try:
                return wire if wire.connect(f"crowd-{number}", "anna", PASSWORD).code == 0 else None
            except (Closed, ConnectionError):
                return None  # the connection of a REST call before is not quite gone

        wires = [wait_until(lambda number=number: come(number), f"client {number}") for number in range(5)]
        self.gateway.program.mark()
        with Wire(self.gateway.mqtt_port) as late:
            self.assertEqual(late.expect_end(), [])
        self.gateway.program.wait_for_log(r"listener\.address_full.*127\.0\.0\.1")
        turned_away = self.gateway.rest.call("GET", "/healthz")
        self.assertEqual(turned_away.status, 503, "REST counts too")
        wires[0].disconnect()

        def lets_in():
            try:
                with Wire(self.gateway.mqtt_port) as wire:
                    return wire.connect("after", "anna", PASSWORD).code == 0
            except (Closed, ConnectionError):
                return False

        wait_until(lets_in, "a place is free again", 10)
        for wire in wires[1:]:
            wire.disconnect()
        wait_until(lambda: self.gateway.rest.call("GET", "/healthz").status == 200, "REST has a place again", 10)
        self.assertGreaterEqual(self.metric("wakemq_connections_over_address_limit_total"), 1)


class Slow(Metrics, SharedGatewayCase):
    """CVE-2020-13849: who says half of something holds nothing for longer than connect_timeout."""

    COUNT = 300

    @classmethod
    def prepare(cls):
        make_authority(cls.folder)
        make_server(cls.folder)
        cls.ports = {kind: free_port() for kind in ("mqtts", "ws", "mqtt", "open")}
        tls = {"cert_file": f"{cls.folder}/server.crt", "key_file": f"{cls.folder}/server.key"}
        cls.OPTIONS = {"shards": 2, "sections": {"limits": {"connect_timeout": "1s", "connects_per_second": 400}}, "listeners": [
            {"protocol": "mqtts", "address": f"127.0.0.1:{cls.ports['mqtts']}", **tls},
            {"protocol": "ws", "address": f"127.0.0.1:{cls.ports['ws']}"},
            {"protocol": "mqtt", "address": f"127.0.0.1:{cls.ports['mqtt']}", "proxy_protocol": True},
            {"protocol": "mqtt", "address": f"127.0.0.1:{cls.ports['open']}", "auth": ["anonymous"]}]}

    def test_many_halves_of_every_kind_are_closed_and_others_served(self):
        login = ("api-key", Story(self.gateway).api_key)
        halves = [(self.gateway.mqtt_port, connect_packet("half")[:9], None),
                  (self.ports["mqtts"], b"\x16\x03\x01\x02\x00\x01", "wakemq_tls_handshakes_timed_out_total"),
                  (self.ports["ws"], upgrade_request()[:30], "wakemq_websocket_timed_out_total"),
                  (self.ports["mqtt"], PROXY_V1[:12], "wakemq_proxy_headers_timed_out_total")]
        with Wire(self.gateway.mqtt_port) as client:
            client.connect("served", *login)
            sockets = []
            for number in range(self.COUNT):
                port, data, _ = halves[number % len(halves)]
                sock = socket.create_connection(("127.0.0.1", port), timeout=scaled(20))
                self.addCleanup(sock.close)
                sock.sendall(data)
                sockets.append(sock)
                if number % 50 == 0:
                    client.ping()
            for sock in sockets:
                try:
                    self.assertEqual(sock.recv(100), b"")
                except ConnectionResetError:
                    pass
            client.ping()
            for _, _, name in halves:
                if name is not None:
                    self.assertEqual(self.metric(name), self.COUNT / len(halves))
            wait_until(lambda: self.metric("wakemq_sockets") == 1, lambda: f"{self.metric('wakemq_sockets')} sockets left", 10)

    def test_a_storm_of_connects_is_let_in_at_the_configured_pace(self):
        wires = [Wire(self.ports["open"]) for _ in range(600)]
        for number, wire in enumerate(wires):
            self.addCleanup(wire.close)
            wire.send(connect_packet(f"storm-{number}"))
        self.assertEqual({wire.expect(CONNACK).body[1] for wire in wires}, {0})

    def test_the_reason_reaches_a_client_that_keeps_sending(self):
        login = ("api-key", Story(self.gateway, "chatty").api_key)
        tls = ssl.create_default_context(cafile=f"{self.folder}/ca.crt")
        for port, context in ((self.gateway.mqtt_port, None), (self.ports["mqtts"], tls)):
            with self.subTest(port=port), Wire(port, 5, tls=context) as wire:
                wire.connect("chatty", *login)
                wire.send(packet(PUBLISH, text("x") + b"\0\1x", 6))
                flood = publish_packet("x", "y" * 1000, version=5)
                try:
                    for _ in range(500):
                        wire.send(flood)
                except (ConnectionError, ssl.SSLError):
                    pass
                self.assertEqual([p.type for p in wire.expect_end()][-1:], [DISCONNECT])


if __name__ == "__main__":
    unittest.main()
