"""Publishers and receivers that go on through every end of their connection, each on a thread of its own."""

import threading

from support.waiting import scaled
from support.wire import PUBACK, PUBLISH, Closed, Wire, packet, parse_publish, publish_packet


class _Worker(threading.Thread):
    """Connects with a persistent session again and again until told to stop."""

    def __init__(self, port, client_id, login):
        super().__init__(name=client_id, daemon=True)
        self.port, self.client_id, self.login = port, client_id, login
        self.stopping = threading.Event()
        self.connections = 0
        self.failure = None

    def run(self):
        try:
            while not self.is_done():
                try:
                    with Wire(self.port) as wire:
                        code = wire.connect(self.client_id, *self.login, clean=False).code
                        if code == 0:
                            self.connections += 1
                            self.converse(wire)
                except (OSError, Closed):
                    self.stopping.wait(0.01)  # nobody listens there at the moment
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error  # raised by finish()

    def finish(self):
        self.stopping.set()
        self.join(scaled(60))
        assert not self.is_alive(), f"{self.client_id} did not come to an end"
        if self.failure:
            raise self.failure


class Publisher(_Worker):
    """Publishes QoS 1 without pause, at most `window` unacknowledged, payloads "NAME/NUMBER"; after a reconnect it sends
    what was not acknowledged again, in order. Ends when told to, and everything is acknowledged."""

    def __init__(self, port, client_id, login, topic, window):
        super().__init__(port, client_id, login)
        self.topic, self.window = topic, window
        self.unacknowledged = {}  # packet id -> number, in order
        self.acknowledged = []
        self.resent = {}  # payload -> times
        self.next_number = 0

    def is_done(self):
        return self.stopping.is_set() and not self.unacknowledged

    def payload(self, number):
        return f"{self.client_id}/{number}"

    def converse(self, wire):
        for packet_id, number in self.unacknowledged.items():
            payload = self.payload(number)
            self.resent[payload] = self.resent.get(payload, 0) + 1
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


class Receiver(_Worker):
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

