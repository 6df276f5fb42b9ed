"""Everybody at once: ten thousand clients lose their connections and come back, as after an outage."""

import asyncio
import resource
import time
import unittest

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
