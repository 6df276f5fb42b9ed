"""Everybody at once: ten thousand clients lose their connections and come back, as after an outage."""

import asyncio
import resource
import time
import unittest
from collections import Counter

from support.case import PASSWORD, Story, WakeCase
from support.waiting import scaled
from support.wire import CONNACK, Wire, connect_packet

CLIENTS = 10_000
ROUND_S = 90


class Phone:
    """A client that comes again, a little later each time, until it is let in."""

    def __init__(self, port, number, login):
        self.port, self.packet = port, connect_packet(f"storm-{number}", *login)
        self.writer = None

    async def connect(self):
        pause = 0.1
        while True:
            try:
                reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.writer.write(self.packet)
                connack = await asyncio.wait_for(reader.readexactly(4), 30)
                if connack[3] == 0:
                    return
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                pass
            self.drop()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3)

    def drop(self):
        if self.writer:
            self.writer.transport.abort()


class Storms(WakeCase):
    def test_ten_thousand_reconnects_recover_in_bounded_time(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft_before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.assertGreater(hard, CLIENTS + 100, "ulimit -n of this machine")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft_before, hard))
        gateway = self.make_gateway()
        login = ("api-key", Story(gateway).api_key)
        phones = [Phone(gateway.mqtt_port, number, login) for number in range(CLIENTS)]

        async def all_come():
            await asyncio.wait_for(asyncio.gather(*(phone.connect() for phone in phones)), scaled(ROUND_S))

        async def storm():
            for _ in range(2):
                begun = time.monotonic()
                await all_come()
                print(f"{CLIENTS} clients connected in {time.monotonic() - begun:.1f} s", flush=True)
                for phone in phones:
                    phone.drop()

        asyncio.run(storm())
        with Wire(gateway.mqtt_port) as late:
            self.assertEqual(late.connect("late", *login).code, 0, "and the door is open afterwards")
            late.ping()


class Takeovers(WakeCase):
    """One client id that many connections fight over, each accepted by whichever shard, and at home on one of them."""

    RIVALS, ROUNDS = 8, 100

    def test_hammered_by_many_the_session_stays_whole_and_has_one_owner(self):
        gateway = self.make_gateway(shards=4)
        story = Story(gateway)
        login = ("api-key", story.api_key)
        reader = Wire(gateway.mqtt_port, seconds=60)
        self.addCleanup(reader.close)
        reader.connect("reader", *login)
        reader.subscribe("wills/twin", qos=1)
        with Wire(gateway.mqtt_port) as first:
            first.connect("twin", *login, clean=False)
            first.subscribe("for/twin", qos=1)
        ends = Counter()

        def connect(will=None):
            return connect_packet("twin", *login, version=5, clean=False, properties=b"\x11\0\0\x0e\x10", will=will)

        async def rival():
            for _ in range(self.ROUNDS):
                stream, writer = await asyncio.open_connection("127.0.0.1", gateway.mqtt_port)
                writer.write(connect(("wills/twin", "gone", 1, False)))
                # Until somebody else takes over.
                ends[end_of(await asyncio.wait_for(stream.read(), scaled(60)))] += 1
                writer.close()

        async def hammer():
            rivals = asyncio.gather(*(rival() for _ in range(self.RIVALS)))
            while not rivals.done():  # else nobody would take over from the last of them
                stream, writer = await asyncio.open_connection("127.0.0.1", gateway.mqtt_port)
                writer.write(connect())
                await asyncio.wait({asyncio.ensure_future(stream.read()), rivals}, timeout=scaled(60),
                                   return_when=asyncio.FIRST_COMPLETED)
                writer.transport.abort()
            rivals.result()

        asyncio.run(hammer())
        self.assertEqual(sum(ends.values()), self.RIVALS * self.ROUNDS)
        self.assertEqual(set(ends) - {"taken over", "not let in"}, set(), ends)
        self.assertGreater(ends["taken over"], 0)
        for _ in range(ends["taken over"]):
            self.assertEqual(reader.read_message().payload, b"gone")
        reader.ping()
        self.assertEqual(reader.early, [], "one will for each that was taken over")
        reader.disconnect()
        with Wire(gateway.mqtt_port) as last:
            self.assertTrue(last.connect("twin", *login, clean=False).session_present)
            last.publish("for/twin", "still subscribed", packet_id=9)
            self.assertEqual(last.read_message().payload, b"still subscribed")
            story.wait_connected("reader", present=False)
            clients = story.admin.get("/v1/clients?limit=1000")["items"]
            self.assertEqual([client["client_id"] for client in clients], ["twin"])


def end_of(said):
    """How a 5.0 connection ended, by all that it was sent."""
    connack, rest = said[:2 + said[1]] if said else b"", said[2 + said[1]:] if said else b""
    if len(connack) < 4 or connack[0] != 0x20:
        return f"without a word: {said!r}"
    if connack[3] != 0:
        return "not let in"
    return "taken over" if rest[:1] == b"\xe0" and rest[2] == 0x8E else f"by {rest!r}"


class PasswordStorms(WakeCase):
    """argon2id takes tens of milliseconds of a core for each password: more than connect_timeout for this fleet."""

    FLEET = 1_000

    def test_a_fleet_with_passwords_that_was_here_before_comes_back_at_once(self):
        gateway = self.make_gateway(sections={"limits": {"connect_timeout": f"{scaled(8):.0f}s"}})
        Story(gateway)
        with Wire(gateway.mqtt_port) as first:
            self.assertEqual(first.connect("first", "anna", PASSWORD).code, 0)
        wires = []
        for number in range(self.FLEET):
            wire = Wire(gateway.mqtt_port)
            self.addCleanup(wire.close)
            wire.send(connect_packet(f"fleet-{number}", "anna", PASSWORD))
            wires.append(wire)
        codes = [wire.expect(CONNACK).body[1] for wire in wires]
        self.assertEqual(set(codes), {0}, "nobody is refused for want of time")


if __name__ == "__main__":
    unittest.main()
