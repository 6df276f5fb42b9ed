"""Repeating a POST with its Idempotency-Key does nothing twice: over kill -9 of the gateway at any moment, with two at once, and
with PostgreSQL away when the answer is to be kept."""

import concurrent.futures
import http.client
import threading
import unittest

from support.case import Story, WakeCase
from support.simulators import Fcm
from support.waiting import scaled, wait_until

TOPIC = "/home/CAM1/door"
KILLS = 6


class BackEnd(threading.Thread):
    """Publishes numbers one after the other, each until it is answered 200, always with the number's own key."""

    def __init__(self, rest):
        super().__init__(daemon=True)
        self.rest, self.answers, self.repeated = rest, [], 0
        self.over, self.failure = threading.Event(), None

    def run(self):
        try:
            while not self.over.is_set():
                self.answers.append(self.publish(str(len(self.answers))))
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error  # raised by finish()

    def publish(self, number):
        while True:
            try:
                answer = self.rest.call("POST", "/v1/publish", {"topic": TOPIC, "payload": number}, key=f"number-{number}")
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                self.over.wait(0.02)  # nobody listens there at the moment
                continue
            if answer.status == 200:
                return answer.json["message_id"]
            assert answer.status in (409, 503), answer
            self.repeated += 1
            self.over.wait(0.02)  # it is starting

    def wait_more(self, count):
        goal = len(self.answers) + count
        wait_until(lambda: self.failure or len(self.answers) >= goal, lambda: f"{goal} answers, {len(self.answers)} came", 60)

    def finish(self):
        self.over.set()
        self.join(scaled(60))
        assert not self.is_alive(), "the back end did not come to an end"
        if self.failure:
            raise self.failure
        return self.answers


class Repetition(WakeCase):
    def setUp(self):
        super().setUp()
        self.fcm = Fcm(self.folder)
        self.addCleanup(self.fcm.stop)
        self.gateway = self.make_gateway(apps=[self.fcm.app()], shards=4)
        self.story = Story(self.gateway, "alice")
        for number in range(4):  # on different shards
            self.story.add_phone(f"phone{number}", "fcm", f"fcm:phone{number}")
        self.story.add_camera("CAM1")
        self.story.pair("CAM1", TOPIC)
        self.earlier = {self.wake_ids(number, 1)[0] for number in range(4)}  # that they are paired

    def wake_ids(self, phone, count):
        """On the phone's screen, once there are so many."""
        screen = self.fcm.phone(f"fcm:phone{phone}", shown=count, seconds=60)
        return [notification["wake_id"] for notification in screen["notifications"]]

    def test_publishes_over_kills_are_one_message_each(self):
        back_end = BackEnd(self.story.admin)
        back_end.start()
        for kill in range(KILLS):
            back_end.wait_more(5 + 3 * kill)
            self.gateway.kill()
            self.gateway.start()
        back_end.wait_more(5)
        answers = back_end.finish()
        self.assertGreater(back_end.repeated, 0, "no kill hit anything")
        inbox = self.story.inbox()
        self.assertEqual([message["payload"] for message in inbox], [str(number) for number in range(len(answers))])
        self.assertEqual([message["id"] for message in inbox], answers)
        for number in range(4):
            shown = [wake_id for wake_id in self.wake_ids(number, len(answers) + 1) if wake_id not in self.earlier]
            self.assertEqual(sorted(shown), sorted(answers), f"phone{number} shows each once")

    def test_many_at_once_are_one(self):
        body = {"topic": TOPIC, "payload": "once"}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.story.admin.call("POST", "/v1/publish", body, key="same"), range(24)))
        self.assertLessEqual({answer.status for answer in answers}, {200, 409})
        for answer in answers:
            if answer.status == 409:
                self.assertEqual(answer.headers["Retry-After"], "1")
        self.assertEqual(len({answer.raw for answer in answers if answer.status == 200}), 1)
        self.assertEqual([message["payload"] for message in self.story.inbox()], ["once"])

    def test_a_creation_that_is_repeated_after_a_restart_gets_its_first_answer(self):
        entry = {"filter": "/home/CAM1/bell", "title": "Bell"}
        first = self.story.user.call("POST", "/v1/me/topics", entry, key="bell")
        self.assertEqual(first.status, 201, first)
        self.gateway.kill()
        self.gateway.start()
        again = self.story.user.call("POST", "/v1/me/topics", entry, key="bell")
        self.assertEqual((again.status, again.raw), (201, first.raw))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual(len(self.story.entries()), 2)


if __name__ == "__main__":
    unittest.main()
