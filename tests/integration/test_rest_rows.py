"""The table of the REST API (contract §7), row by row against a real gateway: what a row promises to whom it is for, and what
everybody else is answered: nobody, a wrong token, another user, a device, a key without the scope. What belongs to somebody
else is answered exactly as what does not exist."""

import base64
import json
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story
from support.postgres import shared_cluster
from support.simulators import Fcm
from support.waiting import wait_until
from support.wire import Wire

TOPIC = "/home/CAM1/door"


class Rows(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.fcm = Fcm(cls.folder)
        cls.addClassCleanup(cls.fcm.stop)
        cls.OPTIONS = {"apps": [cls.fcm.app()]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway, "alice")
        cls.alice, cls.admin = cls.story.user, cls.story.admin
        cls.story.add_phone("alice-phone", "fcm", "fcm:alice")
        cls.story.add_camera("CAM1")
        cls.story.add_camera("CAM2")
        cls.story.pair("CAM1", TOPIC)
        cls.camera = cls.gateway.rest.as_(("CAM1", cls.story.secrets["CAM1"]))
        cls.bob = cls.new_user("bob")
        cls.callers = {
            "nobody": cls.gateway.rest,
            "a wrong token": cls.gateway.rest.as_("wat_" + "A" * 43),
            "a wrong key": cls.gateway.rest.as_("wk_" + "A" * 43),
            "a user": cls.bob,
            "a device": cls.camera,
            "a key to publish": cls.new_key("publish"),
            "a key to subscribe": cls.new_key("subscribe"),
            "a key of an admin": cls.new_key("admin"),
        }

    @classmethod
    def new_user(cls, name):
        cls.admin.expect(201, "POST", "/v1/users", {"username": name, "password": PASSWORD})
        answer = cls.gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": name, "password": PASSWORD})
        return cls.gateway.rest.as_(answer["access_token"])

    @classmethod
    def new_key(cls, scope):
        key = cls.admin.expect(201, "POST", "/v1/api-keys", {"name": scope, "scopes": [scope], "filters": ["#"]})
        return cls.gateway.rest.as_(key["key"])

    # ---- what every row is asked

    def problem(self, status, answer, field=None):
        """RFC 9457, with what finds it in the log."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        body = answer.json
        self.assertEqual(body["status"], status)
        self.assertTrue(body["type"].startswith("urn:wakemq:problem:"), body)
        self.assertTrue(body["title"] and body["detail"], body)
        self.assertEqual(body["instance"], "urn:wakemq:request:" + answer.headers["X-Request-Id"])
        if field:
            self.assertEqual(body["field"], field)
        if status == 401:
            self.assertIn("Basic", answer.headers["WWW-Authenticate"])
        return body

    def only_for(self, caller, method, path, body=None):
        """All others are refused, by what they are and not by what they ask for."""
        for name, rest in self.callers.items():
            if name == caller:
                continue
            with self.subTest(name, method=method, path=path):
                is_unknown = name in ("nobody", "a wrong token", "a wrong key")
                self.problem(401 if is_unknown else 403, rest.call(method, path, body))

    def same_as_nothing(self, rest, method, path, theirs, nothing, body=None):
        """`path` with {} for the name: what is somebody else's looks like what does not exist, to the letter."""
        answers = [rest.call(method, path.format(name), body) for name in (theirs, nothing)]
        texts = []
        for name, answer in zip((theirs, nothing), answers):
            told = self.problem(404, answer)
            told.pop("instance")
            texts.append(json.dumps(told).replace(name, "…"))
        self.assertEqual(texts[0], texts[1])
        names = [sorted(key for key in answer.headers if key != "Date") for answer in answers]
        self.assertEqual(names[0], names[1])

    # ---- the rows

    def test_post_users(self):
        body = {"username": "carl", "password": PASSWORD}
        self.problem(401, self.gateway.rest.call("POST", "/v1/users", body))
        self.problem(403, self.bob.call("POST", "/v1/users", body))
        self.problem(403, self.callers["a key to publish"].call("POST", "/v1/users", body))
        user = self.admin.expect(201, "POST", "/v1/users", body)
        self.assertEqual(user["username"], "carl")
        self.assertNotIn("password", user)
        self.problem(409, self.admin.call("POST", "/v1/users", body), "username")
        self.problem(422, self.admin.call("POST", "/v1/users", {"username": "a/b", "password": PASSWORD}), "username")
        self.problem(422, self.admin.call("POST", "/v1/users", {"username": "dora", "password": "short"}), "password")

    def test_post_auth_token(self):
        login = {"username": "bob", "password": PASSWORD}
        answer = self.gateway.rest.call("POST", "/v1/auth/token", login)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        token = answer.json
        self.assertEqual((token["token_type"], token["expires_in"]), ("Bearer", 3600))
        self.assertEqual(self.gateway.rest.as_(token["access_token"]).get("/v1/me/phones")["items"], [])
        told = []
        for name, password in (("bob", "not his password"), ("nobody-of-this-name", PASSWORD),
                               ("CAM1", self.story.secrets["CAM1"])):
            body = self.problem(401, self.gateway.rest.call("POST", "/v1/auth/token",
                                                            {"username": name, "password": password}))
            body.pop("instance")
            told.append(body)
        self.assertEqual(told[0], told[1], "whether there is such a user is not told")
        self.assertEqual(told[0], told[2])

    def test_put_phone(self):
        body = {"platform": "fcm", "app_id": "com.example.cam", "token": "fcm:put"}
        self.only_for("a user", "PUT", "/v1/me/phones/put", body)
        answer = self.bob.call("PUT", "/v1/me/phones/put", body)
        self.assertEqual(answer.status, 201, answer)
        self.assertTrue(answer.json["has_token"])
        self.assertNotIn("fcm:put", answer.raw.decode())
        self.assertEqual(self.bob.call("PUT", "/v1/me/phones/put", body).status, 200, "idempotent")
        self.assertEqual(self.bob.get("/v1/me/phones/put")["client_id"], "put")
        moved = self.alice.expect(201, "PUT", "/v1/me/phones/alice-second", body)
        self.assertTrue(moved["has_token"])
        self.assertFalse(self.bob.get("/v1/me/phones/put")["has_token"], "the token moved to its new phone")
        self.problem(409, self.bob.call("PUT", "/v1/me/phones/mine", {**body, "client_id": "alice-phone"}), "client_id")
        self.problem(422, self.bob.call("PUT", "/v1/me/phones/put", {**body, "platform": "wp"}), "platform")
        self.problem(422, self.bob.call("PUT", "/v1/me/phones/put", {**body, "colour": "red"}), "colour")
        for phone, rest in (("put", self.bob), ("alice-second", self.alice)):
            rest.expect(204, "DELETE", f"/v1/me/phones/{phone}")

    def test_phones(self):
        for method, path in (("GET", "/v1/me/phones"), ("GET", "/v1/me/phones/alice-phone"),
                             ("DELETE", "/v1/me/phones/alice-phone")):
            self.only_for("a user", method, path)
        self.assertEqual(self.alice.get("/v1/me/phones/alice-phone")["id"], "alice-phone")
        self.assertNotIn("alice-phone", [item["id"] for item in self.bob.get("/v1/me/phones")["items"]])
        for method in ("GET", "DELETE"):
            self.same_as_nothing(self.bob, method, "/v1/me/phones/{}", "alice-phone", "none-at-all")
        self.assertEqual(self.alice.get("/v1/me/phones/alice-phone")["id"], "alice-phone", "bob has removed nothing")
        for number in range(3):
            self.alice.expect(201, "PUT", f"/v1/me/phones/page{number}",
                              {"platform": "fcm", "app_id": "com.example.cam", "token": f"fcm:page{number}"})
        self.assertEqual(self.pages(self.alice, "/v1/me/phones", "id"), ["alice-phone", "page0", "page1", "page2"])
        for number in range(3):
            self.alice.expect(204, "DELETE", f"/v1/me/phones/page{number}")
        self.problem(404, self.alice.call("DELETE", "/v1/me/phones/page0"))

    def pages(self, rest, path, member, limit=2):
        """All of a list, page by page."""
        found, after = [], ""
        while True:
            page = rest.get(f"{path}?limit={limit}" + (f"&after={after}" if after else ""))
            self.assertLessEqual(len(page["items"]), limit)
            found += [item[member] for item in page["items"]]
            if page["next"] is None:
                return found
            after = page["next"]

    def test_presence_and_test(self):
        presence, test = "/v1/me/phones/alice-phone/presence", "/v1/me/phones/alice-phone/test"
        self.only_for("a user", "PUT", presence, {"state": "background"})
        self.only_for("a user", "POST", test)
        for method, path, body in (("PUT", "/v1/me/phones/{}/presence", {"state": "background"}),
                                   ("POST", "/v1/me/phones/{}/test", None)):
            self.same_as_nothing(self.bob, method, path, "alice-phone", "none-at-all", body)
        self.assertEqual(self.alice.expect(200, "PUT", presence, {"state": "background"}), {"state": "background"})
        self.problem(422, self.alice.call("PUT", presence, {"state": "asleep"}), "state")
        verdict = self.alice.expect(200, "POST", test)
        self.assertEqual((verdict["verdict"], verdict["status"]), ("accepted", 200))
        self.fcm.script("fcm:alice", {"reason": "UNREGISTERED"})
        self.assertEqual(self.alice.expect(200, "POST", test)["verdict"], "remove_token")

    def test_pairings(self):
        self.only_for("a user", "POST", "/v1/me/pairings")
        pairing = self.alice.expect(201, "POST", "/v1/me/pairings")
        code = pairing["code"]
        self.assertEqual(self.alice.get(f"/v1/me/pairings/{code}")["state"], "waiting")
        for method in ("GET", "DELETE"):
            self.only_for("a user", method, f"/v1/me/pairings/{code}")
            self.same_as_nothing(self.bob, method, "/v1/me/pairings/{}", code, "ZZZZZZZZ")
        self.alice.expect(204, "DELETE", f"/v1/me/pairings/{code}")
        self.problem(404, self.alice.call("GET", f"/v1/me/pairings/{code}"))

    def test_claim(self):
        secret = self.story.add_camera("CAM-claim")
        device = self.gateway.rest.as_(("CAM-claim", secret))
        code = self.bob.expect(201, "POST", "/v1/me/pairings")["code"]
        path = f"/v1/pairings/{code}/claim"
        body = {"name": "Garden", "topics": [{"filter": "/g/CAM-claim/m", "title": "Motion"}]}
        self.only_for("a device", "POST", path, body)
        self.problem(401, self.gateway.rest.as_(("CAM-claim", "wrong")).call("POST", path, body))
        foreign = {"topics": [{"filter": "/g/CAM1/m"}]}
        self.problem(403, device.call("POST", path, foreign))
        self.assertEqual(device.expect(200, "POST", path, body), {"device_id": "CAM-claim", "name": "Garden"})
        self.assertEqual([e["filter"] for e in self.bob.get("/v1/me/topics?device=CAM-claim")["items"]],
                         ["/g/CAM-claim/m"])
        other = self.gateway.rest.as_(("CAM2", self.story.secrets["CAM2"]))
        self.same_as_nothing(other, "POST", "/v1/pairings/{}/claim", code, "ZZZZZZZZ", {})
        self.bob.expect(204, "DELETE", "/v1/me/devices/CAM-claim")

    def test_paired_devices(self):
        self.only_for("a user", "GET", "/v1/me/devices")
        for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
            self.only_for("a user", method, "/v1/me/devices/CAM1", body)
            self.same_as_nothing(self.bob, method, "/v1/me/devices/{}", "CAM1", "CAM9", body)
        self.assertEqual(self.bob.get("/v1/me/devices")["items"], [])
        self.assertEqual(self.alice.expect(200, "PATCH", "/v1/me/devices/CAM1", {"name": "Porch"})["name"], "Porch")
        self.assertEqual(self.alice.get("/v1/me/devices/CAM1")["name"], "Porch")
        self.problem(422, self.alice.call("PATCH", "/v1/me/devices/CAM1", {"name": "x", "nam": "x"}), "nam")
        self.story.pair("CAM2", "/home/CAM2/door")
        self.assertEqual(self.pages(self.alice, "/v1/me/devices", "id", 1), ["CAM1", "CAM2"])
        self.alice.expect(204, "DELETE", "/v1/me/devices/CAM2")
        self.assertEqual(self.alice.get("/v1/me/topics?device=CAM2")["items"], [], "its entries went with it")
        self.problem(404, self.alice.call("DELETE", "/v1/me/devices/CAM2"))

    def test_topics(self):
        entry = next(e for e in self.alice.get("/v1/me/topics?device=CAM1")["items"] if e["filter"] == TOPIC)
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
            self.only_for("a user", method, f"/v1/me/topics/{entry['id']}", body)
            self.same_as_nothing(self.bob, method, "/v1/me/topics/{}", entry["id"], "999999999", body)
        self.only_for("a user", "GET", "/v1/me/topics")
        self.only_for("a user", "POST", "/v1/me/topics", {"filter": "/home/CAM1/bell"})
        self.problem(403, self.bob.call("POST", "/v1/me/topics", {"filter": "/home/CAM1/bell"}))
        self.problem(403, self.alice.call("POST", "/v1/me/topics", {"filter": "#"}))
        added = self.alice.expect(201, "POST", "/v1/me/topics",
                                  {"filter": "/home/CAM1/bell", "push": {"mode": "never", "ttl": 60}})
        self.assertEqual((added["device_id"], added["subscribed"]), ("CAM1", True))
        self.problem(409, self.alice.call("POST", "/v1/me/topics", {"filter": "/home/CAM1/bell"}), "filter")
        changed = self.alice.expect(200, "PATCH", f"/v1/me/topics/{added['id']}",
                                    {"subscribed": False, "push": {"style": "silent"}})
        self.assertEqual((changed["push"]["mode"], changed["push"]["style"], changed["push"]["ttl"]),
                         ("never", "silent", 60), "what a change does not name stays")
        off = self.alice.get("/v1/me/topics?subscribed=false")["items"]
        self.assertEqual([e["id"] for e in off], [added["id"]])
        self.assertEqual(set(self.pages(self.alice, "/v1/me/topics", "filter", 1)), {TOPIC, "/home/CAM1/bell"})
        self.problem(422, self.alice.call("PATCH", f"/v1/me/topics/{added['id']}", {"push": {"mode": "loud"}}),
                     "push.mode")
        self.problem(422, self.alice.call("GET", "/v1/me/topics?devise=CAM1"), "devise")
        self.alice.expect(204, "DELETE", f"/v1/me/topics/{added['id']}")

    def test_messages(self):
        ids = [self.admin_publish(f"message {number}") for number in range(3)]
        one = f"/v1/me/messages/{ids[0]}"
        for method, path, body in (("GET", "/v1/me/messages", None), ("GET", one, None),
                                   ("POST", "/v1/me/messages/ack", {"ids": ids})):
            self.only_for("a user", method, path, body)
        self.same_as_nothing(self.bob, "GET", "/v1/me/messages/{}", ids[0], "999999999")
        self.assertEqual(self.bob.expect(200, "POST", "/v1/me/messages/ack", {"ids": ids}), {"acknowledged": 0})
        self.assertEqual(self.alice.get(one)["payload"], "message 0", "bob has acknowledged nothing of hers")
        found = self.pages(self.alice, "/v1/me/messages", "id")
        self.assertLessEqual(set(ids), set(found))
        of_topic = self.alice.get(f"/v1/me/messages?topic={TOPIC}&after={ids[1]}")["items"]
        self.assertEqual([(m["id"], m["payload"], m["enc"], m["topic"]) for m in of_topic],
                         [(ids[2], "message 2", "utf8", TOPIC)])
        self.problem(422, self.alice.call("POST", "/v1/me/messages/ack", {"up_to": ids[0], "ids": ids}))
        self.assertEqual(self.alice.expect(200, "POST", "/v1/me/messages/ack", {"ids": ids[:1]}), {"acknowledged": 1})
        self.problem(404, self.alice.call("GET", one))
        self.alice.expect(200, "POST", "/v1/me/messages/ack", {"up_to": ids[2]})
        self.assertEqual(self.alice.get("/v1/me/messages")["items"], [])

    def admin_publish(self, payload):
        """By the key of the story, which may publish too."""
        return self.admin.expect(200, "POST", "/v1/publish", {"topic": TOPIC, "payload": payload})["message_id"]

    def test_publish(self):
        body = {"topic": TOPIC, "payload": "from the back end", "qos": 1}
        self.only_for("a key to publish", "POST", "/v1/publish", body)
        narrow = self.admin.expect(201, "POST", "/v1/api-keys",
                                   {"name": "narrow", "scopes": ["publish"], "filters": ["/office/#"]})
        self.problem(403, self.gateway.rest.as_(narrow["key"]).call("POST", "/v1/publish", body))
        publisher = self.callers["a key to publish"]
        with Wire(self.gateway.mqtt_port) as app:
            self.assertEqual(app.connect("alice-phone", "alice", PASSWORD, clean=False).code, 0)
            self.wait_payload(app, publisher.expect(200, "POST", "/v1/publish", body), b"from the back end")
            raw = {"topic": TOPIC, "payload_base64": base64.b64encode(b"\x00\xff").decode()}
            self.wait_payload(app, publisher.expect(200, "POST", "/v1/publish", raw), b"\x00\xff")
        for wrong, field in (({"topic": "a/#"}, "topic"), ({"qos": 3}, "qos"), ({"payload_base64": "x"}, "payload"),
                             ({"colour": 1}, "colour")):
            self.problem(422, publisher.call("POST", "/v1/publish", {**body, **wrong}), field)

    def wait_payload(self, app, published, payload):
        """The app has it, and acknowledges what it reads."""
        self.assertTrue(published["message_id"].isdigit())
        wait_until(lambda: app.read_message().payload == payload, f"{payload} in the app")

    def test_devices(self):
        self.only_for("a key of an admin", "GET", "/v1/devices")
        self.only_for("a key of an admin", "POST", "/v1/devices", {"id": "CAM-new"})
        self.only_for("a key of an admin", "DELETE", "/v1/devices/CAM1")
        admin = self.callers["a key of an admin"]
        answer = admin.call("POST", "/v1/devices", {"id": "CAM-new", "name": "New"})
        self.assertEqual((answer.status, answer.headers["Cache-Control"]), (201, "no-store"))
        device = (answer.json["id"], answer.json["secret"])
        self.assertIn("CAM-new", self.pages(admin, "/v1/devices", "id", 1))
        self.assertNotIn(device[1], admin.call("GET", "/v1/devices").raw.decode(), "shown once")
        self.problem(409, admin.call("POST", "/v1/devices", {"id": "CAM-new"}), "id")
        self.problem(409, admin.call("POST", "/v1/devices", {"id": "alice"}), "id")
        self.problem(422, admin.call("POST", "/v1/devices", {"id": "a/b"}), "id")
        with Wire(self.gateway.mqtt_port) as wire:
            self.assertEqual(wire.connect("CAM-new", *device).code, 0)
        admin.expect(204, "DELETE", "/v1/devices/CAM-new")
        self.problem(404, admin.call("DELETE", "/v1/devices/CAM-new"))
        with Wire(self.gateway.mqtt_port) as wire:
            self.assertNotEqual(wire.connect("CAM-new", *device).code, 0)

    def test_api_keys(self):
        body = {"name": "k", "scopes": ["admin"]}
        self.only_for("a key of an admin", "GET", "/v1/api-keys")
        self.only_for("a key of an admin", "POST", "/v1/api-keys", body)
        self.only_for("a key of an admin", "DELETE", "/v1/api-keys/1")
        admin = self.callers["a key of an admin"]
        made = admin.expect(201, "POST", "/v1/api-keys", body)
        theirs = self.gateway.rest.as_(made["key"])
        self.assertEqual(theirs.call("GET", "/v1/devices").status, 200)
        listed = admin.call("GET", "/v1/api-keys?limit=1000")
        self.assertIn(made["id"], [key["id"] for key in listed.json["items"]])
        self.assertNotIn(made["key"], listed.raw.decode(), "shown once")
        stored = "\n".join(shared_cluster().sql("SELECT k::text FROM api_keys k", self.gateway.database))
        self.assertNotIn(made["key"], stored, "stored hashed")
        self.problem(422, admin.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["root"]}), "scopes")
        admin.expect(204, "DELETE", f"/v1/api-keys/{made['id']}")
        self.problem(401, theirs.call("GET", "/v1/devices"))
        self.problem(404, admin.call("DELETE", f"/v1/api-keys/{made['id']}"))

    def test_clients(self):
        self.only_for("a key of an admin", "GET", "/v1/clients")
        self.only_for("a key of an admin", "DELETE", "/v1/clients/CAM1")
        with Wire(self.gateway.mqtt_port, 5) as wire:
            self.assertEqual(wire.connect("CAM1", "CAM1", self.story.secrets["CAM1"]).code, 0)
            items = self.callers["a key of an admin"].get("/v1/clients?limit=1000")["items"]
            mine = next(item for item in items if item["client_id"] == "CAM1")
            self.assertEqual((mine["principal"], mine["protocol_version"], mine["listener"]),
                             ({"kind": "device", "id": "CAM1"}, 5, "mqtt"))
            self.admin.expect(204, "DELETE", "/v1/clients/CAM1")
            self.assertEqual(wire.expect(14).body[:1], b"\x98", "administrative action")
        self.story.wait_connected("CAM1", present=False)
        self.problem(404, self.admin.call("DELETE", "/v1/clients/CAM1"))

    def test_trace(self):
        message = self.admin_publish("traced")
        self.only_for("a key of an admin", "GET", f"/v1/messages/{message}/trace")
        trace = self.callers["a key of an admin"].get(f"/v1/messages/{message}/trace")
        self.assertEqual((trace["id"], trace["topic"]), (message, TOPIC))
        self.assertIn("inbox", {receiver["receiver"] for receiver in trace["receivers"]})
        self.problem(404, self.admin.call("GET", "/v1/messages/999999999/trace"))

    def test_what_watches_and_tells(self):
        rest = self.gateway.rest
        self.assertEqual(rest.get("/healthz"), {"status": "ok"})
        self.assertEqual(rest.get("/readyz")["status"], "ready")
        self.assertIn("wakemq_http_requests_total", rest.call("GET", "/metrics").raw.decode())
        self.assertEqual(rest.get("/openapi.json")["openapi"], "3.1.0")
        self.assertIn("<h1>WakeMQ", rest.call("GET", "/docs").raw.decode())
        answer = rest.call("HEAD", "/healthz")
        self.assertEqual((answer.status, answer.raw), (200, b""))
        self.assertEqual(rest.call("OPTIONS", "/healthz").headers["Allow"], "GET, HEAD, OPTIONS")
        self.problem(404, rest.call("GET", "/v1/no/such/thing"))
        refused = rest.call("DELETE", "/healthz")
        self.problem(405, refused)
        self.assertEqual(refused.headers["Allow"], "GET, HEAD, OPTIONS")


if __name__ == "__main__":
    unittest.main()
