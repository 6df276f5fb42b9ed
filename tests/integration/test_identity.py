"""Who somebody is, said by others than us: an identity provider's JWT, the operator's back end; and log-ins that end by
themselves or are ended. Over MQTT and REST alike, and closed when the other side fails."""

import itertools
import json
import os
import signal
import time
import unittest

from support.case import PASSWORD, SharedGatewayCase, Story, WakeCase
from support.identity import BackEnd, IdentityProvider
from support.mosquitto import mosquitto_pub
from support.postgres import shared_cluster
from support.waiting import wait_until
from support.wire import DISCONNECT, Wire

_numbers = itertools.count()
_NOT_AUTHORIZED = 0x80  # SUBACK of 3.1.1
_AUTH = {"jwt_issuer": "https://id.test/", "jwt_audience": "wakemq", "jwt_scope_claim": "scope"}


class _Clients:
    """Connections of a test, closed at its end."""

    def try_connect(self, client_id, username, password, version=4):
        """(connection, return code or reason)."""
        wire = Wire(self.gateway.mqtt_port, version=version)
        self.addCleanup(wire.close)
        return wire, wire.connect(client_id, username, password, clean=False).code

    def connect(self, client_id, username, password, version=4):
        wire, code = self.try_connect(client_id, username, password, version)
        self.assertEqual(code, 0)
        return wire

    def code_of(self, username, password, version=4, client_id=None):
        """Of a client that leaves at once; without a client id, of one that was not here before."""
        wire, code = self.try_connect(client_id or f"once-{next(_numbers)}", username, password, version)
        wire.close()
        return code

    def rest_status(self, credential, path="/v1/me/phones"):
        return self.gateway.rest.as_(credential).call("GET", path).status

    def sql(self, statement):
        return shared_cluster().sql(statement, self.gateway.database)

    def end_reason(self, wire):
        """5.0: of the DISCONNECT that the gateway sends before it closes."""
        last = wire.expect_end()[-1]
        self.assertEqual(last.type, DISCONNECT)
        return last.body[0]


class Jwt(_Clients, SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.provider = IdentityProvider(cls.folder)
        cls.stranger = IdentityProvider(cls.folder, "stranger", os.path.join(cls.folder, "stranger.json"))
        cls.OPTIONS = {"sections": {"auth": {**_AUTH, "jwt_jwks_file": cls.provider.jwks_file}}}

    def setUp(self):
        self.story = Story(self.gateway, self._testMethodName[-40:])
        self.name = self.story.name
        self.token = self.provider.token(sub=self.name)

    def reload(self):
        self.gateway.program.mark()
        os.kill(self.gateway.program.pid, signal.SIGHUP)
        self.gateway.program.wait_for_log("gateway.reloaded")

    def test_opens_mqtt_and_rest_for_its_user(self):
        self.story.add_camera("CAM-jwt")
        self.story.pair("CAM-jwt", "jwt/CAM-jwt/#")
        for version in (3, 4, 5):
            app = self.connect("jwt-app", self.name, self.token, version)
            self.assertEqual(app.subscribe("jwt/CAM-jwt/#"), 1)
            self.assertNotEqual(app.subscribe("jwt/CAM-other/#"), 1)
            app.close()
        self.assertEqual(self.code_of("", self.token), 0, "any name will do as long as it is nobody else's")
        self.assertEqual(self.rest_status(self.token), 200)
        self.assertEqual(self.gateway.rest.as_(self.token).get("/v1/me/devices")["items"][0]["id"], "CAM-jwt")

    def test_what_is_not_good_opens_nothing(self):
        none = self.provider.token(sub=self.name, header={"alg": "none"})
        bad = {"another key": self.stranger.token(sub=self.name),
               "another key under its kid": self.stranger.token(sub=self.name, header={"alg": "RS256", "kid": "key-1"}),
               "no algorithm": none.rsplit(".", 1)[0] + ".", "a symmetric one": self.provider.token(
                   sub=self.name, header={"alg": "HS256", "kid": "key-1"}),
               "expired": self.provider.token(seconds=-120, sub=self.name),
               "not yet": self.provider.token(sub=self.name, nbf=int(time.time()) + 300),
               "issuer": self.provider.token(sub=self.name, iss="https://evil.test/"),
               "audience": self.provider.token(sub=self.name, aud=["other"]),
               "unknown user": self.provider.token(sub="nobody-we-know"),
               "a device's name": self.provider.token(sub="CAM/+"),
               "cut": self.token[:-8]}
        for why, token in bad.items():
            self.assertIn(self.code_of("", token), (4, 5), why)
            self.assertEqual(self.rest_status(token), 401, why)
        self.assertIn(self.code_of("somebody-else", self.token), (4, 5))

    def test_does_not_make_tokens_of_ours(self):
        answer = self.gateway.rest.call("POST", "/v1/auth/token", {"username": self.name, "password": self.token})
        self.assertEqual(answer.status, 401)

    def test_scopes_open_what_keys_with_them_may(self):
        self.assertEqual(self.rest_status(self.token, "/v1/clients"), 403)
        self.assertEqual(self.rest_status(self.provider.token(sub=self.name, scope="openid admin"), "/v1/clients"), 200)

    def test_a_connection_ends_with_it(self):
        # The leeway of a minute is over in two seconds.
        token = self.provider.token(seconds=-58, sub=self.name)
        app = self.connect("ends", self.name, token, version=5)
        app.ping()
        self.assertEqual(self.end_reason(app), 0xA0, "maximum connect time")
        self.assertEqual(self.code_of(self.name, token, version=5), 0x86)

    def test_keys_are_read_anew_and_a_broken_file_changes_nothing(self):
        app = self.connect("reloads", self.name, self.token)
        self.provider.publish("{broken")
        self.reload()
        self.assertIn("JWT keys stay as they are", self.gateway.program.text())
        self.assertEqual(self.rest_status(self.token), 200)
        self.assertEqual(self.rest_status(self.stranger.token(sub=self.name)), 401)
        self.provider.publish(json.dumps({"keys": [self.stranger.jwk]}))
        self.reload()
        self.assertEqual(self.rest_status(self.token), 401)
        self.assertEqual(self.rest_status(self.stranger.token(sub=self.name)), 200)
        app.ping()  # a reload disconnects nobody
        self.provider.publish()
        self.reload()
        self.assertEqual(self.rest_status(self.token), 200)


class JwtMakesUsers(_Clients, WakeCase):
    def test_an_unknown_users_jwt_makes_the_account(self):
        provider = IdentityProvider(self.folder)
        self.gateway = self.make_gateway(sections={"auth": {
            **_AUTH, "jwt_jwks_file": provider.jwks_file, "jwt_create_users": True}})
        token = provider.token(sub="newcomer@example.com")
        self.assertEqual(self.rest_status(token), 200)
        users = json.loads(self.gateway.command("user", "list", "--json"))["items"]
        self.assertEqual([(u["username"], u["has_password"]) for u in users], [("newcomer@example.com", False)])
        self.assertIn(self.code_of("newcomer@example.com", ""), (4, 5))
        self.assertIn(self.code_of("newcomer@example.com", "guess"), (4, 5))

    def test_a_broken_key_file_lets_nothing_start(self):
        provider = IdentityProvider(self.folder)
        provider.publish('{"keys":[]}')
        gateway = self.make_gateway(start=False, sections={"auth": {"jwt_jwks_file": provider.jwks_file}})
        gateway.launch()
        gateway.program.wait_for_log("gateway.not_started.*jwt_jwks_file")
        wait_until(lambda: not gateway.program.is_running(), "it has ended")
        self.assertEqual(gateway.program.process.returncode, 1)


class Webhook(_Clients, SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.back_end = BackEnd()
        cls.addClassCleanup(cls.back_end.stop)
        secret = os.path.join(cls.folder, "webhook-secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("between-us\n")
        cls.OPTIONS = {"sections": {"auth": {"webhook_url": cls.back_end.url, "webhook_secret_file": secret,
                                             "webhook_timeout": "2s"}}}

    def setUp(self):
        self.back_end.is_silent.clear()
        self.back_end.answer = {"result": "deny"}
        self.addCleanup(self.back_end.by_username.clear)

    def test_yes_makes_a_user_with_what_the_answer_gives(self):
        self.back_end.by_username["hook-ann"] = {"result": "allow", "publish": ["out/%u/#"], "subscribe": ["in/%c"]}
        app = self.connect("hook-app", "hook-ann", "s3cret")
        question, = self.back_end.asked_about("hook-ann")
        self.assertEqual(question, {"username": "hook-ann", "password": "s3cret", "client_id": "hook-app",
                                    "address": "127.0.0.1", "protocol": "mqtt"})
        self.assertEqual(self.back_end.headers[-1]["Authorization"], "Bearer between-us")
        self.assertEqual(app.subscribe("in/hook-app"), 1)
        self.assertEqual(app.subscribe("in/other"), _NOT_AUTHORIZED)
        self.assertEqual(app.subscribe("out/hook-ann/#"), _NOT_AUTHORIZED)
        wire = Wire(self.gateway.mqtt_port, version=5)
        self.addCleanup(wire.close)
        self.assertEqual(wire.connect("hook-app-5", "hook-ann", "s3cret").code, 0)
        self.assertNotEqual(wire.publish("out/hook-ann/x", "1")[2:3], b"\x87")
        self.assertEqual(wire.publish("out/bob/x", "1", packet_id=2)[2:3], b"\x87")
        # The same over REST, and an account like any other: with phones, and tokens of its own.
        self.assertEqual(self.rest_status(("hook-ann", "s3cret")), 200)
        tokens = self.gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": "hook-ann", "password": "s3cret"})
        user = self.gateway.rest.as_(tokens["access_token"])
        user.expect(201, "PUT", "/v1/me/phones/p", {"platform": "fcm", "app_id": "com.example.cam", "token": "fcm:hook"})
        self.assertNotIn("s3cret", self.gateway.program.text())
        self.assertNotIn("between-us", self.gateway.program.text())

    def test_yes_to_a_device_makes_a_device(self):
        self.back_end.by_username["HOOK-CAM"] = {"result": "allow", "kind": "device"}
        self.back_end.by_username["hook/cam"] = {"result": "allow", "kind": "device"}
        camera = self.connect("HOOK-CAM", "HOOK-CAM", "s3cret")
        self.assertEqual(camera.subscribe("x/HOOK-CAM/do"), 1)
        self.assertIn(self.code_of("hook/cam", "s3cret"), (4, 5))
        story = Story(self.gateway, "hook-owner")
        code = story.user.expect(201, "POST", "/v1/me/pairings")["code"]
        device = self.gateway.rest.as_(("HOOK-CAM", "s3cret"))
        device.expect(200, "POST", f"/v1/pairings/{code}/claim", {"name": "Hook"})

    def test_a_superuser_may_every_topic_and_is_no_admin(self):
        self.back_end.by_username["hook-root"] = {"result": "superuser"}
        root = self.connect("hook-root", "hook-root", "x")
        self.assertEqual(root.subscribe("#"), 1)
        root.publish("any/where", "1")
        self.assertEqual(self.rest_status(("hook-root", "x"), "/v1/clients"), 403)

    def test_no_is_no_and_remembered(self):
        for _ in range(3):
            self.assertIn(self.code_of("hook-no", "x", client_id="no"), (4, 5))
        self.assertEqual(len(self.back_end.asked_about("hook-no")), 1)
        self.assertEqual(self.rest_status(("hook-no", "x")), 401)
        self.assertEqual(self.code_of("hook-no", "x", version=5), 0x86)

    def test_a_yes_is_remembered_and_only_for_what_was_shown(self):
        self.back_end.by_username["hook-again"] = {"result": "allow"}
        for _ in range(3):
            self.assertEqual(self.code_of("hook-again", "x", client_id="again"), 0)
        self.assertEqual(len(self.back_end.asked_about("hook-again")), 1)
        self.back_end.by_username["hook-again"] = {"result": "deny"}
        self.assertIn(self.code_of("hook-again", "y", client_id="again"), (4, 5))
        self.assertEqual(len(self.back_end.asked_about("hook-again")), 2)

    def test_who_has_a_password_here_is_not_asked_about(self):
        story = Story(self.gateway, "hook-local")
        secret = story.add_camera("HOOK-LOCAL")
        self.back_end.answer = {"result": "superuser"}
        self.assertEqual(self.code_of("hook-local", PASSWORD), 0)
        self.assertEqual(self.code_of("HOOK-LOCAL", secret, client_id="cam"), 0)
        self.assertIn(self.code_of("hook-local", "wrong"), (4, 5))
        self.assertIn(self.code_of("HOOK-LOCAL", "wrong"), (4, 5))
        self.assertIn(self.code_of("api-key", "wk_wrong"), (4, 5))
        self.assertIn(self.code_of("hook-local", "wat_wrong"), (4, 5))
        self.assertEqual(self.back_end.asked_about("hook-local") + self.back_end.asked_about("HOOK-LOCAL")
                         + self.back_end.asked_about("api-key"), [])

    def test_a_password_of_its_own_ends_the_back_ends_say(self):
        self.back_end.by_username["hook-moves"] = {"result": "superuser"}
        app = self.connect("moves", "hook-moves", "x")
        self.assertEqual(app.subscribe("#"), 1)
        self.gateway.command("user", "passwd", "hook-moves", "--password-stdin", stdin=PASSWORD + "\n")
        app.expect_end()
        self.assertIn(self.code_of("hook-moves", "x"), (4, 5))
        self.assertEqual(self.connect("moves", "hook-moves", PASSWORD).subscribe("#"), _NOT_AUTHORIZED)
        self.assertEqual(self.sql("SELECT count(*) FROM acl_rules WHERE name = 'hook-moves'"), ["0"])

    def test_another_answer_reaches_clients_that_are_connected(self):
        self.back_end.by_username["hook-less"] = {"result": "allow", "subscribe": ["a/#", "b/#"]}
        app = self.connect("less", "hook-less", "x")
        self.assertEqual(app.subscribe("a/#"), 1)
        self.back_end.by_username["hook-less"] = {"result": "allow", "subscribe": ["b/#"]}
        self.assertEqual(self.code_of("hook-less", "y", client_id="less-2"), 0)
        wait_until(lambda: app.subscribe("a/#") == _NOT_AUTHORIZED, "what is not given any more has ended")
        self.assertEqual(app.subscribe("b/#"), 1)

    def test_garbage_and_errors_are_no_answer(self):
        for number, answer in enumerate((b"", b"allow", b'{"result":"allow"', {"result": "maybe"}, 500, 403, 302,
                                         {"result": "allow", "publish": ["a/#/b"]}, b" " * 20_000)):
            self.back_end.answer = answer
            name = f"hook-garbage-{number}"
            self.assertEqual(self.code_of(name, "x"), 3, f"server unavailable, for {answer}")
            self.assertEqual(self.code_of(name, "x", version=5), 0x88)
            problem = self.gateway.rest.as_((name, "x")).call("GET", "/v1/me/phones")
            self.assertEqual((problem.status, problem.json["type"]), (503, "urn:wakemq:problem:webhook-away"))
            self.assertIn("Retry-After", problem.headers)
        self.assertEqual(self.sql("SELECT count(*) FROM users WHERE username LIKE 'hook-garbage%'"), ["0"])
        self.back_end.answer = {"result": "allow"}
        self.assertEqual(self.code_of("hook-garbage-0", "x"), 0, "nothing of it was remembered")

    def test_a_silent_back_end_is_waited_for_so_long(self):
        self.back_end.is_silent.set()
        self.assertEqual(self.code_of("hook-silent", "x"), 3)
        self.assertEqual(self.rest_status(("hook-silent", "x")), 503)


class WebhookAway(_Clients, WakeCase):
    def metric(self, name):
        lines = self.gateway.rest.call("GET", "/metrics").raw.decode().splitlines()
        return float(next(line.split()[-1] for line in lines if line.startswith(f"wakemq_webhook_{name} ")))

    def test_nobody_there_is_a_refusal_until_somebody_is(self):
        back_end = BackEnd()
        back_end.answer = {"result": "allow"}
        self.gateway = self.make_gateway(sections={"auth": {"webhook_url": back_end.url, "webhook_cache": "0s"}})
        self.addCleanup(back_end.stop)
        self.assertEqual(self.code_of("away", "x"), 0)
        earlier = len(back_end.asked_about("away"))  # not always 1: what changes during a log-in has it judged again
        self.assertEqual(self.code_of("away", "x"), 0)
        self.assertGreater(len(back_end.asked_about("away")), earlier, "webhook_cache = 0s")
        self.assertEqual(self.metric('questions_total{outcome="allowed"}'), len(back_end.asked_about("away")))
        self.assertEqual(self.metric("seconds_count"), len(back_end.asked_about("away")))
        self.assertEqual((self.metric("up"), self.metric("waiting")), (1, 0))
        back_end.stop()
        for _ in range(2):
            self.assertEqual(self.code_of("away", "x"), 3)
            self.assertEqual(self.rest_status(("away", "x")), 503)
        self.assertEqual(self.gateway.program.text().count("auth.webhook_away"), 1, "one line, not one for each")
        self.assertEqual(self.metric("up"), 0)
        self.assertGreaterEqual(self.metric('questions_total{outcome="failed"}'), 4)
        self.assertEqual(self.gateway.rest.call("GET", "/readyz").status, 200, "others are served")
        is_ready, detail = self.gateway.readiness("webhook")
        self.assertTrue(is_ready)
        self.assertIn("are refused", detail)

    def test_a_silent_back_end_delays_nobody_else(self):
        back_end = BackEnd()
        self.addCleanup(back_end.stop)
        back_end.is_silent.set()
        self.gateway = self.make_gateway(sections={"auth": {"webhook_url": back_end.url, "webhook_timeout": "30s"}})
        story = Story(self.gateway, "quick")
        for number in range(60):
            wire = Wire(self.gateway.mqtt_port)
            self.addCleanup(wire.close)
            wire.send_connect(f"slow-{number}", "slow", f"{number}")
        wait_until(lambda: len(back_end.asked_about("slow")) >= 16, "all its threads wait, for 30 s")
        wait_until(lambda: self.metric("waiting") == 60, "all are counted")
        for _ in range(5):  # who waited for any of those would be refused after connect_timeout
            self.assertEqual(self.code_of("quick", PASSWORD), 0)
            self.assertEqual(self.rest_status(("quick", PASSWORD)), 200)
            self.assertEqual(story.admin.call("GET", "/v1/clients").status, 200)

    def test_a_stop_waits_for_nobody(self):
        back_end = BackEnd()
        self.addCleanup(back_end.stop)
        back_end.is_silent.set()
        self.gateway = self.make_gateway(sections={"auth": {"webhook_url": back_end.url, "webhook_timeout": "30s"}})
        wire = Wire(self.gateway.mqtt_port)
        self.addCleanup(wire.close)
        wire.send_connect("stop", "stop", "x")
        wait_until(lambda: back_end.asked_about("stop"), "it was asked")
        begun = time.monotonic()
        self.gateway.stop()
        self.assertLess(time.monotonic() - begun, 10)


class LogIns(_Clients, SharedGatewayCase):
    OPTIONS = {"sections": {"auth": {"token_ttl": "60s"}}}

    def log_in(self, story):
        return self.gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": story.name, "password": PASSWORD})

    def test_a_revoked_log_in_ends_its_connections_and_no_others(self):
        story = Story(self.gateway, "logins-revoke")
        mine, other = self.log_in(story), self.log_in(story)
        app = self.connect("revoke-app", story.name, mine["access_token"], version=5)
        tablet = self.connect("revoke-tablet", story.name, other["access_token"])
        self.assertEqual(self.gateway.rest.call("POST", "/v1/auth/revoke", {"token": mine["refresh_token"]}).status, 204)
        self.assertEqual(self.end_reason(app), 0x98)
        tablet.ping()
        self.assertIn(self.code_of(story.name, mine["access_token"]), (4, 5))
        self.assertEqual(self.rest_status(mine["access_token"]), 401)

    def test_a_log_in_revoked_by_sql_ends_its_connections(self):
        story = Story(self.gateway, "logins-sql")
        app = self.connect("sql-app", story.name, self.log_in(story)["access_token"])
        self.sql("DELETE FROM logins USING users WHERE user_id = users.id AND username = 'logins-sql'")
        app.expect_end()

    def test_a_refreshed_token_serves_mqtt_and_a_reused_one_ends_all(self):
        story = Story(self.gateway, "logins-reuse")
        first = self.log_in(story)
        second = self.gateway.rest.expect(200, "POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
        third = self.gateway.rest.expect(200, "POST", "/v1/auth/refresh", {"refresh_token": second["refresh_token"]})
        app = self.connect("reuse-app", story.name, third["access_token"])
        stolen = self.gateway.rest.call("POST", "/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
        self.assertEqual(stolen.status, 401)
        app.expect_end()
        self.assertEqual(self.rest_status(third["access_token"]), 401)

    def test_a_connection_ends_when_its_token_expires(self):
        story = Story(self.gateway, "logins-expiry")
        token = self.log_in(story)["access_token"]
        self.sql("UPDATE access_tokens SET expires_at = now() + interval '2 s' WHERE login_id IS NOT NULL")
        app = self.connect("expiry-app", story.name, token, version=5)
        by_password = self.connect("expiry-other", story.name, PASSWORD)
        self.assertEqual(self.end_reason(app), 0xA0)
        by_password.ping()

    def test_a_changed_password_ends_connections_and_other_log_ins(self):
        story = Story(self.gateway, "logins-passwd")
        mine, other = self.log_in(story), self.log_in(story)
        app = self.connect("passwd-app", story.name, PASSWORD)
        self.gateway.rest.as_(mine["access_token"]).expect(204, "PUT", "/v1/me/password", {
            "current_password": PASSWORD, "new_password": "another one"})
        app.expect_end()
        self.assertIn(self.code_of(story.name, PASSWORD), (4, 5))
        self.assertEqual(self.rest_status(other["access_token"]), 401)
        self.assertEqual(self.rest_status(mine["access_token"]), 200)

    def test_a_rotated_secret_ends_the_devices_connections(self):
        story = Story(self.gateway, "logins-rotate")
        secret = story.add_camera("CAM-rotate")
        camera = self.connect("CAM-rotate", "CAM-rotate", secret)
        by_rest = story.admin.expect(200, "POST", "/v1/devices/CAM-rotate/secret")["secret"]
        camera.expect_end()
        self.assertIn(self.code_of("CAM-rotate", secret, client_id="CAM-rotate"), (4, 5))
        camera = self.connect("CAM-rotate", "CAM-rotate", by_rest)
        by_cli = json.loads(self.gateway.command("device", "rotate", "CAM-rotate", "--json"))["secret"]
        camera.expect_end()
        self.assertEqual(mosquitto_pub(self.gateway.mqtt_port, "CAM-rotate", "CAM-rotate", by_cli, "x/CAM-rotate/y", "1")[0], 0)
        self.gateway.command("device", "rotate", "CAM-none", expect=1)

    def test_rules_by_command_line_and_rest_take_effect_at_once(self):
        story = Story(self.gateway, "logins-rules")
        app = self.connect("rules-app", story.name, PASSWORD)
        self.assertEqual(app.subscribe("news/#"), _NOT_AUTHORIZED)
        rule = json.loads(self.gateway.command("acl", "add", "--subject", "user", "--name", story.name, "--action",
                                               "subscribe", "--filter", "news/#", "--json"))
        wait_until(lambda: app.subscribe("news/#") == 1, "the rule is known")
        listed = json.loads(self.gateway.command("acl", "list", "--json"))["items"]
        self.assertIn((rule["id"], "operator"), [(item["id"], item["source"]) for item in listed])
        self.gateway.command("acl", "remove", rule["id"])
        wait_until(lambda: app.subscribe("news/#") == _NOT_AUTHORIZED, "the rule is gone")
        rule = story.admin.expect(201, "POST", "/v1/acl-rules", {
            "subject": "all", "action": "subscribe", "filter": "to/%u/%c"})
        wait_until(lambda: app.subscribe("to/logins-rules/rules-app") == 1, "the rule is known")
        self.assertEqual(app.subscribe("to/logins-rules/other"), _NOT_AUTHORIZED)
        self.assertEqual(story.admin.call("DELETE", f"/v1/acl-rules/{rule['id']}").status, 204)
        wait_until(lambda: app.subscribe("to/logins-rules/rules-app") == _NOT_AUTHORIZED, "the rule is gone")
        self.gateway.command("acl", "remove", rule["id"], expect=1)


if __name__ == "__main__":
    unittest.main()
