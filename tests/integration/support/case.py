"""What a test case starts with: a folder, a database of its own in the shared cluster, simulators and a gateway."""

import json
import shutil
import tempfile
import unittest

from support.gateway import Gateway
from support.postgres import shared_cluster
from support.simulators import Apns, Fcm
from support.waiting import wait_until

PASSWORD = "correct horse battery"


class WakeCase(unittest.TestCase):
    """Every test gets a gateway of its own, and only when it asks for one: make_gateway()."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wakemq-it-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def make_gateway(self, start=True, cluster=None, **options):
        return make_gateway(self.addCleanup, self.folder, start, cluster, **options)

    def make_simulators(self):
        apns, fcm = Apns(self.folder), Fcm(self.folder)
        self.addCleanup(apns.stop)
        self.addCleanup(fcm.stop)
        return apns, fcm


class SharedGatewayCase(unittest.TestCase):
    """All tests of the class use one gateway, `cls.gateway`, whose options the class names in OPTIONS."""

    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="wakemq-it-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prepare()
        cls.gateway = make_gateway(cls.addClassCleanup, cls.folder, True, None, **cls.OPTIONS)

    @classmethod
    def prepare(cls):
        """What must be there before the gateway starts."""


def make_gateway(add_cleanup, folder, start, cluster, **options):
    shared = shared_cluster() if cluster is None else cluster
    name = shared.make_database()
    if cluster is None:
        add_cleanup(shared.drop_database, name)
    gateway = Gateway(folder, shared.url(name), **options).migrate()
    gateway.database = name
    add_cleanup(gateway.stop)
    return gateway.start() if start else gateway


class Story:
    """Accounts in a running gateway, by the words of the contract: an admin, a user with phones, paired cameras."""

    def __init__(self, gateway, name="anna"):
        self.gateway, self.name = gateway, name
        key = json.loads(gateway.command("api-key", "create", "--name", "test", "--scope", "admin", "--scope",
                                         "publish", "--scope", "subscribe", "--filter", "#", "--json"))
        self.admin = gateway.rest.as_(key["key"])
        self.api_key = key["key"]
        self.admin.expect(201, "POST", "/v1/users", {"username": name, "password": PASSWORD})
        token = gateway.rest.expect(200, "POST", "/v1/auth/token", {"username": name, "password": PASSWORD})
        self.user = gateway.rest.as_(token["access_token"])
        self.secrets = {}

    def add_phone(self, phone_id, platform, token):
        self.user.expect(201, "PUT", f"/v1/me/phones/{phone_id}",
                         {"platform": platform, "app_id": "com.example.cam", "token": token})

    def add_camera(self, device_id):
        self.secrets[device_id] = self.admin.expect(201, "POST", "/v1/devices", {"id": device_id})["secret"]
        return self.secrets[device_id]

    def pair(self, device_id, *topics, title="Front door"):
        code = self.user.expect(201, "POST", "/v1/me/pairings")["code"]
        device = self.gateway.rest.as_((device_id, self.secrets[device_id]))
        device.expect(200, "POST", f"/v1/pairings/{code}/claim",
                      {"name": title, "topics": [{"filter": topic, "title": title} for topic in topics]})

    def inbox(self):
        """All messages, oldest first."""
        items, after = [], None
        while True:
            page = self.user.get("/v1/me/messages?limit=200" + (f"&after={after}" if after else ""))
            items += page["items"]
            after = page.get("next")
            if not after:
                return items

    def entries(self):
        return self.user.get("/v1/me/topics")["items"]

    def notifications_of(self, message_id):
        """phone id -> (state, reason), from the trace."""
        trace = self.admin.get(f"/v1/messages/{message_id}/trace")
        return {r["id"]: (r["state"], r.get("reason", "")) for r in trace["receivers"] if r["receiver"] == "push"}

    def wait_no_push_pending(self, message_id):
        """Every notification of the message has its final state; returns them."""
        def settled():
            states = self.notifications_of(message_id)
            return (states,) if all(state != "pending" for state, _ in states.values()) else None
        return wait_until(settled, lambda: f"no push pending: {self.notifications_of(message_id)}")[0]

    def wait_connected(self, *client_ids, present=True):
        def check():
            items = self.admin.get("/v1/clients?limit=1000")["items"]
            connected = {item["client_id"] for item in items}
            return set(client_ids) <= connected if present else not set(client_ids) & connected
        wait_until(check, f"{client_ids} are {'connected' if present else 'gone'}")
