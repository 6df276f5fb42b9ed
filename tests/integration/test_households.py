"""Several users of one camera, and what their phones are told: by $wake/events, else by push, once, whatever is killed between a
change and the telling."""

import json
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.postgres import shared_cluster
from support.waiting import wait_until
from support.wire import Wire


def connect(case, gateway, client_id, username, password, topic="$wake/events"):
    wire = Wire(gateway.mqtt_port)
    case.addCleanup(wire.close)
    case.assertEqual(wire.connect(client_id, username, password, clean=False).code, 0)
    if topic:
        wire.subscribe(topic)
    return wire


def read_event(case, wire):
    message = wire.read_message()
    case.assertEqual(message.topic, "$wake/events")
    return json.loads(message.payload)


class Households(SharedGatewayCase):
    def set_up(self, name):
        """An owner and a guest, each with an open app; a camera that is the owner's."""
        self.owner, self.guest = Story(self.gateway, f"{name}-owner"), Story(self.gateway, f"{name}-guest")
        self.camera_id = f"CAM-{name}"
        self.secret = self.owner.add_camera(self.camera_id)
        self.topic = f"h/{self.camera_id}/door"
        self.apps = {}
        for story in (self.owner, self.guest):
            story.add_phone(f"{story.name}-phone", "fcm", f"fcm:{story.name}")
            self.apps[story] = connect(self, self.gateway, f"{story.name}-phone", story.name, PASSWORD)
        self.owner.pair(self.camera_id, self.topic)
        self.expect_event(self.owner, "paired")
        self.camera = connect(self, self.gateway, self.camera_id, self.camera_id, self.secret)
        self.path = f"/v1/me/devices/{self.camera_id}"

    def expect_event(self, story, kind, **more):
        event = read_event(self, self.apps[story])
        self.assertEqual((event["type"], event["device_id"]), (kind, self.camera_id), event)
        for key, value in more.items():
            self.assertEqual(event[key], value, event)

    def expect_no_event(self, story):
        self.apps[story].ping()
        self.assertEqual(self.apps[story].early, [])

    def join(self):
        code = self.owner.user.expect(201, "POST", self.path + "/invitations")["code"]
        self.guest.user.expect(200, "POST", f"/v1/invitations/{code}/accept")
        self.expect_event(self.guest, "paired")
        self.expect_event(self.owner, "member_joined", username=self.guest.name)

    def expect_reads(self, payload, *stories):
        self.camera.publish(self.topic, payload)
        for story in (self.owner, self.guest):
            if story in stories:
                self.assertEqual(self.apps[story].read_message().payload, payload.encode())
            else:
                self.expect_no_event(story)

    def test_a_guest_is_invited_reads_and_is_removed(self):
        self.set_up("removed")
        self.expect_reads("before", self.owner)
        self.join()
        self.expect_reads("both", self.owner, self.guest)
        self.assertEqual(self.owner.user.call("DELETE", f"{self.path}/members/{self.guest.name}").status, 204)
        self.expect_event(self.guest, "unpaired")
        self.expect_event(self.owner, "member_left", username=self.guest.name)
        self.expect_reads("after", self.owner)

    def test_a_guest_leaves(self):
        self.set_up("leaves")
        self.join()
        self.assertEqual(self.guest.user.call("DELETE", self.path).status, 204)
        self.expect_event(self.guest, "unpaired")
        self.expect_event(self.owner, "member_left")
        self.expect_reads("after", self.owner)

    def test_the_owners_leaving_ends_it_for_everybody(self):
        self.set_up("ends")
        self.join()
        self.assertEqual(self.owner.user.call("DELETE", self.path).status, 204)
        self.expect_event(self.owner, "unpaired")
        self.expect_event(self.guest, "unpaired")
        self.expect_reads("after")

    def test_a_camera_that_is_sold_is_handed_over(self):
        self.set_up("sold")
        code = self.owner.user.expect(201, "POST", self.path + "/invitations", {"role": "owner"})["code"]
        self.assertEqual(self.guest.user.expect(200, "POST", f"/v1/invitations/{code}/accept")["role"], "owner")
        self.expect_event(self.owner, "member_joined")
        self.expect_event(self.owner, "role_changed", role="member")
        self.expect_event(self.owner, "unpaired")
        self.expect_reads_of_guest_after_events()

    def expect_reads_of_guest_after_events(self):
        kinds = [read_event(self, self.apps[self.guest])["type"] for _ in range(3)]
        self.assertEqual(kinds, ["paired", "role_changed", "member_left"])
        self.expect_reads("mine", self.guest)

    def test_a_second_hand_camera_is_not_its_sellers_any_more(self):
        self.set_up("second")
        code = self.guest.user.expect(201, "POST", "/v1/me/pairings")["code"]
        claim = {"code": code, "topics": [{"filter": self.topic}]}
        self.camera.publish("$wake/pair", json.dumps(claim))
        refused = read_event(self, self.camera)
        self.assertEqual(refused["type"], "pairing_failed")
        self.assertIn("somebody else", refused["detail"])
        self.expect_no_event(self.guest)
        self.camera.publish("$wake/pair", json.dumps({**claim, "reset": True}))
        self.assertEqual(read_event(self, self.camera)["type"], "paired")
        self.expect_event(self.owner, "unpaired")
        self.expect_event(self.guest, "paired")
        self.expect_reads("mine", self.guest)

    def test_a_factory_reset_over_mqtt_unpairs_everybody(self):
        self.set_up("reset")
        self.join()
        self.camera.publish("$wake/pair", '{"reset":true}')
        self.assertEqual(read_event(self, self.camera), {"type": "reset", "device_id": self.camera_id})
        self.expect_event(self.owner, "unpaired")
        self.expect_event(self.guest, "unpaired")
        self.expect_reads("nobody's")

    def test_what_the_command_line_ends_is_told_too(self):
        self.set_up("command")
        self.join()
        self.gateway.command("device", "remove", self.camera_id)
        self.expect_event(self.owner, "unpaired")
        self.expect_event(self.guest, "unpaired")


class KilledBetween(WakeCase):
    """A claim that is committed is told, although the gateway died before it answered."""

    def test_phones_are_told_once_and_the_device_may_ask_again(self):
        apns, fcm = self.make_simulators()
        gateway = self.make_gateway(apps=[apns.app(), fcm.app()])
        story = Story(gateway, "anna")
        story.add_phone("open", "fcm", "fcm:anna")
        story.add_phone("asleep", "apns", f"{'61':0<64}")
        story.add_camera("CAM1")
        code = story.user.expect(201, "POST", "/v1/me/pairings")["code"]
        gateway.kill()
        # What the gateway commits, and then it would answer.
        shared_cluster().sql(
            "BEGIN; UPDATE pairing_codes SET device_id = 'CAM1', claimed_at = now();"
            " INSERT INTO pairings (user_id, device_id, name) SELECT user_id, 'CAM1', 'Porch' FROM pairing_codes; COMMIT",
            gateway.database)
        gateway.start()
        app = connect(self, gateway, "open", "anna", PASSWORD, topic=None)
        expected = {"type": "paired", "device_id": "CAM1", "name": "Porch"}
        self.assertEqual(read_event(self, app), expected)
        apns.phone(f"{'61':0<64}", shown=1)
        device = gateway.rest.as_(("CAM1", story.secrets["CAM1"]))
        for _ in range(2):
            self.assertEqual(device.expect(200, "POST", f"/v1/pairings/{code}/claim", {"name": "Porch"}),
                             {"device_id": "CAM1", "name": "Porch"})
        wait_until(lambda: shared_cluster().sql("SELECT count(*) FROM alerts", gateway.database) == ["0"], "nothing is left to tell")
        gateway.kill()
        gateway.start()
        wait_until(lambda: shared_cluster().sql("SELECT count(*) FROM outbox WHERE state = 'pending'", gateway.database) == ["0"],
                   "no push waits")
        self.assertEqual(shared_cluster().sql("SELECT count(*) FROM messages WHERE topic = '$wake/events'", gateway.database), ["2"],
                         "one for each phone")
        apns.phone(f"{'61':0<64}", shown=1)


class CutOff(SharedGatewayCase):
    """The connection that hears of changes is lost and comes back: what was changed meanwhile is seen."""

    def test_a_change_made_while_it_was_cut_off_is_seen(self):
        story = Story(self.gateway, "cut")
        story.add_phone("cut-phone", "fcm", "fcm:cut")
        secret = story.add_camera("CAM-cut")
        story.pair("CAM-cut", "c/CAM-cut/door")
        phone = connect(self, self.gateway, "cut-phone", "cut", PASSWORD, topic=None)
        self.assertEqual(phone.subscribe("c/CAM-cut/other"), 1)
        camera = connect(self, self.gateway, "CAM-cut", "CAM-cut", secret, topic=None)
        while read_event(self, phone)["type"] != "paired":
            pass
        # In one transaction, so that the listener is gone before the notices of the change are sent.
        cut = shared_cluster().sql(
            "BEGIN; SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname ="
            " current_database(); DELETE FROM pairings; DELETE FROM devices WHERE id = 'CAM-nobody'; COMMIT", self.gateway.database)
        self.assertEqual(cut, ["1"], "there was a listener to cut off")
        self.assertEqual(read_event(self, phone)["type"], "unpaired", "what was to be told is told when it listens again")
        camera.publish("c/CAM-cut/door", "secret")
        camera.publish("c/CAM-cut/other", "secret")
        phone.ping()
        self.assertEqual(phone.early, [])
        self.assertEqual(phone.subscribe("c/CAM-cut/other"), 0x80)


if __name__ == "__main__":
    unittest.main()
