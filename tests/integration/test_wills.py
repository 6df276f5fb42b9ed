"""Wills whose gateway goes first, or in the midst of it: kill -9, SIGTERM, restart. Real clients where it can be a real client."""

import os
import struct
import subprocess
import time
import unittest

from support.case import Story, WakeCase
from support.gateway import Gateway
from support.postgres import shared_cluster
from support.waiting import scaled, wait_until
from support.wire import DISCONNECT, PUBLISH, Wire

_ROUNDS = 9


def _expiry(seconds):
    return b"\x11" + struct.pack(">I", seconds)


class Wills(WakeCase):
    def setUp(self):
        super().setUp()
        self.gateway = self.make_gateway(shards=3)
        self.story = Story(self.gateway)
        self.login = ("api-key", self.story.api_key)
        with self.reader() as reader:
            reader.subscribe("wills/#", qos=1)
            reader.disconnect()

    def reader(self):
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        wire.connect("reader", *self.login, clean=False)
        return wire

    def client(self, client_id, will, expiry=0, login=None):
        """A 5.0 client; `expiry` of its session, in seconds."""
        wire = Wire(self.gateway.mqtt_port, version=5)
        self.addCleanup(wire.close)
        answer = wire.connect(client_id, *(login or self.login), clean=False, properties=_expiry(expiry), will=will)
        self.assertEqual(answer.code, 0)
        return wire

    def read(self, reader, count):
        return [reader.read_message().payload.decode() for _ in range(count)]

    def wills_kept(self):
        return int(shared_cluster().sql("SELECT count(*) FROM wills", self.gateway.database)[0])

    def test_those_of_real_clients_that_die_with_the_gateway_are_published_once(self):
        clients = []
        for version in ("mqttv311", "mqttv5"):
            for qos in (0, 1, 2):
                name = f"{version}-{qos}"
                retain = ["--will-retain"] if qos == 1 else []
                clients.append(subprocess.Popen(
                    ["mosquitto_sub", "-h", "localhost", "-p", str(self.gateway.mqtt_port), "-V", version, "-i", name,
                     "-u", self.login[0], "-P", self.login[1], "-t", "nothing", "--will-topic", f"wills/{name}",
                     "--will-payload", name, "--will-qos", str(qos), *retain],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                self.addCleanup(clients[-1].wait)
                self.addCleanup(clients[-1].kill)
        names = sorted(f"{version}-{qos}" for version in ("mqttv311", "mqttv5") for qos in (0, 1, 2))
        self.story.wait_connected(*names)
        for client in clients:
            client.kill()  # some are noticed before the gateway goes, some are not
        self.gateway.kill()
        self.gateway.start()
        reader = self.reader()
        stored = [name for name in names if not name.endswith("-0")]  # the reader was away: no QoS 0
        self.assertEqual(sorted(self.read(reader, len(stored))), stored)
        reader.ping()
        self.assertEqual(reader.early, [])
        with Wire(self.gateway.mqtt_port) as late:
            late.connect("late", *self.login)
            late.subscribe("wills/#")
            kept = [late.read_message() for _ in range(2)]
            self.assertEqual(sorted(message.payload.decode() for message in kept), ["mqttv311-1", "mqttv5-1"])
            late.ping()
            self.assertEqual(late.early, [])
        wait_until(lambda: self.wills_kept() == 0, lambda: f"{self.wills_kept()} wills are still kept")

    def test_a_proper_disconnect_leaves_nothing_for_the_next_start(self):
        client = self.client("proper", ("wills/proper", "gone", 1, False), expiry=60)
        client.disconnect()
        self.story.wait_connected("proper", present=False)
        wait_until(lambda: self.wills_kept() == 0, lambda: f"{self.wills_kept()} wills are still kept")
        self.client("sentinel", ("wills/sentinel", "sentinel", 1, False))
        self.gateway.kill()
        self.gateway.start()
        self.assertEqual(self.read(self.reader(), 1), ["sentinel"])

    def test_at_a_shutdown_they_wait_for_the_next_start(self):
        client = self.client("stopped", ("wills/stopped", "gone", 1, False))
        reader = self.reader()
        self.gateway.stop()
        self.assertEqual((client.expect(DISCONNECT).body[0]), 0x8B)
        self.assertEqual(reader.expect_end(), [])
        self.gateway.start()
        self.assertEqual(self.read(self.reader(), 1), ["gone"])

    def test_one_that_was_just_published_when_the_gateway_was_killed_is_published_once(self):
        for number in range(_ROUNDS):
            watcher = Wire(self.gateway.mqtt_port)
            self.addCleanup(watcher.close)
            watcher.connect("watcher", *self.login)
            watcher.subscribe("wills/#", qos=0)
            self.client(f"victim-{number}", (f"wills/{number}", f"gone {number}", 2, False)).close()
            if number % 3 > 0:
                watcher.expect(PUBLISH)  # so it is being stored, or is
            if number % 3 > 1:
                wait_until(lambda: self.wills_kept() == 0, lambda: f"{self.wills_kept()} wills are still kept")
            self.gateway.kill()
            self.gateway.start()
        reader = self.reader()
        expected = [f"gone {number}" for number in range(_ROUNDS)]
        self.assertEqual(sorted(self.read(reader, _ROUNDS)), expected)
        reader.ping()
        self.assertEqual(reader.early, [])

    def test_a_delay_is_never_cut_short_and_who_is_back_in_time_is_not_mourned(self):
        self.client("returns", ("wills/returns", "returns", 1, False, 3), expiry=60)
        self.client("stays away", ("wills/away", "away", 1, False, 3), expiry=60)
        self.client("left before", ("wills/before", "before", 1, False, 3), expiry=60).close()
        left = time.monotonic()
        self.story.wait_connected("left before", present=False)
        self.gateway.kill()
        restarted = time.monotonic()
        self.gateway.start()
        self.client("returns", ("wills/returns", "returns", 1, False, 3), expiry=60)
        reader = self.reader()
        self.assertEqual(self.read(reader, 1), ["before"])
        self.assertGreaterEqual(time.monotonic() - left, 2.9)
        self.assertEqual(self.read(reader, 1), ["away"])
        self.assertGreaterEqual(time.monotonic() - restarted, 3)
        reader.ping()
        self.assertEqual(reader.early, [])

    def test_one_that_lost_its_permission_meanwhile_is_not_published(self):
        secret = self.story.add_camera("CAM1")
        self.client("CAM1", ("wills/CAM1", "of a removed device", 1, False), login=("CAM1", secret))
        self.client("sentinel", ("wills/sentinel", "sentinel", 1, False))
        self.gateway.kill()
        self.gateway.command("device", "remove", "CAM1")
        self.gateway.start()
        self.assertEqual(self.read(self.reader(), 1), ["sentinel"])
        self.gateway.program.wait_for_log(r"will\.denied")
        wait_until(lambda: self.wills_kept() == 0, lambda: f"{self.wills_kept()} wills are still kept")



class OfAnotherGateway(WakeCase):
    """Several gateways on one database, and one of them is gone for good: those that live publish its clients' wills."""

    def setUp(self):
        super().setUp()
        self.dying = self.make_gateway(shards=2)
        self.login = ("api-key", Story(self.dying).api_key)
        self.heirs = [self.another("first"), self.another("second")]

    def another(self, name):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        gateway = Gateway(folder, self.dying.sections["database"]["url"], shards=2)
        self.addCleanup(gateway.stop)
        return gateway.start()

    def client(self, gateway, client_id, will=None, expiry=0):
        wire = Wire(gateway.mqtt_port, version=5)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(client_id, *self.login, clean=False, properties=_expiry(expiry), will=will).code, 0)
        return wire

    def watchers(self, *more):
        """One at each heir, and at each of `more` gateways."""
        watchers = [self.client(gateway, f"watcher {number}") for number, gateway in enumerate([*self.heirs, *more])]
        for watcher in watchers:
            watcher.subscribe("wills/#", qos=1)
        return watchers

    def wills_kept(self):
        return int(shared_cluster().sql("SELECT count(*) FROM wills", self.dying.database)[0])

    def wait_no_will_kept(self):
        wait_until(lambda: self.wills_kept() == 0, lambda: f"{self.wills_kept()} wills are still kept", 60)

    def said(self, watchers):
        """What all watchers have been sent by now."""
        payloads = []
        for watcher in watchers:
            watcher.ping()
            while watcher.early:
                payloads.append(watcher.read_message().payload.decode())
        return payloads

    def test_they_are_published_once_though_two_notice_at_once(self):
        names = [f"client-{number:02}" for number in range(40)]
        clients = [self.client(self.dying, name, (f"wills/{name}", name, 1, False)) for name in names]
        watchers = self.watchers()
        self.dying.kill()
        killed = time.monotonic()
        self.wait_no_will_kept()
        self.assertLess(time.monotonic() - killed, scaled(20))
        self.assertEqual(sorted(self.said(watchers)), names)
        self.assertEqual(len(clients), len(names))

    def test_a_delay_is_kept_and_a_retained_will_is_there_for_who_comes_later(self):
        self.client(self.dying, "delayed", ("wills/delayed", "delayed", 1, True, 4), expiry=60)
        watchers = self.watchers()
        self.dying.kill()
        killed = time.monotonic()
        self.wait_no_will_kept()
        self.assertGreaterEqual(time.monotonic() - killed, 4)
        self.assertEqual(self.said(watchers), ["delayed"])
        self.dying.start()
        late = self.client(self.dying, "late")
        late.subscribe("wills/#", qos=1)
        self.assertEqual(late.read_message().payload, b"delayed")

    def test_who_is_back_at_one_that_lives_is_not_mourned(self):
        self.client(self.dying, "back", ("wills/back", "back", 1, False))
        self.client(self.dying, "back for long", ("wills/back", "back for long", 1, False), expiry=60)
        self.client(self.dying, "gone", ("wills/gone", "gone", 1, False))
        watchers = self.watchers()
        self.dying.kill()
        self.client(self.heirs[0], "back for long", expiry=60)
        for heir in self.heirs:  # it is not known who will look first
            self.client(heir, "back")
        self.wait_no_will_kept()
        self.assertEqual(self.said(watchers), ["gone"])

    def test_one_that_only_lost_its_connection_for_a_moment_is_not_taken_for_dead(self):
        living = self.client(self.dying, "living", ("wills/living", "living", 1, False))
        watchers = self.watchers(self.dying)
        shared_cluster().sql("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
                             " AND classid = 2002873189 AND objid = 0"
                             " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                             self.dying.database)
        self.dying.program.wait_for_log(r"db\.node_lease_back", 30)
        # Another that is gone is noticed only after a grace that began later than this one's would have.
        another = self.another("third")
        self.client(another, "gone", ("wills/gone", "gone", 1, False))
        another.kill()
        wait_until(lambda: self.wills_kept() == 1, lambda: f"{self.wills_kept()} wills are kept", 60)
        self.assertEqual(self.said(watchers), ["gone"])
        living.ping()


if __name__ == "__main__":
    unittest.main()
