"""PostgreSQL is down at the start, or goes away later: nothing that needs it is acknowledged, /readyz says so, and when it
is back everything goes on. Each test stops a cluster of its own."""

import socket
import unittest

from support.case import Story, WakeCase
from support.postgres import Cluster
from support.waiting import wait_until
from support.wire import PINGRESP, PUBACK, PUBLISH, PINGREQ, Wire, packet, parse_publish, publish_packet


class PostgresAway(WakeCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().create()
        cls.addClassCleanup(cls.cluster.remove)

    def setUp(self):
        super().setUp()
        if not self.cluster.is_running():
            self.cluster.start()

    def test_down_at_the_start(self):
        gateway = self.make_gateway(start=False, cluster=self.cluster)
        self.cluster.stop()
        gateway.start(until="alive")
        answer = gateway.rest.call("GET", "/readyz")
        self.assertEqual(answer.status, 503)
        is_ready, detail = gateway.readiness("postgresql")
        self.assertFalse(is_ready)
        self.assertTrue(detail, "it says what to do")
        self.assertTrue(gateway.program.is_running())
        self.cluster.start()
        wait_until(gateway.rest.is_ready, lambda: f"ready again: {gateway.rest.call('GET', '/readyz')}", 40)
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port) as wire:
            self.assertEqual(wire.connect("early", *login).code, 0)
            wire.publish("x", "works")

    def test_commands_say_that_it_is_down(self):
        gateway = self.make_gateway(start=False, cluster=self.cluster)
        self.cluster.stop()
        self.assertIn("PostgreSQL", gateway.command("migrate", expect=1))
        self.assertIn("PostgreSQL", gateway.command("user", "list", expect=1))

    def test_stopped_later(self):
        gateway = self.make_gateway(cluster=self.cluster)
        login = ("api-key", Story(gateway).api_key)
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("sleeper", *login, clean=False)
            wire.subscribe("owed/#")
            wire.disconnect()
        publisher, listener = Wire(gateway.mqtt_port), Wire(gateway.mqtt_port)
        self.addCleanup(publisher.close)
        self.addCleanup(listener.close)
        publisher.connect("publisher", *login)
        listener.connect("listener", *login)
        listener.subscribe("free/#", qos=0)
        publisher.publish("owed/1", "before")
        self.cluster.stop("immediate")
        wait_until(lambda: gateway.rest.call("GET", "/readyz").status == 503, "/readyz is 503", 40)
        self.assertFalse(gateway.readiness("postgresql")[0])
        self.assertTrue(gateway.rest.is_alive())

        # QoS 0 flows between those who are there; QoS 1 for the sleeper stays unacknowledged.
        publisher.send(publish_packet("owed/2", "during", 1, 2))
        publisher.send(publish_packet("free/1", "flows", 0))
        self.assertEqual(listener.read_message().payload, b"flows")
        publisher.send(packet(PINGREQ))
        self.assertEqual(publisher.read_packet().type, PINGRESP, "no PUBACK came before it")

        self.cluster.start()
        self.assertEqual(publisher.expect(PUBACK).body[:2], b"\0\2", "the PUBACK comes when it is durable")
        wait_until(gateway.rest.is_ready, "ready again", 40)
        gateway.kill()
        gateway.start()
        with Wire(gateway.mqtt_port) as wire:
            wire.connect("sleeper", *login, clean=False)
            self.assertEqual(self.first_sights(wire, 2), [b"before", b"during"])

    def test_new_clients_are_refused_meanwhile_and_can_tell_why(self):
        gateway = self.make_gateway(cluster=self.cluster)
        story = Story(gateway)
        self.cluster.stop()
        wait_until(lambda: gateway.rest.call("GET", "/readyz").status == 503, "/readyz is 503", 40)
        for version, code in ((4, 3), (5, 0x88)):
            with self.subTest(version=version), Wire(gateway.mqtt_port, version) as wire:
                self.assertEqual(wire.connect("late", "anna", "correct horse battery").code, code)
        self.assertEqual(story.user.call("GET", "/v1/me/messages").status, 503)

    def first_sights(self, wire, count):
        seen = []
        try:
            while len(seen) < count:
                found = wire.read_packet()
                if found.type == PUBLISH:
                    message = parse_publish(found)
                    wire.puback(message)
                    if message.payload not in seen:
                        seen.append(message.payload)
        except socket.timeout:
            self.fail(f"{count} messages, came {seen}")
        return seen


if __name__ == "__main__":
    unittest.main()
