"""Publishers and receivers that go on through every end of their connection, each on a thread of its own."""

import http.client
import threading
import urllib.error

from support.rest import Rest
from support.waiting import scaled
from support.wire import PUBACK, PUBLISH, Closed, Wire, packet, parse_publish, publish_packet


class _Worker(threading.Thread):
    """Tries again and again until told to stop; attempt() is one connection's worth."""

    def __init__(self, port, client_id):
        super().__init__(name=client_id, daemon=True)
        self.port, self.client_id = port, client_id
        self.stopping = threading.Event()
        self.connections = 0
        self.failure = None

    def run(self):
        try:
            while not self.is_done():
                try:
                    self.attempt()
                except (OSError, http.client.HTTPException, Closed):
                    self.stopping.wait(0.01)  # nobody listens there at the moment
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error  # raised by finish()

    def stop(self):
        self.stopping.set()

    def finish(self):
        self.stop()
        self.join(scaled(60))
        assert not self.is_alive(), f"{self.client_id} did not come to an end"
        if self.failure:
            raise self.failure


class _Client(_Worker):
    """Connects with a persistent session."""

    def __init__(self, port, client_id, login):
        super().__init__(port, client_id)
        self.login = login

    def attempt(self):
        with Wire(self.port) as wire:
            code = wire.connect(self.client_id, *self.login, clean=False).code
            if code == 0:
                self.connections += 1
                self.converse(wire)


class _Numbering:
    """What a publisher was promised: payloads "NAME/NUMBER"."""

    def __init__(self):
        self.acknowledged = []
        self.resent = {}  # payload -> times
        self.next_number = 0

    def payload(self, number):
        return f"{self.client_id}/{number}"

    def count_resent(self, payload):
        self.resent[payload] = self.resent.get(payload, 0) + 1


class BackEnd(_Worker, _Numbering):
    """Publishes by POST /v1/publish without pause, one after the other; a call without an answer is made again with the
    same payload. A 2xx is the acknowledgement."""

    def __init__(self, http_port, name, key, topic, qos):
        _Worker.__init__(self, http_port, name)
        _Numbering.__init__(self)
        self.rest, self.topic, self.qos = Rest(http_port, key), topic, qos
        self.is_doubtful = False  # the current number was sent, and whether it was taken is not known

    def is_done(self):
        return self.stopping.is_set() and not self.is_doubtful

    def attempt(self):
        payload = self.payload(self.next_number)
        if self.is_doubtful:
            self.count_resent(payload)
        was_doubtful, self.is_doubtful = self.is_doubtful, True
        try:
            answer = self.rest.call("POST", "/v1/publish", {"topic": self.topic, "payload": payload, "qos": self.qos})
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):  # nobody listens: this try was not taken
                self.is_doubtful = was_doubtful
            raise
        if answer.status == 503:  # still starting, or storage is away
            raise Closed(str(answer))
        assert answer.status == 200, answer
        self.connections += 1
        self.acknowledged.append(self.next_number)
        self.next_number += 1
        self.is_doubtful = False


class Publisher(_Client, _Numbering):
    """Publishes QoS 1 without pause, at most `window` unacknowledged, payloads "NAME/NUMBER"; after a reconnect it sends
    what was not acknowledged again, in order. Ends when told to, and everything is acknowledged."""

    def __init__(self, port, client_id, login, topic, window):
        _Client.__init__(self, port, client_id, login)
        _Numbering.__init__(self)
        self.topic, self.window = topic, window
        self.unacknowledged = {}  # packet id -> number, in order

    def is_done(self):
        return self.stopping.is_set() and not self.unacknowledged

    def converse(self, wire):
        for packet_id, number in self.unacknowledged.items():
            payload = self.payload(number)
            self.count_resent(payload)
            wire.send(publish_packet(self.topic, payload, 1, packet_id, dup=True))
        while not self.is_done():
            while len(self.unacknowledged) < self.window and not self.stopping.is_set():
                number = self.next_number
                packet_id = number % 65535 + 1
                self.next_number += 1
                self.unacknowledged[packet_id] = number
                wire.send(publish_packet(self.topic, self.payload(number), 1, packet_id))
            body = wire.expect(PUBACK).body
            self.acknowledged.append(self.unacknowledged.pop(int.from_bytes(body[:2], "big")))


class Receiver(_Client):
    """Acknowledges everything at once and tells `see(receiver, publisher, number)`."""

    def __init__(self, port, client_id, login, see):
        super().__init__(port, client_id, login)
        self.see = see
        self.wire = None

    def is_done(self):
        return self.stopping.is_set()

    def converse(self, wire):
        self.wire = wire
        while True:
            found = wire.read_packet()
            if found.type != PUBLISH:
                continue
            message = parse_publish(found)
            if not message.topic.startswith("$wake/"):
                publisher, number = message.payload.decode().rsplit("/", 1)
                self.see(self.client_id, publisher, int(number))
            if message.qos:
                wire.send(packet(PUBACK, message.packet_id.to_bytes(2, "big")))

    def finish(self):
        self.stopping.set()
        if self.wire is not None:
            try:
                self.wire.socket.shutdown(2)
            except OSError:
                pass  # ended already
        super().finish()


def total_acknowledged(publishers):
    return sum(len(publisher.acknowledged) for publisher in publishers)

