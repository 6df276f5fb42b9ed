"""The provider is away, or refuses our credentials: messages are kept, /readyz and the log say so, nothing comes twice."""

import json
import os
import shutil
import signal
import unittest
from concurrent.futures import ThreadPoolExecutor

from support.case import Story, WakeCase
from support.waiting import wait_until
from support.wire import Wire

TOKEN, FCM_TOKEN, TOPIC = "cd" * 32, "fcm:trouble", "/home/CAM1/motion"


class PushTrouble(WakeCase):
    def set_up_story(self, apps):
        self.gateway = self.make_gateway(apps=apps)
        self.story = Story(self.gateway)
        self.story.add_phone("iphone", "apns", TOKEN)
        self.secret = self.story.add_camera("CAM1")

    def camera_says(self, *payloads):
        with Wire(self.gateway.mqtt_port) as camera:
            camera.connect("CAM1", "CAM1", self.secret)
            for number, payload in enumerate(payloads):
                camera.publish(TOPIC, payload, packet_id=number + 1)
            camera.disconnect()

    def message_ids(self):
        return [message["id"] for message in self.story.inbox()]

    def assert_each_once_on_screen(self, simulator, token, ids):
        wait_until(lambda: set(ids) <= {n["wake_id"] for n in simulator.phone(token)["notifications"]},
                   lambda: f"{ids} on the screen: {simulator.phone(token)}", 40)
        shown = [n["wake_id"] for n in simulator.phone(token)["notifications"]]
        self.assertEqual(len(shown), len(set(shown)), "nothing twice")

    def test_apns_unreachable_keeps_the_message_and_sends_it_when_apns_is_back(self):
        apns, fcm = self.make_simulators()
        self.set_up_story([apns.app(), fcm.app()])
        self.story.add_phone("android", "fcm", FCM_TOKEN)
        self.story.pair("CAM1", TOPIC)
        apns.down()
        self.camera_says("one", "two")
        ids = self.message_ids()
        self.assert_each_once_on_screen(fcm, FCM_TOKEN, ids)  # one provider's trouble delays no other
        self.gateway.program.wait_for_log(r'push\.unreachable.*"apns"')
        detail = wait_until(lambda: self.gateway.readiness("push:", '/apns/')[1], "/readyz has a word on the channel")
        self.assertRegex(detail, r"^localhost:\d+: (connect|TLS|read): .*check that this machine may connect out")
        states = {self.story.notifications_of(message)["iphone"][0] for message in ids}
        self.assertEqual(states, {"pending"})
        apns.up()
        self.assert_each_once_on_screen(apns, TOKEN, ids)
        for message in ids:
            self.assertEqual(self.story.wait_no_push_pending(message)["iphone"][0], "sent")

    def test_tests_of_a_phone_whose_provider_is_away_hold_up_nobody_and_say_what_is_wrong(self):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        apns.down()
        with ThreadPoolExecutor(20) as callers:
            tests = [callers.submit(self.story.user.expect, 200, "POST", "/v1/me/phones/iphone/test")
                     for _ in range(20)]
            for _ in range(5):
                self.story.user.expect(200, "GET", "/v1/me/phones")
            for test in tests:
                verdict = test.result()
                self.assertEqual((verdict["verdict"], verdict["status"]), ("retry", 0))
                self.assertRegex(verdict["reason"], r"^localhost:\d+: (connect|TLS|read): ")
                self.assertRegex(verdict["advice"], "^APNs could not be reached from this gateway: check that this machine")

    def test_a_retry_is_not_overtaken_by_what_comes_after_it(self):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        self.story.pair("CAM1", TOPIC)
        apns.phone(TOKEN, shown=1)  # told of the pairing
        apns.script(TOKEN, {"status": 503})
        self.camera_says("one", "two", "three")
        ids = self.message_ids()
        self.assert_each_once_on_screen(apns, TOKEN, ids)
        tries = [entry["body"]["wake"]["id"] for entry in self.requests_for(apns, ids, TOKEN)]
        self.assertEqual(tries, [ids[0], *ids])

    def test_a_retry_is_not_overtaken_by_what_comes_after_a_kill(self):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        self.story.pair("CAM1", TOPIC)
        apns.phone(TOKEN, shown=1)  # told of the pairing
        apns.script(TOKEN, {"status": 503})
        self.camera_says("one")
        wait_until(lambda: self.requests_for(apns, self.message_ids(), TOKEN), "the first try")
        self.gateway.program.kill()
        self.gateway.start()
        self.camera_says("two", "three")
        ids = self.message_ids()
        self.assert_each_once_on_screen(apns, TOKEN, ids)
        tries = [entry["body"]["wake"]["id"] for entry in self.requests_for(apns, ids, TOKEN)]
        self.assertEqual(tries, [ids[0], *ids])

    def test_that_a_device_is_paired_reaches_a_closed_app_when_apns_is_back_after_a_kill(self):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        apns.down()
        self.story.pair("CAM1", TOPIC)
        self.gateway.program.kill()
        apns.up()
        self.gateway.start()
        shown = apns.phone(TOKEN, shown=1)["notifications"]
        self.assertEqual(len(shown), 1, shown)
        self.assertEqual(json.loads(apns.log(TOKEN)[-1]["body"]["wake"]["payload"])["type"], "paired")

    def down_with_a_message(self):
        """A push that waits for APNs to come back; its message id."""
        apns, fcm = self.make_simulators()
        self.set_up_story([apns.app(), fcm.app()])
        self.story.pair("CAM1", TOPIC)
        apns.down()
        self.camera_says("for anna")
        self.gateway.program.wait_for_log(r'push\.unreachable.*"apns"')
        return apns, self.message_ids()[0]

    def requests_for(self, apns, messages, *tokens):
        """What APNs was asked about these messages; that a device is paired, it may be told besides."""
        return [entry for token in tokens for entry in apns.log(token) if entry["body"]["wake"]["id"] in messages]

    def test_a_token_that_is_refreshed_while_the_push_waits_gets_the_push(self):
        apns, message = self.down_with_a_message()
        fresh = "ef" * 32
        self.story.user.expect(200, "PUT", "/v1/me/phones/iphone",
                               {"platform": "apns", "app_id": "com.example.cam", "token": fresh})
        apns.up()
        self.assert_each_once_on_screen(apns, fresh, [message])
        self.assertEqual(self.requests_for(apns, [message], TOKEN), [])

    def test_a_token_that_moved_to_another_user_never_shows_what_waited_for_the_first(self):
        apns, message = self.down_with_a_message()
        bob = Story(self.gateway, "bob")
        bob.add_phone("bobs", "apns", TOKEN)
        apns.up()
        self.assertEqual(self.story.wait_no_push_pending(message)["iphone"], ("failed", "the phone has no token"))
        bob.user.expect(200, "POST", "/v1/me/phones/bobs/test")
        self.assertEqual(self.requests_for(apns, [message], TOKEN), [])

    def test_nothing_leaves_for_a_phone_that_is_deleted_or_a_device_that_is_unpaired(self):
        apns, message = self.down_with_a_message()
        other = "ab" * 32
        self.story.add_phone("stays", "apns", other)
        self.camera_says("for both")
        second = self.message_ids()[1]
        self.story.user.expect(204, "DELETE", "/v1/me/phones/iphone")
        self.story.user.expect(204, "DELETE", "/v1/me/devices/CAM1")
        apns.up()
        wait_until(lambda: self.story.notifications_of(second).get("stays", ("?",))[0] == "cancelled",
                   lambda: f"cancelled: {self.story.notifications_of(second)}")
        self.assertEqual(self.requests_for(apns, [message, second], TOKEN, other), [])
        self.assertEqual(self.story.notifications_of(message), {})

    def test_a_bad_key_stops_the_channel_loudly_and_sighup_with_a_good_one_resumes_it(self):
        apns, fcm = self.make_simulators()
        app = apns.app()
        key = os.path.join(self.folder, "key.p8")
        folder = os.path.dirname(app["key_file"])
        # A real key, but not the one that its id names: Apple answers InvalidProviderToken.
        shutil.copy(os.path.join(folder, "AuthKey_SIMOTHER01.p8"), key)
        good_key, app["key_file"] = app["key_file"], key
        self.set_up_story([app, fcm.app()])
        self.story.pair("CAM1", TOPIC)
        self.camera_says("kept")
        self.gateway.program.wait_for_log(r'push\.channel_down.*"apns".*InvalidProviderToken')
        is_ready, detail = self.gateway.readiness("push:", '/apns/')
        self.assertFalse(is_ready)
        self.assertIn("InvalidProviderToken", detail)
        ids = self.message_ids()
        self.assertEqual(self.story.notifications_of(ids[0])["iphone"][0], "pending")
        shutil.copy(good_key, key)
        self.gateway.program.signal(signal.SIGHUP)
        self.gateway.program.wait_for_log(r'push\.channel_up.*"apns"')
        self.assert_each_once_on_screen(apns, TOKEN, ids)
        wait_until(self.gateway.rest.is_ready, "/readyz is 200 again")

    def assert_repeated_under_the_same_ids(self, answer):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        self.story.pair("CAM1", TOPIC)
        apns.phone(TOKEN, shown=1)  # told of the pairing
        apns.script(TOKEN, answer)
        self.camera_says("once")
        message = self.message_ids()[0]
        self.assertEqual(self.story.wait_no_push_pending(message)["iphone"][0], "sent")
        requests = [entry for entry in apns.log(TOKEN) if entry["body"].get("wake", {}).get("id") == message]
        self.assertEqual(len(requests), 2, requests)
        for header in ("apns-id", "apns-collapse-id"):
            self.assertEqual(len({entry["headers"][header] for entry in requests}), 1, header)
        self.assertEqual([n["wake_id"] for n in apns.phone(TOKEN)["notifications"]].count(message), 1)

    # One phone each: a connection that closes over a lost answer takes the other phone's try with it.
    def test_a_try_whose_answer_was_lost_is_repeated_under_the_same_ids(self):
        self.assert_repeated_under_the_same_ids({"lose_answer": True})

    def test_a_try_that_was_answered_503_and_yet_shown_is_repeated_under_the_same_ids(self):
        self.assert_repeated_under_the_same_ids({"status": 503, "show": True})

    def test_a_dead_token_is_removed_and_the_message_stays(self):
        apns, _ = self.make_simulators()
        self.set_up_story([apns.app()])
        self.story.pair("CAM1", TOPIC)
        apns.phone(TOKEN, shown=1)
        apns.script(TOKEN, {"status": 410, "reason": "Unregistered"})
        self.camera_says("nobody there")
        wait_until(lambda: not self.story.user.get("/v1/me/phones/iphone")["has_token"], "the token is gone")
        self.assertEqual([message["payload"] for message in self.story.inbox()], ["nobody there"])


if __name__ == "__main__":
    unittest.main()
