"""Everybody at once: ten thousand clients lose their connections and come back, as after an outage."""

import asyncio
import resource
import time
import unittest

from support.case import WakeCase, Story
from support.waiting import scaled
from support.wire import Wire, connect_packet

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


if __name__ == "__main__":
    unittest.main()
