"""A raw MQTT client on a socket: for bytes that no library would send, acknowledgements at the moment a test chooses,
and exact knowledge of what came. Versions 3 (3.1), 4 (3.1.1) and 5; of 5.0 the properties are skipped or raw bytes."""

import socket
import ssl
import struct
from collections import namedtuple

from support.waiting import scaled

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 12, 13, 14

Packet = namedtuple("Packet", "type flags body")
Message = namedtuple("Message", "topic payload qos retain dup packet_id")
Connack = namedtuple("Connack", "session_present code")


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def varint(number):
    out = bytearray()
    while True:
        out.append(number % 128 | (0x80 if number >= 128 else 0))
        number //= 128
        if number == 0:
            return bytes(out)


def packet(packet_type, body=b"", flags=0):
    return bytes([packet_type << 4 | flags]) + varint(len(body)) + body


def connect_packet(client_id, username=None, password=None, version=4, clean=True, keep_alive=60, properties=b"",
                   will=None):
    """`will`: (topic, payload, qos, retain), of 5.0 and its delay in seconds where it has one."""
    flags = 0x02 if clean else 0
    payload = text(client_id)
    if will is not None:
        topic, content, qos, retain, *delay = will
        flags |= 0x04 | qos << 3 | (0x20 if retain else 0)
        will_properties = b"\x18" + struct.pack(">I", delay[0]) if delay else b""
        payload += varint(len(will_properties)) + will_properties if version == 5 else b""
        payload += text(topic) + text(content)
    if username is not None:
        flags |= 0x80
        payload += text(username)
    if password is not None:
        flags |= 0x40
        payload += text(password)
    head = text("MQIsdp" if version == 3 else "MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive)
    if version == 5:
        head += varint(len(properties)) + properties
    return packet(CONNECT, head + payload)


def publish_packet(topic, payload, qos=0, packet_id=0, retain=False, dup=False, version=4):
    body = text(topic) + (struct.pack(">H", packet_id) if qos else b"") + (b"\0" if version == 5 else b"")
    raw = payload.encode() if isinstance(payload, str) else payload
    return packet(PUBLISH, body + raw, (8 if dup else 0) | qos << 1 | int(retain))


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7


def parse_publish(whole, version=4):
    size = struct.unpack_from(">H", whole.body)[0]
    at = 2 + size
    topic, packet_id, qos = whole.body[2:at].decode(), 0, whole.flags >> 1 & 3
    if qos:
        packet_id, at = struct.unpack_from(">H", whole.body, at)[0], at + 2
    if version == 5:
        length, at = read_varint(whole.body, at)
        at += length
    return Message(topic, whole.body[at:], qos, bool(whole.flags & 1), bool(whole.flags & 8), packet_id)


class Closed(ConnectionError):
    """The other side ended the connection."""


class Wire:
    """One connection. Every read has a deadline: socket.timeout is a failed test. `address`: of a Unix socket, instead of
    the port. `before`: bytes that precede TLS."""

    def __init__(self, port, version=4, tls=None, seconds=20.0, address=None, before=b""):
        self.version = version
        self.buffer = b""
        self.early = []  # messages that came before the answer to a request
        if address is not None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(scaled(seconds))
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=scaled(seconds))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(before)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Without DISCONNECT."""
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_packet(self):
        """The next packet; Closed when there is none."""
        while True:
            if len(self.buffer) >= 2:
                try:
                    length, at = read_varint(self.buffer, 1)
                    if len(self.buffer) >= at + length:
                        head, body = self.buffer[0], self.buffer[at:at + length]
                        self.buffer = self.buffer[at + length:]
                        return Packet(head >> 4, head & 15, body)
                except IndexError:
                    pass  # the length is not whole yet
            self.fill()

    def fill(self):
        """More bytes into the buffer."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self.buffer += data

    def expect(self, packet_type):
        """The next packet, which must be of this type. Messages that arrive before an answer wait for read_message()."""
        found = self.early.pop(0) if packet_type == PUBLISH and self.early else self.read_packet()
        while found.type == PUBLISH and packet_type in (SUBACK, PUBACK, PINGRESP):
            self.early.append(found)
            found = self.read_packet()
        assert found.type == packet_type, f"expected packet type {packet_type}, came {found}"
        return found

    def expect_end(self):
        """Packets until the other side closes."""
        packets = []
        try:
            while True:
                packets.append(self.read_packet())
        except Closed:
            return packets

    def send_connect(self, client_id, username=None, password=None, **options):
        self.send(connect_packet(client_id, username, password, version=self.version, **options))

    def connect(self, client_id, username=None, password=None, **options):
        self.send_connect(client_id, username, password, **options)
        return self.expect_connack()

    def expect_connack(self):
        body = self.expect(CONNACK).body
        return Connack(bool(body[0] & 1), body[1])

    def subscribe(self, topic_filter, qos=1, packet_id=1):
        """The return code."""
        head = struct.pack(">H", packet_id) + (b"\0" if self.version == 5 else b"")
        self.send(packet(SUBSCRIBE, head + text(topic_filter) + bytes([qos]), 2))
        return self.expect(SUBACK).body[-1]

    def publish(self, topic, payload, qos=1, packet_id=1, **options):
        """Waits for the PUBACK of QoS 1; its body."""
        self.send(publish_packet(topic, payload, qos, packet_id, version=self.version, **options))
        return self.expect(PUBACK).body if qos == 1 else None

    def puback(self, message):
        self.send(packet(PUBACK, struct.pack(">H", message.packet_id)))

    def read_message(self, acknowledge=True):
        """The next PUBLISH; nothing but messages may come before it."""
        message = parse_publish(self.expect(PUBLISH), self.version)
        if acknowledge and message.qos == 1:
            self.puback(message)
        return message

    def acknowledge(self, packet_type, packet_id):
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        self.send(packet(packet_type, struct.pack(">H", packet_id), 2 if packet_type == PUBREL else 0))

    def expect_id(self, packet_type):
        """The packet id of the next packet, which must be of this type."""
        return struct.unpack_from(">H", self.expect(packet_type).body)[0]

    def ping(self):
        """A round trip: what was sent before has been read by the gateway."""
        self.send(packet(PINGREQ))
        self.expect(PINGRESP)

    def disconnect(self):
        self.send(packet(DISCONNECT))
        self.close()
