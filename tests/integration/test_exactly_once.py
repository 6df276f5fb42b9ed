"""QoS 2 through kill -9, both ways: step by step with a raw client, and under load with the protocol's own account."""

import os
import random
import threading
import unittest

from support.case import Story, WakeCase
from support.waiting import wait_until
from support.wire import (PUBCOMP, PUBLISH, PUBREC, PUBREL, Closed, Wire, parse_publish, publish_packet)

_KILLS = 6


class StepByStep(WakeCase):
    def setUp(self):
        super().setUp()
        self.gateway = self.make_gateway()
        self.login = ("api-key", Story(self.gateway).api_key)

    def connect(self, client_id):
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        wire.connect(client_id, *self.login, clean=False)
        return wire

    def restart(self):
        self.gateway.kill()
        self.gateway.start()

    def test_a_publish_repeated_after_the_kill_is_not_routed_again(self):
        reader = self.connect("reader")
        reader.subscribe("news", qos=2)
        reader.disconnect()
        writer = self.connect("writer")
        writer.send(publish_packet("news", "one", 2, 7))
        self.assertEqual(writer.expect_id(PUBREC), 7)
        self.restart()
        writer = self.connect("writer")
        writer.send(publish_packet("news", "one", 2, 7, dup=True))
        self.assertEqual(writer.expect_id(PUBREC), 7)
        writer.acknowledge(PUBREL, 7)
        self.assertEqual(writer.expect_id(PUBCOMP), 7)
        self.restart()
        writer = self.connect("writer")
        writer.send(publish_packet("news", "two", 2, 7))  # the id is free again
        self.assertEqual(writer.expect_id(PUBREC), 7)
        reader = self.connect("reader")
        messages = [parse_publish(reader.expect(PUBLISH)) for _ in range(2)]
        self.assertEqual([message.payload for message in messages], [b"one", b"two"])
        reader.ping()

    def test_what_is_on_its_way_keeps_its_packet_id_and_what_was_received_is_not_published_again(self):
        reader = self.connect("reader")
        reader.subscribe("news", qos=2)
        writer = self.connect("writer")
        for number, payload in enumerate(("received", "sent"), 1):
            writer.send(publish_packet("news", payload, 2, number))
        received = parse_publish(reader.expect(PUBLISH))
        sent = parse_publish(reader.expect(PUBLISH))
        self.assertEqual((received.payload, sent.payload), (b"received", b"sent"))
        reader.acknowledge(PUBREC, received.packet_id)
        self.assertEqual(reader.expect_id(PUBREL), received.packet_id)
        self.restart()
        reader = self.connect("reader")
        found = {}
        for _ in range(2):
            answer = reader.read_packet()
            found[answer.type] = answer
        self.assertEqual(int.from_bytes(found[PUBREL].body, "big"), received.packet_id)
        again = parse_publish(found[PUBLISH])
        self.assertEqual((again.payload, again.packet_id, again.dup), (b"sent", sent.packet_id, True))
        reader.acknowledge(PUBCOMP, received.packet_id)
        reader.acknowledge(PUBREC, again.packet_id)
        self.assertEqual(reader.expect_id(PUBREL), again.packet_id)
        reader.acknowledge(PUBCOMP, again.packet_id)
        reader.ping()


class _Worker(threading.Thread):
    """Connects with a persistent session again and again until done."""

    def __init__(self, port, client_id, login):
        super().__init__(name=client_id, daemon=True)
        self.port, self.client_id, self.login = port, client_id, login
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        while not self.is_done() and self.failure is None:
            try:
                with Wire(self.port) as wire:
                    if wire.connect(self.client_id, *self.login, clean=False).code == 0:
                        self.converse(wire)
            except (OSError, Closed):
                self.stopping.wait(0.01)  # nobody listens there at the moment
            except AssertionError as error:
                self.failure = error


class _Sender(_Worker):
    """Up to `window` publishes open; packet ids are used again as soon as they may be."""

    def __init__(self, port, client_id, login, window):
        super().__init__(port, client_id, login)
        self.window = window
        self.open = {}  # packet id -> [number, has PUBREC], in order of the numbers
        self.completed = []
        self.count = 0

    def is_done(self):
        return self.stopping.is_set() and not self.open

    def converse(self, wire):
        for packet_id, (number, is_received) in self.open.items():
            if is_received:
                wire.acknowledge(PUBREL, packet_id)
            else:
                wire.send(publish_packet("load", f"{self.client_id}/{number}", 2, packet_id, dup=True))
        while not self.is_done():
            while len(self.open) < self.window and not self.stopping.is_set():
                packet_id = next(i for i in range(1, self.window + 1) if i not in self.open)
                self.open[packet_id] = [self.count, False]
                wire.send(publish_packet("load", f"{self.client_id}/{self.count}", 2, packet_id))
                self.count += 1
            answer = wire.read_packet()
            packet_id = int.from_bytes(answer.body[:2], "big")
            if answer.type == PUBREC:
                self.open[packet_id][1] = True
                wire.acknowledge(PUBREL, packet_id)
            elif answer.type == PUBCOMP:
                self.completed.append(self.open.pop(packet_id)[0])


class _Taker(_Worker):
    """Keeps the ids it has PUBREC'd, as a receiver must, and takes a message only when its id is not among them."""

    def __init__(self, port, client_id, login):
        super().__init__(port, client_id, login)
        self.unreleased = set()
        self.taken = []

    def is_done(self):
        return self.stopping.is_set()

    def converse(self, wire):
        wire.socket.settimeout(1)
        while not self.is_done():
            try:
                found = wire.read_packet()
            except TimeoutError:
                continue
            if found.type == PUBLISH:
                message = parse_publish(found)
                if message.packet_id not in self.unreleased:
                    self.unreleased.add(message.packet_id)
                    self.taken.append(message.payload.decode())
                wire.acknowledge(PUBREC, message.packet_id)
            elif found.type == PUBREL:
                packet_id = int.from_bytes(found.body[:2], "big")
                self.unreleased.discard(packet_id)
                wire.acknowledge(PUBCOMP, packet_id)


class UnderLoad(WakeCase):
    def test_kills_under_load_lose_nothing_and_repeat_nothing(self):
        seed = int(os.environ.get("WAKE_TEST_SEED", random.SystemRandom().randrange(10**6)))
        dice = random.Random(seed)
        gateway = self.make_gateway(sections={"server": {"shards": 3}})
        login = ("api-key", Story(gateway).api_key)
        takers = [_Taker(gateway.mqtt_port, f"taker{i}", login) for i in range(4)]
        for taker in takers:
            with Wire(gateway.mqtt_port) as wire:
                wire.connect(taker.client_id, *login, clean=False)
                self.assertEqual(wire.subscribe("load", qos=2), 2)
                wire.disconnect()
        senders = [_Sender(gateway.mqtt_port, f"sender{i}", login, window) for i, window in enumerate((3, 20))]
        for worker in (*takers, *senders):
            worker.start()
        for _ in range(_KILLS):
            goal = sum(len(s.completed) for s in senders) + dice.randint(20, 300)
            wait_until(lambda: sum(len(s.completed) for s in senders) >= goal, "more are completed", 60)
            gateway.kill()
            gateway.start()
        for sender in senders:
            sender.stopping.set()
            sender.join(60)
            self.assertFalse(sender.is_alive(), f"{sender.client_id}: {sender.open}")
        expected = {f"{s.client_id}/{number}" for s in senders for number in range(s.count)}
        wait_until(lambda: all(len(t.taken) >= len(expected) for t in takers),
                   lambda: f"seed {seed}: {[(t.client_id, len(t.taken), t.failure) for t in takers]} of {len(expected)}", 60)
        for taker in takers:
            taker.stopping.set()
            taker.join(60)
            self.assertEqual(len(taker.taken), len(set(taker.taken)), f"seed {seed}: {taker.client_id} has repetitions")
            self.assertEqual(set(taker.taken), expected, f"seed {seed}")
            for sender in senders:
                own = [int(p.split("/")[1]) for p in taker.taken if p.startswith(sender.client_id + "/")]
                self.assertEqual(own, sorted(own), f"seed {seed}: order of {sender.client_id} at {taker.client_id}")
        print(f"seed {seed}: {_KILLS} kills, {len(expected)} QoS 2 messages, each taken once by {len(takers)} receivers")


if __name__ == "__main__":
    unittest.main()
