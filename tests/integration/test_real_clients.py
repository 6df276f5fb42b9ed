"""Client libraries that people use, each over what it speaks: connect with a password (and not with a wrong one), QoS 0, 1
and 2 there and back, a retained message, the will of a client that dies, the queue of one that is away, all with topics and
payloads beyond ASCII. What the programs in clients/ do is the same for each."""

import base64
import hashlib
import os
import signal
import subprocess
import tempfile
import unittest

import paho.mqtt.client as paho

from support.case import SharedGatewayCase, Story
from support.certificates import make_authority, make_server
from support.mosquitto import MosquittoSub, Paho, mosquitto_pub
from support.ports import free_port
from support.program import program_path
from support.waiting import scaled

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
STEPS = 5
TOPIC, PAYLOAD = "家/客厅/温度", "二十三度，晴"


def install_node_clients():
    """Exactly what clients/package-lock.json names, when it is not there yet; the npm cache stays in the checkout."""
    made, lock = os.path.join(CLIENTS, "node_modules", ".package-lock.json"), os.path.join(CLIENTS, "package-lock.json")
    if os.path.exists(made) and os.path.getmtime(made) >= os.path.getmtime(lock):
        return
    cache = os.path.join(CLIENTS, "..", "..", "..", ".cache", "npm")
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", os.path.abspath(cache)],
                          cwd=CLIENTS, capture_output=True, text=True, timeout=scaled(300), check=False)
    assert done.returncode == 0, f"npm ci in {CLIENTS} failed:\n{done.stdout}{done.stderr}"


def key_hash(certificate):
    """Base64 of the SHA-256 of the certificate's public key, as Chromium wants it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True,
                         timeout=60).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True, capture_output=True,
                         timeout=60).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class RealClients(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.ca = make_authority(cls.folder)
        make_server(cls.folder)
        cls.ws_port, cls.wss_port = free_port(), free_port()
        cls.OPTIONS = {"tls_folder": cls.folder, "listeners": [
            {"protocol": "ws", "address": f"127.0.0.1:{cls.ws_port}"},
            {"protocol": "wss", "address": f"127.0.0.1:{cls.wss_port}", "cert_file": f"{cls.folder}/server.crt",
             "key_file": f"{cls.folder}/server.key"}]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)

    def run_program(self, *command):
        # What a library leaks at its end is not ours to mend. What a browser leaves in its TMPDIR goes with our folder;
        # a folder of its own, because the name of a Unix socket that it makes there may have 107 bytes only.
        scratch = tempfile.mkdtemp(prefix="t", dir=self.folder)
        done = subprocess.run(list(command), cwd=CLIENTS, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=scaled(180), check=False, env={**os.environ, "TMPDIR": scratch, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual((done.returncode, done.stdout.count("ok ")), (0, STEPS), f"{command[0]}:\n{done.stdout}{done.stderr}")

    # ---- mosquitto_pub and mosquitto_sub; round trips and retained messages: test_clients

    def sub(self, client_id, topic_filter, version, more=()):
        sub = MosquittoSub(self.gateway.mqtt_port, client_id, *self.login, topic_filter, version=version, more=more)
        self.addCleanup(sub.stop)
        return sub.wait_subscribed()

    def test_mosquitto_will_when_the_process_is_killed(self):
        for version in ("mqttv31", "mqttv311", "mqttv5"):
            with self.subTest(version=version):
                topic = f"killed/{version}/{TOPIC}"
                mourner = self.sub(f"m-{version}", topic, version)
                mortal = self.sub(f"w-{version}", "nothing", version,
                                  ["--will-topic", topic, "--will-payload", PAYLOAD, "--will-qos", "1"])
                mortal.process.send_signal(signal.SIGKILL)
                self.assertEqual(mourner.wait_for(1), [f"1|0|{topic}|{PAYLOAD}"])

    def test_mosquitto_queue_of_3_1(self):
        topic = f"away/{TOPIC}"
        self.sub("away31", topic, "mqttv31", ["-c"]).stop()
        self.story.wait_connected("away31", present=False)
        for number in range(3):
            status, output = mosquitto_pub(self.gateway.mqtt_port, "s31", *self.login, topic, f"{PAYLOAD} {number}",
                                           version="mqttv31")
            self.assertEqual(status, 0, output)
        again = self.sub("away31", topic, "mqttv31", ["-c"])
        self.assertEqual(again.wait_for(3), [f"1|0|{topic}|{PAYLOAD} {number}" for number in range(3)])

    def test_mosquitto_with_a_wrong_password(self):
        for version in ("mqttv31", "mqttv311", "mqttv5"):
            with self.subTest(version=version):
                status, output = mosquitto_pub(self.gateway.mqtt_port, "wrong", "api-key", "wrong", "x", "x", version=version)
                self.assertNotEqual(status, 0)
                self.assertRegex(output.lower(), "not authori[sz]ed|bad user ?name or password")

    # ---- paho for Python; round trips and queues: test_clients

    def paho(self, client_id, version):
        client = Paho(self.gateway.mqtt_port, client_id, *self.login, version=version).connect()
        self.addCleanup(client.stop)
        return client

    def test_paho_python_retained(self):
        for version in (paho.MQTTv31, paho.MQTTv311, paho.MQTTv5):
            with self.subTest(version=version):
                topic = f"py-kept/{version}/{TOPIC}"
                client = self.paho(f"py-kept-{version}", version)
                client.publish(topic, PAYLOAD, 1, retain=True)
                client.subscribe(topic, 1)
                self.assertEqual(client.wait_for(1), [(topic, PAYLOAD.encode(), 1, True)])

    def test_paho_python_will_when_its_socket_ends(self):
        for version in (paho.MQTTv31, paho.MQTTv311, paho.MQTTv5):
            with self.subTest(version=version):
                topic = f"py-will/{version}/{TOPIC}"
                mourner = self.paho(f"py-m-{version}", version).subscribe(topic, 1)
                mortal = Paho(self.gateway.mqtt_port, f"py-w-{version}", *self.login, version=version)
                mortal.client.will_set(topic, PAYLOAD, 1)
                mortal.connect()
                mortal.client.loop_stop()
                mortal.client.socket().close()
                self.assertEqual(mourner.wait_for(1), [(topic, PAYLOAD.encode(), 1, False)])

    # ---- programs in clients/

    def test_mqttjs_over_every_listener(self):
        install_node_clients()
        listeners = {"mqtt": self.gateway.mqtt_port, "mqtts": self.gateway.mqtts_port, "ws": self.ws_port,
                     "wss": self.wss_port}
        for scheme, port in listeners.items():
            for version in ("4", "5"):
                with self.subTest(scheme=scheme, version=version):
                    path = "/mqtt" if scheme.startswith("ws") else ""
                    self.run_program("node", "mqttjs.js", f"{scheme}://localhost:{port}{path}", version, *self.login,
                                     self.ca, f"js-{scheme}-{version}")

    def test_paho_c(self):
        for version in ("3", "4", "5"):
            for uri, ca in ((f"tcp://localhost:{self.gateway.mqtt_port}", ""),
                            (f"ssl://localhost:{self.gateway.mqtts_port}", self.ca)):
                with self.subTest(version=version, uri=uri):
                    self.run_program(program_path("paho_c"), uri, version, *self.login, ca, f"c-{version}-{uri[:3]}")

    def test_paho_in_chromium_over_wss(self):
        install_node_clients()
        for version in ("3", "4"):
            with self.subTest(version=version):
                self.run_program("node", "browser.js", f"wss://localhost:{self.wss_port}/mqtt", version, *self.login,
                                 key_hash(os.path.join(self.folder, "server.crt")), f"web-{version}")


if __name__ == "__main__":
    unittest.main()
