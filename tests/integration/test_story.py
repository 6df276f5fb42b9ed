"""The REST story end to end: token, phones, presence, pairing; what an entry or an unpairing stops, stops at once."""

import unittest

from support.case import SharedGatewayCase, Story
from support.simulators import Apns, Fcm
from support.waiting import wait_until
from support.wire import Wire

_ACK_TIMEOUT_S = 2


class PushStory(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.apns, cls.fcm = Apns(cls.folder), Fcm(cls.folder)
        cls.addClassCleanup(cls.apns.stop)
        cls.addClassCleanup(cls.fcm.stop)
        cls.OPTIONS = {"apps": [cls.apns.app(), cls.fcm.app()],
                       "sections": {"delivery": {"ack_timeout": f"{_ACK_TIMEOUT_S}s"}}}

    def set_up(self, name):
        """A user `name` with an iPhone and an Android phone, and a camera paired while both are connected."""
        self.story = Story(self.gateway, name)
        self.token = {"apns": f"{name.encode().hex():0<64}", "fcm": f"fcm:{name}"}
        self.phones = {"apns": f"{name}-iphone", "fcm": f"{name}-android"}
        self.camera_id, self.topic = f"CAM-{name}", f"/家/CAM-{name}/motion"
        for platform, phone in self.phones.items():
            self.story.add_phone(phone, platform, self.token[platform])
        self.secret = self.story.add_camera(self.camera_id)
        self.camera = Wire(self.gateway.mqtt_port)
        self.addCleanup(self.camera.close)
        self.assertEqual(self.camera.connect(self.camera_id, self.camera_id, self.secret).code, 0)
        apps = {platform: self.open_app(phone) for platform, phone in self.phones.items()}
        self.story.pair(self.camera_id, self.topic)
        for app in apps.values():
            event = app.read_message()
            self.assertEqual(event.topic, "$wake/events")
            self.assertIn(b'"paired"', event.payload)
        return apps

    def open_app(self, phone):
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect(phone, self.story.name, "correct horse battery", clean=False).code, 0)
        wire.subscribe("$wake/events")
        return wire

    def close_apps(self, apps):
        for app in apps.values():
            app.disconnect()
        self.story.wait_connected(*self.phones.values(), present=False)

    def say(self, payload, qos=1):
        self.camera.publish(self.topic, payload, qos)
        if qos == 0:
            self.camera.ping()

    def id_of(self, payload):
        """Of a QoS 0 publish nobody is told when the inbox has it."""
        found = wait_until(lambda: [m["id"] for m in self.story.inbox() if m["payload"] == payload], f"{payload} in the inbox")
        return found[0]

    def screen(self, platform, shown=None):
        simulator = self.apns if platform == "apns" else self.fcm
        return [n["wake_id"] for n in simulator.phone(self.token[platform], shown)["notifications"]]

    def requests(self):
        return [len(self.apns.log(self.token["apns"])), len(self.fcm.log(self.token["fcm"]))]

    def test_an_open_app_gets_mqtt_and_no_push(self):
        apps = self.set_up("open")
        for qos in (0, 1):
            self.say(f"有人 {qos}", qos)
            for app in apps.values():
                message = app.read_message()
                self.assertEqual((message.topic, message.payload.decode(), message.qos),
                                 (self.topic, f"有人 {qos}", 1))
            states = self.story.wait_no_push_pending(self.id_of(f"有人 {qos}"))
            self.assertNotIn("sent", {state for state, _ in states.values()})
        self.assertEqual(self.requests(), [0, 0])

    def test_a_sleeping_phone_is_woken_once_per_message_and_finds_it_when_it_returns(self):
        self.close_apps(self.set_up("asleep"))
        payloads = ["QoS 0: 门铃", "QoS 1: 门铃"]
        for qos, payload in enumerate(payloads):
            self.say(payload, qos)
        ids = [m["id"] for m in self.story.inbox()]
        for platform, phone in self.phones.items():
            self.assertEqual(self.screen(platform, shown=2), ids)
            app = self.open_app(phone)
            self.assertEqual([app.read_message().payload.decode() for _ in range(2)], payloads)
        self.assertEqual(self.requests(), [2, 2])
        push = self.apns.log(self.token["apns"])[0]
        self.assertEqual(push["headers"]["apns-collapse-id"], ids[0])
        self.assertEqual(push["body"]["wake"]["payload"], payloads[0])
        self.assertEqual(push["body"]["aps"]["alert"], {"title": "Front door", "body": payloads[0]})
        data = self.fcm.log(self.token["fcm"])[0]["body"]["message"]["data"]
        self.assertEqual((data["wake_id"], data["wake_payload"], data["wake_title"]),
                         (ids[0], payloads[0], "Front door"))

    def test_a_half_open_app_is_pushed_after_ack_timeout_and_once(self):
        apps = self.set_up("hangs")
        self.say("unheard")
        apps["fcm"].read_message()
        unheard = apps["apns"].read_message(acknowledge=False)
        message = self.id_of("unheard")
        self.assertEqual(self.screen("apns", shown=1), [message])
        states = self.story.wait_no_push_pending(message)
        self.assertEqual(states[self.phones["apns"]][0], "sent")
        self.assertNotEqual(states[self.phones["fcm"]][0], "sent")
        apps["apns"].puback(unheard)  # late: harms nothing
        apps["apns"].ping()
        self.say("heard")
        for app in apps.values():
            self.assertEqual(app.read_message().payload, b"heard", "who shows life gets MQTT again")
        self.story.wait_no_push_pending(self.id_of("heard"))
        self.assertEqual(self.requests(), [1, 0])

    def test_a_socket_that_ends_is_pushed_after_its_second_of_grace(self):
        apps = self.set_up("drops")
        self.say("in flight")
        apps["apns"].read_message(acknowledge=False)
        apps["apns"].close()
        self.assertEqual(self.screen("apns", shown=1), [self.id_of("in flight")])

    def test_background_by_rest_and_by_mqtt_is_pushed_at_once(self):
        apps = self.set_up("hides")
        self.story.user.expect(200, "PUT", f"/v1/me/phones/{self.phones['apns']}/presence", {"state": "background"})
        apps["fcm"].publish("$wake/presence", "background")
        self.say("psst")
        for platform in self.phones:
            self.assertEqual(self.screen(platform, shown=1), [self.id_of("psst")])
        apps["fcm"].publish("$wake/presence", "foreground", qos=0)
        self.assertEqual(apps["fcm"].read_message().payload, b"psst")
        self.assertEqual(self.requests(), [1, 1])

    def test_an_entry_that_is_off_stops_delivery_at_once_and_on_again_resumes_it(self):
        apps = self.set_up("switches")
        entry = self.story.entries()[0]["id"]
        self.story.user.expect(200, "PATCH", f"/v1/me/topics/{entry}", {"subscribed": False})
        self.say("unwanted")
        self.story.user.expect(200, "PATCH", f"/v1/me/topics/{entry}", {"subscribed": True})
        self.say("wanted")
        for app in apps.values():
            self.assertEqual(self.next_of_topic(app).payload, b"wanted")
        self.assertEqual([m["payload"] for m in self.story.inbox()], ["wanted"])

    def test_unpairing_revokes_at_once(self):
        apps = self.set_up("parts")
        self.assertEqual(apps["apns"].subscribe(f"+/+/{self.camera_id}/#"), 1)
        self.story.user.expect(204, "DELETE", f"/v1/me/devices/{self.camera_id}")
        self.say("secret")
        for app in apps.values():
            event = app.read_message()
            self.assertEqual(event.topic, "$wake/events")
            self.assertIn(b'"unpaired"', event.payload)
            self.assertEqual(app.subscribe(self.topic), 0x80)
        self.assertEqual(self.story.inbox(), [])
        self.assertEqual(self.story.entries(), [])
        self.assertEqual(self.requests(), [0, 0])

    def test_an_inbox_read_over_rest_cancels_the_push_that_waits(self):
        apps = self.set_up("reads")
        self.say("read elsewhere")
        for app in apps.values():
            app.read_message(acknowledge=False)
        message = self.id_of("read elsewhere")
        pending = self.story.notifications_of(message)
        self.assertEqual({state for state, _ in pending.values()}, {"pending"})
        self.assertEqual(self.story.user.expect(200, "POST", "/v1/me/messages/ack", {"ids": [message]}),
                         {"acknowledged": 1})
        self.assertEqual(self.story.inbox(), [])
        # The next message's push leaves after ack_timeout; the first one's deadline has passed by then.
        self.say("fence")
        for platform in self.phones:
            self.assertEqual(self.screen(platform, shown=1), [self.id_of("fence")])

    def test_never_and_always(self):
        apps = self.set_up("modes")
        entry = self.story.entries()[0]["id"]
        self.story.user.expect(200, "PATCH", f"/v1/me/topics/{entry}", {"push": {"mode": "always"}})
        self.say("both ways")
        for platform, app in apps.items():
            self.assertEqual(self.next_of_topic(app).payload, b"both ways")
            self.assertEqual(self.screen(platform, shown=1), [self.id_of("both ways")])
        self.story.user.expect(200, "PATCH", f"/v1/me/topics/{entry}", {"push": {"mode": "never"}})
        self.close_apps(apps)
        self.say("quietly")
        self.assertNotIn("sent", {s for s, _ in self.story.wait_no_push_pending(self.id_of("quietly")).values()})
        app = self.open_app(self.phones["apns"])
        self.assertEqual(self.next_of_topic(app).payload, b"quietly")
        self.assertEqual(self.requests(), [1, 1])

    def test_a_publish_over_rest_reaches_apps_and_sleepers(self):
        apps = self.set_up("rest")
        apps["fcm"].disconnect()
        self.story.wait_connected(self.phones["fcm"], present=False)
        answer = self.story.admin.expect(200, "POST", "/v1/publish", {"topic": self.topic, "payload": "来自后端"})
        self.assertEqual(apps["apns"].read_message().payload.decode(), "来自后端")
        self.assertEqual(self.screen("fcm", shown=1), [answer["message_id"]])

    def test_a_pairing_code_works_once(self):
        self.set_up("codes")
        code = self.story.user.expect(201, "POST", "/v1/me/pairings")["code"]
        device = self.gateway.rest.as_((self.camera_id, self.secret))
        body = {"name": "again", "topics": [{"filter": self.topic}]}
        device.expect(200, "POST", f"/v1/pairings/{code}/claim", body)
        self.story.add_camera("CAM-codes-late")
        late = self.gateway.rest.as_(("CAM-codes-late", self.story.secrets["CAM-codes-late"]))
        self.assertEqual(late.call("POST", f"/v1/pairings/{code}/claim", {}).status, 404)
        self.assertEqual(self.story.user.get(f"/v1/me/pairings/{code}")["device_id"], self.camera_id)

    def test_a_phone_test_answers_the_providers_verdict(self):
        self.set_up("tests")
        path = f"/v1/me/phones/{self.phones['apns']}/test"
        self.assertEqual(self.story.user.expect(200, "POST", path)["status"], 200)
        self.apns.script(self.token["apns"], {"status": 400, "reason": "BadDeviceToken"})
        answer = self.story.user.expect(200, "POST", path)
        self.assertEqual((answer["status"], answer["reason"]), (400, "BadDeviceToken"))

    def next_of_topic(self, app):
        """Past the events that tell of changed topics."""
        while True:
            message = app.read_message()
            if message.topic == self.topic:
                return message
            self.assertEqual(message.topic, "$wake/events")


if __name__ == "__main__":
    unittest.main()
