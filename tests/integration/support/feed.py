"""A publisher without pause, over outages of its broker; what was acknowledged is on record."""

import threading

from support.waiting import wait_until
from support.wire import Wire


class Feed:
    """Publishes numbers at QoS 1, one after the other; after a lost connection the same number again. `login`: user name
    and password. A client of our own: paho's forgets, now and then, a message published while it reconnects. At most 200
    a second: a broker that stores nothing takes many thousands more than the slowest build can carry on in time."""

    PAUSE_S = 0.005

    def __init__(self, port, topic, login):
        self.port, self.topic, self.login, self.acknowledged = port, topic, login, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.is_set():
            try:
                with Wire(self.port) as wire:
                    wire.connect(f"feed-{self.topic.replace('/', '-')}", *self.login)
                    while not self.over.wait(self.PAUSE_S):
                        wire.publish(self.topic, str(len(self.acknowledged)), 1)
                        self.acknowledged.append(str(len(self.acknowledged)))
            except OSError:
                self.over.wait(0.2)  # the broker is away

    def wait_more(self, count):
        goal = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= goal, lambda: f"{goal} of {self.topic} acknowledged, "
                   f"{len(self.acknowledged)} are", 60)

    def stop(self):
        self.over.set()
        self.thread.join(20)
