"""Publishers publish without pause while the gateway is killed ten times. Every acknowledged message is accounted for at
every receiver, first sights keep each publisher's order, and no phone is shown anything twice.

WAKE_TEST_LOSE=1 drops one message from each receiver's account: the test must fail then."""

import os
import random
import unittest

from support.account import Account, ledger_complaints
from support.case import Story, WakeCase
from support.crowd import Publisher, Receiver, total_acknowledged
from support.waiting import wait_until
from support.wire import Wire

_KILLS = 10
_APNS_TOKEN, _FCM_TOKEN, _MOTION = "ef" * 32, "fcm:kill", "/home/CAM1/motion"


class Kill(WakeCase):
    def test_ten_kills_lose_nothing_and_show_nothing_twice(self):
        seed = int(os.environ.get("WAKE_TEST_SEED", random.SystemRandom().randrange(10**6)))
        dice = random.Random(seed)
        self.prepare()
        crowd = [*self.publishers, *self.receivers]
        for worker in crowd:
            worker.start()
        for number in range(_KILLS):
            goal = total_acknowledged(self.publishers) + dice.randint(30, 900)
            wait_until(lambda: total_acknowledged(self.publishers) >= goal, lambda: self.state(crowd), 60)
            self.gateway.kill()
            if number % 3 == 2:  # once more, in the midst of its start
                self.gateway.launch().program.wait_for_log(dice.choice((r"gateway\.starting", r"node\.loaded")))
                self.gateway.kill()
            self.gateway.start()
        for publisher in self.publishers:
            publisher.finish()
        absent = Receiver(self.port, "absent", self.login, self.account.see)
        absent.start()
        self.receivers.append(absent)
        self.settle_accounts(seed)

    def prepare(self):
        self.apns, self.fcm = self.make_simulators()
        self.gateway = self.make_gateway(apps=[self.apns.app(), self.fcm.app()],
                                         sections={"limits": {"max_queued_messages": 1000000}})
        self.port = self.gateway.mqtt_port
        story = self.story = Story(self.gateway)
        self.login = ("api-key", story.api_key)
        story.add_phone("asleep", "apns", _APNS_TOKEN)
        story.add_phone("awake", "fcm", _FCM_TOKEN)
        secret = story.add_camera("CAM1")
        story.pair("CAM1", _MOTION)
        self.apns.phone(_APNS_TOKEN, shown=1)  # both are told of the pairing
        self.fcm.phone(_FCM_TOKEN, shown=1)
        for client_id in ("absent", "present"):
            with Wire(self.port) as wire:
                wire.connect(client_id, *self.login, clean=False)
                self.assertEqual(wire.subscribe("load/#"), 1)
                wire.disconnect()
        self.account = Account()
        self.publishers = [Publisher(self.port, "left", self.login, "load/left", 8),
                           Publisher(self.port, "right", self.login, "load/right", 3),
                           Publisher(self.port, "CAM1", ("CAM1", secret), _MOTION, 2)]
        user = ("anna", story.user.credential)
        self.receivers = [Receiver(self.port, "present", self.login, self.account.see),
                          Receiver(self.port, "awake", user, self.account.see)]

    def state(self, crowd):
        return (f"more acknowledgements; {[(w.name, w.connections, repr(w.failure)) for w in crowd]}\n"
                + self.gateway.program.tail())

    def settle_accounts(self, seed):
        owed = [("absent", "left"), ("absent", "right"), ("present", "left"), ("present", "right"), ("awake", "CAM1")]
        self.account.promised = {p.client_id: p.acknowledged for p in self.publishers}
        camera = self.publishers[2]
        promised = [camera.payload(number) for number in camera.acknowledged]
        wait_until(lambda: self.account.is_complete(owed), lambda: "\n".join(self.account.complaints(owed)), 60)
        wait_until(lambda: not self.ledger(self.apns, _APNS_TOKEN, promised, camera.resent),
                   lambda: "\n".join(self.ledger(self.apns, _APNS_TOKEN, promised, camera.resent)[:10]), 60)
        for receiver in self.receivers:
            receiver.finish()
        if os.environ.get("WAKE_TEST_LOSE"):
            for receiver, publisher in owed:
                lost = self.account.promised[publisher][len(self.account.promised[publisher]) // 2]
                numbers = self.account.sights[receiver][publisher]
                self.account.sights[receiver][publisher] = [n for n in numbers if n != lost]
        complaints = self.account.complaints(owed) + self.ledger(self.apns, _APNS_TOKEN, promised, camera.resent)
        complaints += self.ledger(self.fcm, _FCM_TOKEN, [], camera.resent)  # it was awake, most of the time
        self.assertEqual(complaints, [], f"seed {seed}\n" + "\n".join(complaints))
        inbox = {message["payload"] for message in self.story.inbox()}
        self.assertEqual([p for p in promised if p not in inbox], [], "every acknowledged message is in the inbox")
        counts = {p.client_id: len(p.acknowledged) for p in self.publishers}
        print(f"seed {seed}: {_KILLS} kills under load, acknowledged {counts}, "
              f"repeated pushes that replaced one: {self.apns.phone(_APNS_TOKEN)['replaced']}")

    def ledger(self, simulator, token, promised, resent):
        requests = []
        for entry in simulator.log(token):
            if entry["outcome"] != "shown" or not entry["body"]:
                continue
            requests.append(self.one_request(entry))
        requests = [r for r in requests if r["wake"]["payload"].startswith("CAM1/")]
        return ledger_complaints(simulator.phone(token), requests, promised, resent)

    @staticmethod
    def one_request(entry):
        if "wake" in entry["body"]:
            return {"wake": entry["body"]["wake"], "notification_id": entry["headers"]["apns-id"]}
        data = entry["body"]["message"]["data"]
        return {"wake": {"id": data["wake_id"], "payload": data.get("wake_payload", "")},
                "notification_id": data["wake_id"]}


class AccountNotices(unittest.TestCase):
    """The account itself can fail."""

    OWED = [("reader", "writer")]

    def make(self, promised, sights):
        account = Account()
        account.promised = {"writer": promised}
        for number in sights:
            account.see("reader", "writer", number)
        return account.complaints(self.OWED)

    def test_nothing_to_complain_about(self):
        self.assertEqual(self.make([0, 1, 2], [0, 1, 0, 1, 2, 3]), [], "repeats and unacknowledged ones are allowed")

    def test_a_loss(self):
        self.assertIn("never saw 1 acknowledged", self.make([0, 1, 2], [0, 2])[0])

    def test_a_wrong_order(self):
        self.assertIn("after its 2", self.make([0, 1, 2], [0, 2, 1])[0])

    def test_a_notification_twice_lost_or_under_two_ids(self):
        def request(wake_id, payload, notification_id):
            return {"wake": {"id": wake_id, "payload": payload}, "notification_id": notification_id}
        screen = {"notifications": [{"wake_id": "7"}, {"wake_id": "8"}]}
        good = [request("7", "a", "x"), request("7", "a", "x"), request("8", "b", "y")]
        self.assertEqual(ledger_complaints(screen, good, ["a", "b"], {}), [])
        self.assertEqual(len(ledger_complaints(screen, good, ["a", "b", "c"], {})), 1)
        self.assertEqual(len(ledger_complaints(screen, good + [request("8", "b", "z")], ["a", "b"], {})), 1)
        again = good + [request("9", "a", "w")]
        self.assertEqual(len(ledger_complaints(screen, again, ["a", "b"], {})), 1, "sent again without a reason")
        self.assertEqual(ledger_complaints(screen, again, ["a", "b"], {"a": 1}), [])
        twice = {"notifications": [{"wake_id": "7"}, {"wake_id": "7"}, {"wake_id": "8"}]}
        self.assertEqual(len(ledger_complaints(twice, good, ["a", "b"], {})), 1)


if __name__ == "__main__":
    unittest.main()
