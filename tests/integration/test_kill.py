"""Publishers publish without pause, over MQTT and over REST, while the gateway is killed ten times. Every acknowledged
message is accounted for at every receiver, first sights keep each publisher's order, and no phone is shown anything twice.

That the account notices a breach is shown by wakemq_unsafe (unsafe_commit.cpp), which acknowledges before it has stored."""

import os
import random
import unittest

from support.account import Account, ledger_complaints
from support.case import Story, WakeCase
from support.crowd import BackEnd, Publisher, Receiver, total_acknowledged
from support.waiting import wait_until
from support.wire import Wire

_KILLS = 10
_UNSAFE_KILLS = 3
_APNS_TOKEN, _FCM_TOKEN, _MOTION = "ef" * 32, "fcm:kill", "/home/CAM1/motion"


class KillCase(WakeCase):
    """A crowd, a gateway that is killed under it, and the account."""

    def run_through(self, binary, kills):
        """Kills `binary` under load, then lets wakemq serve until every publisher has had acknowledgements of it too."""
        self.seed = int(os.environ.get("WAKE_TEST_SEED", random.SystemRandom().randrange(10**6)))
        dice = random.Random(self.seed)
        self.prepare()
        self.serve_by(binary)
        crowd = [*self.publishers, *self.receivers]
        for worker in crowd:
            worker.start()
        for number in range(kills):
            goal = total_acknowledged(self.publishers) + dice.randint(30, 900)
            wait_until(lambda: total_acknowledged(self.publishers) >= goal, lambda: self.state(crowd), 60)
            # Right behind an answer to the slowest of them, which the kill is to catch as well.
            slowest = min(self.publishers[:3], key=lambda publisher: len(publisher.acknowledged))
            answered = len(slowest.acknowledged)
            wait_until(lambda: len(slowest.acknowledged) > answered, lambda: self.state(crowd), 60)
            self.gateway.kill()
            if number % 3 == 2:  # once more, in the midst of its start
                self.gateway.launch().program.wait_for_log(dice.choice((r"gateway\.starting", r"node\.loaded")))
                self.gateway.kill()
            self.gateway.start()
        self.serve_by("wakemq")
        before = [len(publisher.acknowledged) for publisher in self.publishers]
        wait_until(lambda: all(len(p.acknowledged) > n for p, n in zip(self.publishers, before)),
                   lambda: self.state(crowd), 60)
        for publisher in self.publishers:
            publisher.stop()
        for publisher in self.publishers:
            publisher.finish()
        absent = Receiver(self.port, "absent", self.login, self.account.see)
        absent.start()
        self.receivers.append(absent)
        self.account.promised = {p.client_id: p.acknowledged for p in self.publishers}

    def serve_by(self, binary):
        if binary != self.gateway.binary:
            self.gateway.kill()
            self.gateway.binary = binary
            self.gateway.start()

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
        http = self.gateway.http_port
        load = [Publisher(self.port, "left", self.login, "load/left", 8),
                Publisher(self.port, "right", self.login, "load/right", 3),
                BackEnd(http, "server", story.api_key, "load/server", 1)]
        self.motion = [Publisher(self.port, "CAM1", ("CAM1", secret), _MOTION, 2),
                       BackEnd(http, "watcher", story.api_key, _MOTION, 0)]
        self.publishers = load + self.motion
        user = ("anna", story.user.credential)
        self.receivers = [Receiver(self.port, "present", self.login, self.account.see),
                          Receiver(self.port, "awake", user, self.account.see)]
        self.owed = [(receiver, publisher.client_id) for receiver in ("absent", "present") for publisher in load]
        self.owed += [("awake", publisher.client_id) for publisher in self.motion]

    def state(self, crowd):
        return (f"more acknowledgements; {[(w.name, w.connections, repr(w.failure)) for w in crowd]}\n"
                + self.gateway.program.tail())

    @property
    def promised(self):
        """Payloads of acknowledged messages that every phone of the user is owed, and the inbox."""
        return [publisher.payload(number) for publisher in self.motion for number in publisher.acknowledged]

    @property
    def resent(self):
        return {payload: times for publisher in self.motion for payload, times in publisher.resent.items()}

    def ledger(self, simulator, token, promised):
        requests = [self.one_request(entry) for entry in simulator.log(token)
                    if entry["outcome"] == "shown" and entry["body"]]
        names = tuple(publisher.client_id + "/" for publisher in self.motion)
        requests = [r for r in requests if r["wake"]["payload"].startswith(names)]
        return ledger_complaints(simulator.phone(token), requests, promised, self.resent)

    @staticmethod
    def one_request(entry):
        if "wake" in entry["body"]:
            return {"wake": entry["body"]["wake"], "notification_id": entry["headers"]["apns-id"]}
        data = entry["body"]["message"]["data"]
        return {"wake": {"id": data["wake_id"], "payload": data.get("wake_payload", "")},
                "notification_id": data["wake_id"]}

    def missing_in_inbox(self):
        inbox = {message["payload"] for message in self.story.inbox()}
        return [payload for payload in self.promised if payload not in inbox]


class Kill(KillCase):
    def test_ten_kills_lose_nothing_and_show_nothing_twice(self):
        self.run_through("wakemq", _KILLS)
        wait_until(lambda: self.account.is_complete(self.owed),
                   lambda: "\n".join(self.account.complaints(self.owed)), 60)
        wait_until(lambda: not self.ledger(self.apns, _APNS_TOKEN, self.promised),
                   lambda: "\n".join(self.ledger(self.apns, _APNS_TOKEN, self.promised)[:10]), 60)
        for receiver in self.receivers:
            receiver.finish()
        complaints = self.account.complaints(self.owed) + self.ledger(self.apns, _APNS_TOKEN, self.promised)
        complaints += self.ledger(self.fcm, _FCM_TOKEN, [])  # it was awake, most of the time
        self.assertEqual(complaints, [], f"seed {self.seed}\n" + "\n".join(complaints))
        self.assertEqual(self.missing_in_inbox(), [], "every acknowledged message is in the inbox")
        counts = {p.client_id: len(p.acknowledged) for p in self.publishers}
        print(f"seed {self.seed}: {_KILLS} kills under load, acknowledged {counts}, "
              f"repeated pushes that replaced one: {self.apns.phone(_APNS_TOKEN)['replaced']}")


class KillOfUnsafe(KillCase):
    def test_a_broker_that_acknowledges_before_it_stores_is_found_out(self):
        self.run_through("wakemq_unsafe", _UNSAFE_KILLS)
        # Order is kept: who has seen the last has seen all that will come.
        wait_until(lambda: not self.unseen_last(), lambda: f"not there yet: {self.unseen_last()}", 60)
        for receiver in self.receivers:
            receiver.finish()
        complaints = [line for line in self.account.complaints(self.owed) if "never saw" in line]
        found_out = {publisher for _, publisher in self.owed
                     if any(f"acknowledged messages of {publisher}:" in line for line in complaints)}
        self.assertTrue({"left", "right", "server"} <= found_out, f"seed {self.seed}: {complaints}")
        print(f"seed {self.seed}: {_UNSAFE_KILLS} kills of wakemq_unsafe:\n" + "\n".join(complaints))

    def unseen_last(self):
        return [(receiver, publisher) for receiver, publisher in self.owed
                if self.account.promised[publisher][-1] not in self.account.sights.get(receiver, {}).get(publisher, ())]


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
