"""WebSocket by hand, for frames that no library would send. `WebSocketWire` is a Wire whose MQTT bytes travel in frames."""

import base64
import hashlib
import os
import socket
import struct

from support.waiting import scaled
from support.wire import Closed, Wire

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(opcode, payload, final=True, masked=True, declared=None):
    """`declared`: a length other than the payload's."""
    length = len(payload) if declared is None else declared
    head = bytes([(0x80 if final else 0) | opcode])
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += bytes([mask_bit | 126]) + struct.pack(">H", length)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def upgrade_request(path="/mqtt", **replaced):
    """Fields by name with _ for -; None leaves one out."""
    fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
              "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(), "Sec_WebSocket_Protocol": "mqtt", **replaced}
    lines = [f"GET {path} HTTP/1.1"] + [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class WebSocketWire(Wire):
    """Opens the WebSocket at once. `closed_with`: the code of the other side's Close."""

    def __init__(self, port, version=4, tls=None, seconds=20.0, path="/mqtt", address=None, before=b"", **fields):
        self.frames = b""
        self.closed_with = None
        self.pongs = []
        if address is None:
            super().__init__(port, version, tls, seconds, before=before)
        else:
            super().__init__(port, version, tls, seconds, address=address, before=before)
        request = upgrade_request(path, **fields)
        self.socket.sendall(request)
        self.status, self.fields = self.read_head()
        if self.status == 101:
            key = next(line for line in request.decode().split("\r\n") if line.lower().startswith("sec-websocket-key")).split(": ")[1]
            expected = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            assert self.fields["sec-websocket-accept"] == expected, self.fields

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of stream")
        self.frames += data

    def read_head(self):
        while b"\r\n\r\n" not in self.frames:
            self.receive()
        head, self.frames = self.frames.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    def read_frame(self):
        """(opcode, payload) of the next frame."""
        while True:
            data, at = self.frames, 2
            if len(data) >= 2:
                assert data[0] & 0x70 == 0 and data[1] & 0x80 == 0, "a server's frames are unmasked and without extensions"
                length = data[1]
                if length == 126 and len(data) >= 4:
                    length, at = struct.unpack_from(">H", data, 2)[0], 4
                elif length == 127 and len(data) >= 10:
                    length, at = struct.unpack_from(">Q", data, 2)[0], 10
                elif length >= 126:
                    length = 1 << 40
                if len(data) >= at + length:
                    self.frames = data[at + length:]
                    return data[0] & 15, data[at:at + length]
            self.receive()

    def fill(self):
        opcode, payload = self.read_frame()
        if opcode == BINARY:
            self.buffer += payload
        elif opcode == PONG:
            self.pongs.append(payload)
        elif opcode == CLOSE:
            self.closed_with = struct.unpack_from(">H", payload)[0] if payload else 1005
            raise Closed(f"WebSocket Close {self.closed_with}")
        else:
            raise AssertionError(f"frame of kind {opcode}")

    def send(self, data):
        self.socket.sendall(frame(BINARY, data))

    def send_raw(self, data):
        self.socket.sendall(data)

    def ends_with(self):
        """The code of the Close that must come, and after it the end of the stream."""
        self.expect_end()
        try:
            while True:
                self.receive()
        except (Closed, socket.timeout) as end:
            assert isinstance(end, Closed), "Close, but the connection stays open"
        return self.closed_with
