"""A million retained messages and a subscription to all of them: sent in slices, so that the others hardly notice."""

import time
import unittest

from support.case import WakeCase
from support.postgres import shared_cluster
from support.waiting import SLOWNESS, scaled
from support.wire import PUBLISH, SUBACK, Closed, Wire, packet, text

TOPICS = 1_000_000 if SLOWNESS == 1 else 100_000
LONGEST_S = 1.0  # that a ping may take meanwhile, on a machine that does other things too


class Counter:
    """Counts the PUBLISH packets of a stream whose packets are all shorter than 128 bytes, without taking them apart."""

    def __init__(self, wire):
        self.wire, self.rest, self.count = wire, b"", 0
        wire.socket.setblocking(False)

    def read_what_is_there(self):
        try:
            data = self.rest + self.wire.socket.recv(1 << 20)
        except BlockingIOError:
            return
        if data == self.rest:
            raise Closed("end of stream")
        at, end = 0, len(data)
        while at + 2 <= end and at + 2 + data[at + 1] <= end:
            self.count += data[at] >> 4 == PUBLISH
            at += 2 + data[at + 1]
        self.rest = data[at:]


class AMillionRetained(WakeCase):
    def test_a_subscription_to_all_of_them_does_not_stall_the_shard(self):
        gateway = self.make_gateway(start=False, shards=1, sections={"auth": {"allow_anonymous": True}})
        shared_cluster().sql("INSERT INTO retained (topic, message_id, payload, qos, at, expires_at)"
                             " SELECT 'site/' || i % 1000 || '/sensor/' || i, i, 'x', 0, now(), 'infinity'"
                             f" FROM generate_series(1, {TOPICS}) i", gateway.database)
        gateway.start(seconds=120)
        greedy, other = Wire(gateway.mqtt_port), Wire(gateway.mqtt_port)
        self.addCleanup(greedy.close)
        self.addCleanup(other.close)
        greedy.connect("greedy")
        other.connect("other")
        greedy.send(packet(8, b"\0\1" + text("#") + b"\0", 2))
        self.assertEqual(greedy.expect(SUBACK).body[-1], 0)
        greedy.early.clear()
        counter = Counter(greedy)
        counter.rest = greedy.buffer
        longest, pings, end = 0.0, 0, time.monotonic() + scaled(240)
        while counter.count < TOPICS:
            self.assertLess(time.monotonic(), end, f"{counter.count} came")
            asked = time.monotonic()
            other.ping()
            longest = max(longest, time.monotonic() - asked)
            pings += 1
            counter.read_what_is_there()
        print(f"{TOPICS} retained messages came; {pings} pings meanwhile, the longest took {longest * 1000:.0f} ms")
        self.assertEqual(counter.count, TOPICS)
        self.assertGreater(pings, 20)
        self.assertLess(longest, scaled(LONGEST_S))


if __name__ == "__main__":
    unittest.main()
