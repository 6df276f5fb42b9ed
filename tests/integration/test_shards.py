"""A message reaches every receiver whichever shard each is at home on: with 1, 2 and 4 shards the same."""

import unittest

from support.case import Story, WakeCase
from support.wire import Wire

_CLIENTS = 12  # client ids are spread by a hash: with 4 shards all are in use


class Shards(WakeCase):
    def deliver_to_all(self, shards):
        gateway = self.make_gateway(shards=shards)
        login = ("api-key", Story(gateway).api_key)
        present = [Wire(gateway.mqtt_port) for _ in range(_CLIENTS)]
        for number, wire in enumerate(present):
            self.addCleanup(wire.close)
            wire.connect(f"present-{number}", *login)
            self.assertEqual(wire.subscribe("all/#"), 1)
        for number in range(_CLIENTS):
            with Wire(gateway.mqtt_port) as wire:
                wire.connect(f"absent-{number}", *login, clean=False)
                wire.subscribe("all/+/x")
                wire.disconnect()
        for number in range(_CLIENTS):
            with Wire(gateway.mqtt_port) as wire:
                wire.connect(f"publisher-{number}", *login)
                wire.publish(f"all/{number}/x", f"from {number}")
                wire.disconnect()
        expected = [f"from {number}".encode() for number in range(_CLIENTS)]
        for wire in present:
            self.assertEqual([wire.read_message().payload for _ in range(_CLIENTS)], expected)
        for number in range(_CLIENTS):
            with Wire(gateway.mqtt_port) as wire:
                self.assertTrue(wire.connect(f"absent-{number}", *login, clean=False).session_present)
                self.assertEqual([wire.read_message().payload for _ in range(_CLIENTS)], expected)

    def test_one(self):
        self.deliver_to_all(1)

    def test_two(self):
        self.deliver_to_all(2)

    def test_four(self):
        self.deliver_to_all(4)


if __name__ == "__main__":
    unittest.main()
