"""A publisher without pause, over outages of its broker; what was acknowledged is on record."""

import threading

import paho.mqtt.client as paho

from support.waiting import wait_until


class Feed:
    """Publishes numbers at QoS 1, one after the other, reconnecting. `login`: user name and password."""

    def __init__(self, port, topic, login):
        self.topic, self.acknowledged, self.is_over = topic, [], False
        self.client = paho.Client(client_id=f"feed-{topic.replace('/', '-')}", clean_session=False)
        self.client.username_pw_set(*login)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("localhost", port)
        self.client.loop_start()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.is_over:
            info = self.client.publish(self.topic, str(number), 1)
            while not self.is_over and not info.is_published():
                try:
                    info.wait_for_publish(1)
                except RuntimeError:  # paho's word for: not connected now
                    pass
            if info.is_published():
                self.acknowledged.append(str(number))
            number += 1

    def wait_more(self, count):
        goal = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= goal, lambda: f"{goal} of {self.topic} acknowledged, "
                   f"{len(self.acknowledged)} are", 60)

    def stop(self):
        self.is_over = True
        self.thread.join(20)
        self.client.disconnect()
        self.client.loop_stop()
