"""Granting and revoking take effect at once on clients that are connected, by whichever door it was done: here the command
line and SQL, which the gateway only hears of."""

import unittest

from support.case import PASSWORD, SharedGatewayCase, Story
from support.postgres import shared_cluster
from support.waiting import wait_until
from support.wire import Wire

_NOT_AUTHORIZED = 0x80  # SUBACK of 3.1.1


class _Clients(SharedGatewayCase):
    def set_up(self, name):
        self.story = Story(self.gateway, name)
        self.camera_id = f"CAM-{name}"
        self.secret = self.story.add_camera(self.camera_id)
        self.camera = self.connect(self.camera_id, self.camera_id, self.secret)
        return self.camera

    def open(self, client_id, username, password):
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        return wire, wire.connect(client_id, username, password, clean=False).code

    def connect(self, client_id, username, password):
        wire, code = self.open(client_id, username, password)
        self.assertEqual(code, 0)
        return wire

    def expect_refused(self, client_id, username, password):
        self.assertIn(self.open(client_id, username, password)[1], (4, 5))

    def sql(self, statement):
        return shared_cluster().sql(statement, self.gateway.database)

    def wait_subscription(self, wire, topic_filter, code):
        wait_until(lambda: wire.subscribe(topic_filter) == code, f"SUBACK {code} of {topic_filter}")


class Revocation(_Clients):
    def test_a_removed_device_is_gone(self):
        self.set_up("device").subscribe(f"{self.camera_id}/do")
        self.gateway.command("device", "remove", self.camera_id)
        self.camera.expect_end()
        self.expect_refused(self.camera_id, self.camera_id, self.secret)
        self.assertEqual(self.sql(f"SELECT count(*) FROM sessions WHERE client_id = '{self.camera_id}'"), ["0"])
        # A new device of the same name starts from nothing.
        wire, code = self.open(self.camera_id, self.camera_id, self.story.add_camera(self.camera_id))
        self.assertEqual(code, 0)
        wire.ping()

    def test_what_waited_by_a_pairing_does_not_come_after_unpairing(self):
        self.set_up("waited")
        topic = f"w/{self.camera_id}/x"
        self.story.pair(self.camera_id, f"w/{self.camera_id}/#")
        app = self.connect("waited-app", "waited", PASSWORD)
        self.assertEqual(app.subscribe(f"w/{self.camera_id}/#"), 1)
        app.close()
        self.camera.publish(topic, "secret")
        wait_until(lambda: self.sql("SELECT count(*) FROM session_queue WHERE client_id = 'waited-app'") == ["1"], "it waits")
        self.assertEqual(self.story.user.call("DELETE", f"/v1/me/devices/{self.camera_id}").status, 204)
        app = self.connect("waited-app", "waited", PASSWORD)
        wait_until(lambda: self.sql("SELECT count(*) FROM session_queue WHERE client_id = 'waited-app'") == ["0"], "it is dropped")
        app.ping()  # and nothing came before the answer

    def test_a_changed_password_ends_the_connections_made_with_the_old_one(self):
        self.set_up("passwd")
        app = self.connect("passwd-app", "passwd", PASSWORD)
        self.gateway.command("user", "passwd", "passwd", "--password-stdin", stdin="another one\n")
        app.expect_end()
        self.expect_refused("passwd-app", "passwd", PASSWORD)
        self.connect("passwd-app", "passwd", "another one").ping()
        self.camera.ping()

    def test_a_removed_user_is_gone(self):
        self.set_up("user")
        self.story.add_phone("user-phone", "fcm", "fcm:user")
        phone = self.connect("user-phone", "user", PASSWORD)
        app = self.connect("user-app", "user", PASSWORD)
        self.gateway.command("user", "remove", "user")
        phone.expect_end()
        app.expect_end()
        self.expect_refused("user-app", "user", PASSWORD)
        self.camera.ping()

    def test_a_revoked_key_is_gone(self):
        self.set_up("key")
        service = self.connect("key-service", "api-key", self.story.api_key)
        key, = self.sql("SELECT max(id) FROM api_keys")
        self.gateway.command("api-key", "revoke", key)
        service.expect_end()
        self.expect_refused("key-service", "api-key", self.story.api_key)

    def test_rules_give_and_take(self):
        camera = self.set_up("rules")
        other = self.connect("CAM-other", "CAM-other", self.story.add_camera("CAM-other"))
        service = self.connect("rules-service", "api-key", self.story.api_key)
        self.assertEqual(camera.subscribe("news/#"), _NOT_AUTHORIZED)
        self.sql(f"INSERT INTO acl_rules (subject, name, action, filter)"
                 f" VALUES ('device', '{self.camera_id}', 'subscribe', 'news/#')")
        self.wait_subscription(camera, "news/#", 1)
        self.assertEqual(other.subscribe("news/#"), _NOT_AUTHORIZED)
        service.publish("news/1", "read")
        self.assertEqual(camera.read_message().payload, b"read")
        self.sql("DELETE FROM acl_rules")
        self.wait_subscription(camera, "news/#", _NOT_AUTHORIZED)
        service.publish("news/2", "unread")
        camera.ping()
        self.assertEqual(camera.early, [], "the subscription ended with the rule")


class MissedNotices(_Clients):
    """The gateway cannot hear of a change: it is made without the triggers that tell, and the connection by which it would
    have been told is cut behind it."""

    def change_unheard(self, table, statement):
        self.gateway.program.mark()
        self.sql(f"BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; {statement};"
                 f" ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT")
        self.assertEqual(self.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                                  " WHERE datname = current_database() AND query ~* '^listen .*wake_registry'"), ["t"])

    def test_a_changed_password_ends_the_connections_of_its_account(self):
        self.set_up("unheard")
        app = self.connect("unheard-app", "unheard", PASSWORD)
        self.change_unheard("users", "UPDATE users SET password_hash = password_hash || 'x' WHERE username = 'unheard'")
        app.expect_end()
        self.expect_refused("unheard-app", "unheard", PASSWORD)
        self.camera.ping()

    def test_a_rotated_secret_ends_the_connections_of_its_device(self):
        self.set_up("rotated")
        app = self.connect("rotated-app", "rotated", PASSWORD)
        self.change_unheard("devices", f"UPDATE devices SET secret_hash = sha256('x') WHERE id = '{self.camera_id}'")
        self.camera.expect_end()
        app.ping()

    def test_a_revoked_log_in_ends_the_connections_of_its_tokens(self):
        self.set_up("loggedout")
        token = self.gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": "loggedout", "password": PASSWORD})
        app = self.connect("loggedout-app", "loggedout", token["access_token"])
        other = self.connect("loggedout-other", "loggedout", PASSWORD)
        self.change_unheard("logins", "DELETE FROM logins WHERE id = (SELECT max(id) FROM logins)")
        app.expect_end()
        self.expect_refused("loggedout-app", "loggedout", token["access_token"])
        other.ping()

    def test_a_revoked_key_ends_the_connections_of_its_service(self):
        self.set_up("unheardkey")
        service = self.connect("unheard-service", "api-key", self.story.api_key)
        self.change_unheard("api_keys", "DELETE FROM api_keys WHERE id = (SELECT max(id) FROM api_keys)")
        service.expect_end()
        self.camera.ping()

    def test_an_ended_pairing_ends_what_it_gave(self):
        self.set_up("unheardpair")
        self.story.pair(self.camera_id, f"p/{self.camera_id}/#")
        app = self.connect("unheardpair-app", "unheardpair", PASSWORD)
        self.assertEqual(app.subscribe(f"p/{self.camera_id}/x"), 1)
        self.change_unheard("pairings", f"DELETE FROM pairings WHERE device_id = '{self.camera_id}'")
        self.wait_subscription(app, f"p/{self.camera_id}/y", _NOT_AUTHORIZED)
        self.camera.publish(f"p/{self.camera_id}/x", "unread")
        app.ping()
        self.assertEqual(app.early, [])


if __name__ == "__main__":
    unittest.main()
