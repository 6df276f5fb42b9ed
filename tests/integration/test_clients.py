"""Clients as people have them, over 1883 and 8883: mosquitto_pub/sub in three versions, paho in two."""

import ssl
import unittest

import paho.mqtt.client as paho

from support.case import SharedGatewayCase, Story
from support.certificates import make_authority, make_server
from support.mosquitto import MosquittoSub, Paho, mosquitto_pub
from support.wire import Wire, connect_packet

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")
CHINESE_TOPIC, CHINESE_PAYLOAD = "家/客厅/温度", "二十三度，晴"


class Clients(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.ca = make_authority(cls.folder)
        make_server(cls.folder)
        cls.OPTIONS = {"tls_folder": cls.folder}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = Story(cls.gateway)
        cls.login = ("api-key", cls.story.api_key)
        cls.plain, cls.tls = (cls.gateway.mqtt_port, None), (cls.gateway.mqtts_port, cls.ca)

    def sub(self, listener, client_id, topic_filter, **options):
        sub = MosquittoSub(listener[0], client_id, *self.login, topic_filter, ca_file=listener[1], **options)
        self.addCleanup(sub.stop)
        return sub.wait_subscribed()

    def pub(self, listener, client_id, topic, payload, **options):
        status, output = mosquitto_pub(listener[0], client_id, *self.login, topic, payload, ca_file=listener[1],
                                       **options)
        self.assertEqual(status, 0, output)

    def paho(self, listener, client_id, version, clean=True):
        client = Paho(listener[0], client_id, *self.login, version=version, clean=clean, tls_ca=listener[1])
        self.addCleanup(client.stop)
        client.connect()
        self.assertEqual(client.connack[0], 0)
        return client

    def test_mosquitto_in_three_versions_over_both_listeners(self):
        for listener, name in ((self.plain, "plain"), (self.tls, "tls")):
            for version in VERSIONS:
                with self.subTest(listener=name, version=version):
                    topic = f"round/{name}/{version}/{CHINESE_TOPIC}"
                    sub = self.sub(listener, f"s-{name[0]}{version[4:]}", topic, qos=2, version=version)
                    for qos in (0, 1, 2):
                        self.pub(listener, f"p-{name[0]}{version[4:]}", topic, f"{CHINESE_PAYLOAD} {qos}", qos=qos,
                                 version=version)
                    self.assertEqual(sub.wait_for(3),
                                     [f"{qos}|0|{topic}|{CHINESE_PAYLOAD} {qos}" for qos in (0, 1, 2)])

    def test_paho_in_two_versions_over_both_listeners(self):
        for listener, name in ((self.plain, "plain"), (self.tls, "tls")):
            for version in (paho.MQTTv311, paho.MQTTv5):
                with self.subTest(listener=name, version=version):
                    topic = f"paho/{name}/{version}/{CHINESE_TOPIC}"
                    client = self.paho(listener, f"paho-{name}-{version}", version).subscribe(topic, 2)
                    for qos in (0, 1, 2):
                        client.publish(topic, f"{CHINESE_PAYLOAD} {qos}", qos)
                    self.assertEqual(client.wait_for(3),
                                     [(topic, f"{CHINESE_PAYLOAD} {qos}".encode(), qos, False) for qos in (0, 1, 2)])

    def test_versions_and_listeners_reach_each_other(self):
        client = self.paho(self.tls, "paho-mixed", paho.MQTTv5).subscribe("mixed/#", 1)
        for number, version in enumerate(VERSIONS):
            self.pub(self.plain, f"mixed-{version}", "mixed/x", str(number), version=version)
        self.assertEqual([m[1] for m in client.wait_for(3)], [b"0", b"1", b"2"])

    def test_retained_message_waits_for_a_subscriber_and_is_cleared_by_an_empty_one(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                topic = f"kept/{version}"
                self.pub(self.plain, "keeper", topic, "old", more=["-r"], version=version)
                self.pub(self.plain, "keeper", topic, CHINESE_PAYLOAD, more=["-r"], version=version)
                sub = self.sub(self.plain, f"k-{version}", topic, version=version)
                self.assertEqual(sub.wait_for(1), [f"1|1|{topic}|{CHINESE_PAYLOAD}"])
                self.pub(self.plain, "keeper", topic, "", more=["-r"], version=version)
                late = self.sub(self.plain, f"l-{version}", f"kept/{version}/#", version=version)
                self.pub(self.plain, "keeper", topic, "fence", version=version)
                self.assertEqual(late.wait_for(1), [f"1|0|{topic}|fence"])

    def test_will_is_published_when_the_socket_ends_without_disconnect(self):
        for version in (3, 4, 5):
            with self.subTest(version=version):
                sub = self.sub(self.plain, f"mourner-{version}", f"wills/{version}")
                will = (f"wills/{version}", CHINESE_PAYLOAD, 1, False)
                wire = Wire(self.gateway.mqtt_port, version)
                self.assertEqual(wire.connect(f"mortal-{version}", *self.login, will=will).code, 0)
                wire.close()
                self.assertEqual(sub.wait_for(1), [f"1|0|wills/{version}|{CHINESE_PAYLOAD}"])

    def test_will_is_not_published_after_disconnect(self):
        sub = self.sub(self.plain, "mourner", "wills/none/#")
        wire = Wire(self.gateway.mqtt_port)
        wire.connect("polite", *self.login, will=("wills/none/will", "dead", 1, False))
        wire.disconnect()
        self.story.wait_connected("polite", present=False)
        self.pub(self.plain, "fencer", "wills/none/fence", "fence")
        self.assertEqual(sub.wait_for(1), ["1|0|wills/none/fence|fence"])

    def test_offline_queue_of_a_persistent_session(self):
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version=version):
                name, topic = f"away-{version}", f"away/{version}"
                self.sub(self.plain, name, topic, version=version, more=["-c"]).stop()
                self.story.wait_connected(name, present=False)
                for number in range(5):
                    self.pub(self.tls, "sender", topic, f"{CHINESE_PAYLOAD} {number}")
                sub = self.sub(self.plain, name, topic, version=version, more=["-c"])
                self.assertEqual(sub.wait_for(5), [f"1|0|{topic}|{CHINESE_PAYLOAD} {n}" for n in range(5)])

    def test_offline_queue_of_paho(self):
        for version in (paho.MQTTv311, paho.MQTTv5):
            with self.subTest(version=version):
                name, topic = f"paho-away-{version}", f"paho-away/{version}"
                self.paho(self.plain, name, version, clean=False).subscribe(topic, 1).stop()
                self.story.wait_connected(name, present=False)
                self.pub(self.plain, "sender", topic, "missed")
                client = self.paho(self.plain, name, version, clean=False)
                self.assertEqual(client.wait_for(1), [(topic, b"missed", 1, False)])
                self.assertTrue(client.connack[1], "session present")

    def test_overlapping_sessions_take_over(self):
        with Wire(self.gateway.mqtt_port, 5) as first, Wire(self.gateway.mqtt_port, 5) as second:
            first.connect("twin", *self.login)
            second.connect("twin", *self.login)
            last = first.expect_end()[-1]
            self.assertEqual((last.type, last.body[0]), (14, 0x8E), "DISCONNECT, session taken over")
            second.ping()


class Tls(SharedGatewayCase):
    @classmethod
    def prepare(cls):
        cls.ca = make_authority(cls.folder)
        cls.other_ca = make_authority(cls.folder, "stranger")
        make_server(cls.folder)
        cls.OPTIONS = {"tls_folder": cls.folder}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.login = ("api-key", Story(cls.gateway).api_key)

    def context(self, version=None):
        context = ssl.create_default_context(cafile=self.ca)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def test_speaks_1_2_and_1_3(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.subTest(version=name), Wire(self.gateway.mqtts_port, tls=self.context(version)) as wire:
                self.assertEqual(wire.socket.version(), name)
                self.assertEqual(wire.connect("tls-" + name[-1], *self.login).code, 0)
                wire.ping()

    def test_paho_over_each_version(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                client = Paho(self.gateway.mqtts_port, f"paho-{version.name}", *self.login, tls=self.context(version))
                self.addCleanup(client.stop)
                client.connect().subscribe("tls/#", 1).publish("tls/x", "hello", 1)
                client.wait_for(1)

    def test_a_client_that_does_not_trust_us_gives_a_clear_line(self):
        self.gateway.program.mark()
        status, output = mosquitto_pub(self.gateway.mqtts_port, "doubter", *self.login, "x", "x",
                                       ca_file=f"{self.folder}/stranger.crt")
        self.assertNotEqual(status, 0)
        self.assertIn("TLS error", output)
        self.gateway.program.wait_for_log(r"tls\.handshake_failed.*127\.0\.0\.1.*does not trust our certificate")

    def test_plain_mqtt_on_the_tls_listener_is_closed_with_a_clear_line(self):
        self.gateway.program.mark()
        with Wire(self.gateway.mqtts_port) as wire:
            wire.send(connect_packet("lost", *self.login))
            wire.expect_end()
        self.gateway.program.wait_for_log(r"tls\.handshake_failed.*no TLS bytes")

    def test_tls_on_the_plain_listener_is_closed_with_a_clear_line(self):
        self.gateway.program.mark()
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Wire(self.gateway.mqtt_port, tls=self.context())
        self.gateway.program.wait_for_log(r"127\.0\.0\.1.*TLS")


if __name__ == "__main__":
    unittest.main()
