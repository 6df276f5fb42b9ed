"""[[bridge]] against a real Mosquitto: both ways, every QoS, prefixes, retained, outages on both sides, loops, TLS."""

import os
import re
import signal
import socket
import ssl
import unittest

import paho.mqtt.client as paho

from support.case import PASSWORD, Story, WakeCase, make_gateway
from support.certificates import make_authority, make_server
from support.feed import Feed
from support.gateway import Gateway
from support.mosquitto import Paho
from support.mosquitto_broker import MosquittoBroker
from support.waiting import scaled, wait_until

_NOBODY = (None, None)


class BridgeCase(WakeCase):
    def broker(self, lines=(), name="mosquitto", start=True):
        broker = MosquittoBroker(self.folder, lines, name)
        self.addCleanup(broker.program.kill)
        return broker.start() if start else broker

    def bridged(self, remote, topics, start=True, folder=None, sections=None, **options):
        """A gateway with one bridge, b, to `remote` (a port)."""
        bridge = {"name": "b", "address": f"127.0.0.1:{remote}", "topics": topics, **options}
        gateway = make_gateway(self.addCleanup, folder or self.folder, start, None, bridges=[bridge],
                               sections=sections)
        if start:
            self.log_in(gateway)
        return gateway

    def make_folder(self, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        return folder

    def log_in(self, gateway):
        gateway.login = ("api-key", Story(gateway).api_key)
        return gateway

    def wait_bridge(self, gateway, connected=True):
        def check():
            return ("not connected" not in gateway.readiness("bridge:b")[1]) == connected
        wait_until(check, lambda: f"the bridge is {'up' if connected else 'down'}: {gateway.program.tail()}", 40)

    def client(self, port, name, login=_NOBODY, clean=True, subscribe=None, qos=2, version=paho.MQTTv311, **options):
        client = Paho(port, name, *login, version=version, clean=clean, **options)
        self.addCleanup(client.stop)
        client.connect()
        self.assertEqual(client.connack[0], 0, name)
        return client.subscribe(subscribe, qos) if subscribe else client

    def payloads(self, client):
        return [payload.decode() for _, payload, _, _ in list(client.messages)]

    def wait_payload(self, client, payload):
        wait_until(lambda: payload in self.payloads(client), lambda: f"{payload}; came {client.messages[-20:]}", 60)


class Carries(BridgeCase):
    def test_both_ways_every_qos_prefixes_and_retained_in_both_versions(self):
        for version in ("5.0", "3.1.1"):
            with self.subTest(version=version):
                broker = self.broker(name=f"m{version}")
                before = self.client(broker.port, "before")
                before.publish("to/kept/before", "there before the bridge", 1, retain=True)
                gateway = self.bridged(broker.port, ["# out 2 home/ far/", "# in 2 from/ to/"], version=version)
                self.wait_bridge(gateway)
                here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="from/#")
                there = self.client(broker.port, "there", subscribe="far/#")
                self.wait_payload(here, "there before the bridge")
                here.messages.clear()
                for qos in (0, 1, 2):
                    here.publish(f"home/é/{qos}", f"out {qos}", qos)
                    there.publish(f"to/é/{qos}", f"in {qos}", qos)
                here.publish("home/kept", "out kept", 1, retain=True)
                there.publish("to/kept", "in kept", 1, retain=True)
                self.assertEqual(sorted(there.wait_for(4)), [
                    ("far/kept", b"out kept", 1, False), ("far/é/0", b"out 0", 0, False),
                    ("far/é/1", b"out 1", 1, False), ("far/é/2", b"out 2", 2, False)])
                self.assertEqual(sorted(here.wait_for(4)), [
                    ("from/kept", b"in kept", 1, False), ("from/é/0", b"in 0", 0, False),
                    ("from/é/1", b"in 1", 1, False), ("from/é/2", b"in 2", 2, False)])
                late_there = self.client(broker.port, "late", subscribe="far/#")
                late_here = self.client(gateway.mqtt_port, "late", gateway.login, subscribe="from/kept")
                self.assertEqual(late_there.wait_for(1), [("far/kept", b"out kept", 1, True)])
                self.assertEqual(late_here.wait_for(1), [("from/kept", b"in kept", 1, True)])
                self.assertIn('wakemq_bridge_up{bridge="b"} 1', gateway.rest.call("GET", "/metrics").raw.decode())

    def test_properties_of_5_0_pass_and_the_gateway_is_named(self):
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties
        broker = self.broker()
        gateway = self.bridged(broker.port, ["# out 1"])
        self.wait_bridge(gateway)
        there = self.client(broker.port, "there", version=paho.MQTTv5)
        seen = []
        there.client.on_message = lambda _c, _u, m: seen.append(m.properties)
        there.subscribe("#", 1)
        here = self.client(gateway.mqtt_port, "here", gateway.login, version=paho.MQTTv5)
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType, properties.UserProperty = "text/plain", [("colour", "red")]
        here.client.publish("a", "x", 1, properties=properties).wait_for_publish(20)
        wait_until(lambda: seen, "the message")
        self.assertEqual(seen[0].ContentType, "text/plain")
        names = [name for name, _ in seen[0].UserProperty]
        self.assertEqual(names, ["colour", "wake-via"])

    def test_only_the_configured_topics_pass(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["a/# out 1", "b/# in 1"])
        self.wait_bridge(gateway)
        here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="#")
        there = self.client(broker.port, "there", subscribe="#")
        for topic in ("b/x", "c", "a/1"):
            here.publish(topic, f"here {topic}", 1)
        for topic in ("a/x", "c", "b/1"):
            there.publish(topic, f"there {topic}", 1)
        self.wait_payload(there, "here a/1")
        self.wait_payload(here, "there b/1")
        self.assertEqual([p for p in self.payloads(there) if p.startswith("here")], ["here a/1"])
        self.assertEqual([p for p in self.payloads(here) if p.startswith("there")], ["there b/1"])


    def test_nothing_of_what_is_the_gateways_own_crosses(self):
        """Neither by a wildcard nor, of $wake, by a line that names it."""
        broker = self.broker()
        topics = ["# out 1 \"\" out/", "# in 1", "events out 1 $wake/ stolen/"]
        gateway = self.bridged(broker.port, topics, sections={"server": {"sys_interval": "1s"}})
        self.wait_bridge(gateway)
        here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="#")
        sys = self.client(gateway.mqtt_port, "sys", gateway.login, subscribe="$SYS/broker/uptime", qos=0)
        there = self.client(broker.port, "there", subscribe="#")
        wait_until(lambda: sys.messages, "the gateway tells of itself")
        story = Story(gateway, "bridged")
        story.add_phone("bridged-phone", "fcm", "fcm:bridged")
        phone = self.client(gateway.mqtt_port, "bridged-phone", ("bridged", PASSWORD), clean=False)
        story.add_camera("CAM-bridged")
        story.pair("CAM-bridged", "x/CAM-bridged")
        wait_until(lambda: phone.messages, "the phone is told")
        for topic in ("$wake/events", "$wake/presence"):
            there.publish(topic, "forged", 1)
        there.publish("b/1", "there", 1)
        self.wait_payload(here, "there")
        here.publish("a/1", "here", 1)
        self.wait_payload(there, "here")
        for client in (here, there):
            strange = [topic for topic, *_ in client.messages if topic not in ("b/1", "a/1", "out/a/1", "out/b/1")]
            self.assertEqual(strange, [])
        self.assertNotIn("forged", self.payloads(phone))


class Changes(BridgeCase):
    def test_a_line_taken_out_loses_its_subscription_over_there(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["kept/# in 1", "gone/# in 1"])
        self.wait_bridge(gateway)
        gateway.stop()
        gateway.bridges[0]["topics"] = ["kept/# in 1"]
        gateway.write_config()
        gateway.start()
        self.wait_bridge(gateway)
        here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="#")
        there = self.client(broker.port, "there")
        there.publish("gone/x", "not wanted", 1)
        there.publish("kept/x", "wanted", 1)
        self.wait_payload(here, "wanted")
        self.assertEqual(self.payloads(here), ["wanted"])
        metrics = gateway.rest.call("GET", "/metrics").raw.decode()
        self.assertIn('wakemq_bridge_unwanted_total{bridge="b"} 0', metrics, "it does not even come")

    def test_sys_tells_its_state_as_mosquitto_does(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["# out 1"], sections={"server": {"sys_interval": "1s"}})
        watcher = self.client(gateway.mqtt_port, "watcher", gateway.login, subscribe="$SYS/broker/connection/b/state")
        self.wait_payload(watcher, "1")
        watcher.messages.clear()
        broker.stop()
        self.wait_payload(watcher, "0")


class TwoGateways(BridgeCase):
    """Two gateways on one database and with one configuration: one runs the bridge, the other takes over."""

    def second(self, first):
        folder = os.path.join(self.folder, "second")
        os.mkdir(folder)
        gateway = Gateway(folder, first.sections["database"]["url"], bridges=first.bridges)
        self.addCleanup(gateway.stop)
        gateway.login = first.login
        return gateway.start()

    def test_one_runs_it_and_the_other_takes_over_with_what_waits(self):
        broker = self.broker()
        first = self.bridged(broker.port, ["# out 1"])
        self.wait_bridge(first)
        second = self.second(first)
        self.assertIn("another gateway", second.readiness("bridge:b")[1])
        live = self.client(broker.port, "live", subscribe="q/#")
        here = self.client(first.mqtt_port, "here", first.login)
        here.publish("q/1", "by the first", 1)
        self.wait_payload(live, "by the first")
        self.wait_bridge(first)
        self.assertIn("another gateway", second.readiness("bridge:b")[1])
        live.stop()
        broker.stop()
        self.wait_bridge(first, connected=False)
        for number in range(50):
            here.publish("q/1", f"waits {number}", 1)
        here.stop()
        first.kill()
        second.program.wait_for_log(r"bridge\.taken", 60)
        second.program.signal(signal.SIGSTOP)
        broker.start()
        live = self.client(broker.port, "live", subscribe="q/#")
        second.program.signal(signal.SIGCONT)
        self.wait_bridge(second)
        self.client(second.mqtt_port, "there", second.login).publish("q/1", "by the second", 1)
        self.wait_payload(live, "by the second")
        self.assertEqual(self.payloads(live), [f"waits {number}" for number in range(50)] + ["by the second"])

    def test_an_orderly_end_hands_it_on_at_once(self):
        broker = self.broker()
        first = self.bridged(broker.port, ["# out 1"])
        self.wait_bridge(first)
        second = self.second(first)
        first.stop()
        self.wait_bridge(second)


class Outages(BridgeCase):
    def test_what_is_acknowledged_here_waits_for_a_broker_that_is_down_over_kill_9(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["# out 2"])
        self.wait_bridge(gateway)
        there = self.client(broker.port, "there", clean=False, subscribe="q/#")
        there.client.disconnect()
        there.client.loop_stop()
        broker.stop()
        self.wait_bridge(gateway, connected=False)
        here = self.client(gateway.mqtt_port, "here", gateway.login)
        for number in range(300):
            here.publish(f"q/{1 + number % 2}", f"{number}", 1 + number % 2)
        here.stop()
        gateway.kill()
        gateway.start()
        here = self.client(gateway.mqtt_port, "here2", gateway.login)
        for number in range(300, 400):
            here.publish(f"q/{1 + number % 2}", f"{number}", 1 + number % 2)
        gateway.program.signal(signal.SIGSTOP)
        broker.start()
        # Mosquitto 2.0.11 may mix up what it queues at QoS 1 and 2, so the order is read from a subscriber at QoS 0.
        live = self.client(broker.port, "live", subscribe="q/#", qos=0)
        gateway.program.signal(signal.SIGCONT)
        back = self.client(broker.port, "there", clean=False)
        self.check_each_once_in_order(live, 400)
        back.wait_for(400)
        self.assertEqual(sorted(map(int, self.payloads(back))), list(range(400)))

    def test_what_the_other_broker_holds_comes_in_after_kill_9(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["q/# in 2"])
        self.wait_bridge(gateway)
        here = self.client(gateway.mqtt_port, "here", gateway.login, clean=False, subscribe="q/#")
        gateway.kill()
        there = self.client(broker.port, "there")
        for number in range(200):
            there.publish(f"q/{1 + number % 2}", f"{number}", 1 + number % 2)
        gateway.start()
        self.check_each_once_in_order(here, 200)

    def check_each_once_in_order(self, client, count):
        """Order is promised within a topic and QoS."""
        client.wait_for(count)
        for qos in (1, 2):
            numbers = [int(payload) for topic, payload, _, _ in list(client.messages) if topic == f"q/{qos}"]
            self.assertEqual(numbers, list(range(qos - 1, count, 2)))

    def test_kills_and_restarts_under_load_lose_nothing(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["out/# out 1", "in/# in 1"])
        self.wait_bridge(gateway)
        there = self.client(broker.port, "there", clean=False, subscribe="out/#", qos=1)
        here = self.client(gateway.mqtt_port, "here", gateway.login, clean=False, subscribe="in/#", qos=1)
        feeds = [Feed(gateway.mqtt_port, "out/x", gateway.login), Feed(broker.port, "in/x", _NOBODY)]
        for feed in feeds:
            self.addCleanup(feed.stop)
        for _ in range(3):
            for feed in feeds:
                feed.wait_more(150)
            gateway.kill()
            gateway.start()
            for feed in feeds:
                feed.wait_more(150)
            broker.stop()
            broker.start()
        for feed in feeds:
            feed.wait_more(50)
            feed.stop()
        for feed, receiver in zip(feeds, (there, here)):
            def missing(feed=feed, receiver=receiver):
                return set(feed.acknowledged) - set(self.payloads(receiver))
            wait_until(lambda: not missing(), lambda: f"all of {feed.topic}: {sorted(missing())[:10]} of "
                       f"{len(feed.acknowledged)} lack\n{gateway.program.tail()}", 90)
            if receiver is here:  # of Mosquitto's order see above
                numbers = list(dict.fromkeys(int(payload) for payload in self.payloads(receiver)))
                self.assertEqual(numbers, sorted(numbers), "first sights in order")
            print(f"{feed.topic}: {len(feed.acknowledged)} acknowledged, {len(self.payloads(receiver))} came")


class Refused(BridgeCase):
    """One message that the other broker does not take holds up no other."""

    def bridged_and_clients(self, lines, version):
        broker = self.broker(lines)
        gateway = self.bridged(broker.port, ["# out 2"], version=version)
        self.wait_bridge(gateway)
        there = self.client(broker.port, "there", subscribe="q/#")
        return gateway, there, self.client(gateway.mqtt_port, "here", gateway.login, version=paho.MQTTv5)

    def metric(self, gateway, name):
        return re.search(name + r" (\d+)", gateway.rest.call("GET", "/metrics").raw.decode())[1]

    def test_a_broker_without_retained_messages_gets_the_message_without_the_flag(self):
        gateway, there, here = self.bridged_and_clients(["retain_available false"], "5.0")
        here.publish("q/1", "retained here", 1, retain=True)
        here.publish("q/1", "next", 1)
        self.wait_payload(there, "next")
        self.assertEqual(self.payloads(there), ["retained here", "next"])
        self.assertNotIn("bridge.lost", gateway.program.text())

    def test_a_message_over_which_it_closes_lets_the_others_pass(self):
        for version, lines, size, user_property in (("3.1.1", ["max_packet_size 2000"], 5000, None),
                                                    ("5.0", [], 10, ("control", "\x01"))):
            with self.subTest(version=version):
                gateway, there, here = self.bridged_and_clients(lines, version)
                for qos in (1, 2):
                    here.publish("q/1", "x" * size, qos, user_property=user_property)
                    here.publish("q/1", f"behind it {qos}", qos)
                self.wait_payload(there, "behind it 2")
                self.assertEqual(self.payloads(there), ["behind it 1", "behind it 2"])
                gateway.stop()

    def test_a_message_over_which_it_closes_in_every_trial_is_passed_over(self):
        gateway, there, here = self.bridged_and_clients(["max_packet_size 2000"], "3.1.1")
        here.publish("q/1", "x" * 5000, 1)
        refused = 'wakemq_bridge_messages_total{bridge="b",direction="out",outcome="refused"}'

        others = []

        def is_passed_over():
            if len(self.payloads(there)) == len(others):  # always one that it takes, to compare with
                others.append(f"other {len(others)}")
                here.publish("q/1", others[-1], 1)
            return self.metric(gateway, refused) == "1"

        wait_until(is_passed_over, "it to be passed over", 180)
        gateway.program.wait_for_log(r"bridge\.refused.*q/1: closes the connection over it")
        here.publish("q/1", "behind it", 1)
        self.wait_payload(there, "behind it")
        self.assertEqual(self.payloads(there), [*others, "behind it"])

    def test_a_message_larger_than_a_5_0_broker_says_is_not_even_tried(self):
        gateway, there, here = self.bridged_and_clients(["max_packet_size 2000"], "5.0")
        here.publish("q/1", "x" * 5000, 1)
        here.publish("q/1", "behind it", 1)
        self.wait_payload(there, "behind it")
        gateway.program.wait_for_log(r"bridge\.refused.*q/1: larger than its broker takes")
        self.assertNotIn("bridge.lost", gateway.program.text())


class Loops(BridgeCase):
    def test_nothing_comes_back_by_a_bridge_both_ways(self):
        for version in ("5.0", "3.1.1"):
            with self.subTest(version=version):
                broker = self.broker(name=f"m{version}")
                gateway = self.bridged(broker.port, ["# both 1"], version=version)
                self.wait_bridge(gateway)
                self.check_once(gateway, broker)

    def check_once(self, gateway, broker):
        here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="#", qos=1)
        there = self.client(broker.port, "there", subscribe="#", qos=1)
        for number in range(20):
            here.publish("x", f"here {number}", 1)
            there.publish("x", f"there {number}", 1)
        # What would come back, comes before what is sent after it.
        here.publish("x", "here last", 1)
        self.wait_payload(there, "here last")
        there.publish("x", "there last", 1)
        self.wait_payload(here, "there last")
        here.publish("x", "over", 1)
        self.wait_payload(there, "over")
        for client in (here, there):
            seen = self.payloads(client)
            self.assertEqual(len(seen), len(set(seen)), seen)
            self.assertEqual(len(seen), 43)

    def test_two_gateways_that_bridge_each_other_come_to_rest(self):
        first = self.bridged(1, ["# both 1"], start=False, folder=self.make_folder("first"))
        second = self.bridged(first.mqtt_port, ["# both 1"], folder=self.make_folder("second"))
        first.bridges[0].update(address=f"127.0.0.1:{second.mqtt_port}", username="api-key", password=second.login[1])
        first.write_config()
        self.log_in(first.start())
        second.stop()
        second.bridges[0].update(username="api-key", password=first.login[1])
        second.write_config()
        second.start()
        self.check_rest(first, second.mqtt_port, second.login, [first, second])

    def test_a_gateway_and_a_mosquitto_that_bridge_each_other_come_to_rest(self):
        broker = self.broker(start=False)
        gateway = self.bridged(broker.port, ["# both 1"])
        broker.lines += ["connection back", f"address 127.0.0.1:{gateway.mqtt_port}", "topic # both 1",
                         "bridge_protocol_version mqttv50", "remote_username api-key",
                         f"remote_password {gateway.login[1]}", "notifications false", "restart_timeout 1"]
        broker.start()
        broker.program.wait_for_log(r"Received CONNACK|Connected|connack", 40)
        self.check_rest(gateway, broker.port, _NOBODY, [gateway])

    def check_rest(self, gateway, other_port, other_login, bridged):
        """Two ways lead from each side to the other, so a message may come once by each; but no more."""
        for one in bridged:
            self.wait_bridge(one)
        here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="#", qos=1)
        there = self.client(other_port, "there", other_login, subscribe="#", qos=1)
        here.publish("x", "from here", 1)
        there.publish("x", "from there", 1)
        self.wait_payload(there, "from here")
        self.wait_payload(here, "from there")
        for number in range(10):  # ten more rounds: what circled would have come again and again
            here.publish("x", f"round {number}", 1)
            self.wait_payload(there, f"round {number}")
            there.publish("x", f"back {number}", 1)
            self.wait_payload(here, f"back {number}")
        for client in (here, there):
            seen = self.payloads(client)
            for payload in set(seen):
                self.assertLessEqual(seen.count(payload), 3, (payload, seen))


class Doors(BridgeCase):
    def test_tls_with_our_own_authority_and_a_client_certificate(self):
        ca = make_authority(self.folder)
        make_authority(self.folder, "other")
        make_server(self.folder)
        broker = self.broker([
            f"cafile {self.folder}/ca.crt", f"certfile {self.folder}/server.crt", f"keyfile {self.folder}/server.key",
            "require_certificate true", "use_identity_as_username true", "allow_anonymous false"], start=False)
        broker.write_config()
        broker.program.launch(["/usr/sbin/mosquitto", "-c", broker.config])
        tls = {"protocol": "mqtts", "ca_file": f"{self.folder}/other.crt", "cert_file": f"{self.folder}/server.crt",
               "key_file": f"{self.folder}/server.key", "address": f"localhost:{broker.port}"}
        gateway = self.bridged(broker.port, ["# out 1"], **tls)
        wait_until(lambda: "certificate is not accepted" in gateway.readiness("bridge:b")[1],
                   lambda: f"why not: {gateway.readiness('bridge:b')}")
        self.assertEqual(gateway.rest.call("GET", "/readyz").status, 200, "a bridge that is down is no reason")
        make_server(self.folder, name="elsewhere", names="DNS:a.example,DNS:b.example,IP:192.0.2.1")
        other = self.broker([f"certfile {self.folder}/elsewhere.crt", f"keyfile {self.folder}/elsewhere.key"], "other", start=False)
        other.write_config()
        other.program.launch(["/usr/sbin/mosquitto", "-c", other.config])
        lost = self.bridged(other.port, ["# out 1"], folder=self.make_folder("lost"), protocol="mqtts", ca_file=ca,
                            address=f"localhost:{other.port}")
        wait_until(lambda: "is for a.example, b.example, 192.0.2.1, and not for localhost" in lost.readiness("bridge:b")[1],
                   lambda: f"why not: {lost.readiness('bridge:b')}")
        gateway.bridges[0]["ca_file"] = ca
        gateway.write_config()
        gateway.program.signal(1)
        self.wait_bridge(gateway)
        context = ssl.create_default_context(cafile=ca)
        context.load_cert_chain(f"{self.folder}/server.crt", f"{self.folder}/server.key")
        there = self.client(broker.port, "there", subscribe="#", tls=context)
        here = self.client(gateway.mqtt_port, "here", gateway.login)
        here.publish("a", "over TLS", 1)
        self.wait_payload(there, "over TLS")

    def test_a_password_that_is_put_right_by_sighup(self):
        passwords = os.path.join(self.folder, "passwords")
        self.assertEqual(os.system(f"mosquitto_passwd -b -c {passwords} wakemq right >/dev/null 2>&1"), 0)
        broker = self.broker(["allow_anonymous false", f"password_file {passwords}"])
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("wrong\n")
        gateway = self.bridged(broker.port, ["# out 1"], username="wakemq", password_file=secret)
        wait_until(lambda: "CONNECT refused" in gateway.readiness("bridge:b")[1], "the refusal in /readyz")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("right\n")
        gateway.program.signal(1)
        self.wait_bridge(gateway)
        self.assertNotIn("wrong", gateway.program.text())

    def test_nobody_else_enters_as_a_bridge(self):
        broker = self.broker()
        gateway = self.bridged(broker.port, ["# out 1"])
        self.wait_bridge(gateway)
        for login in (gateway.login, ("bridge:b", "x")):
            for client_id in ("bridge:b", "bridge:other"):
                client = Paho(gateway.mqtt_port, client_id, *login)
                self.addCleanup(client.stop)
                client.connect()
                self.assertEqual(client.connack[0], 4)
        self.assertNotIn("bridge.lost", gateway.program.text())

    def test_a_broker_that_sends_garbage_or_nothing_harms_nobody(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            gateway = self.bridged(server.getsockname()[1], ["# both 1"])
            for answer in (b"", b"\x20\x02\x00\x00" * 3, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\xff\xff\xff\x7f"):
                server.settimeout(scaled(30))
                accepted, _ = server.accept()
                accepted.recv(4096)
                accepted.sendall(answer)
                accepted.close()
            silent, _ = server.accept()
            here = self.client(gateway.mqtt_port, "here", gateway.login, subscribe="a")
            here.publish("a", "as ever", 1)
            self.wait_payload(here, "as ever")
            silent.close()

    def test_a_bridge_taken_out_of_the_configuration_leaves_nothing_waiting(self):
        gateway = self.bridged(1, ["# out 1"])
        here = self.client(gateway.mqtt_port, "here", gateway.login)
        wait_until(lambda: any(c["client_id"] == "bridge:b" for c in self.clients(gateway)), "the bridge's client")
        here.publish("a", "waits", 1)
        here.stop()
        gateway.stop()
        gateway.bridges = []
        gateway.write_config()
        gateway.start()
        gateway.program.wait_for_log(r"bridge\.dropped")

    def clients(self, gateway):
        return gateway.rest.as_(gateway.login[1]).get("/v1/clients?limit=100")["items"]

    def test_what_is_wrong_in_the_file_is_told_with_its_line(self):
        gateway = self.bridged(1, ["# out 1"], start=False)
        gateway.bridges[0]["topics"].append("a up 1")
        gateway.write_config()
        complaint = gateway.command("check-config", expect=2)
        self.assertRegex(complaint, r'wakemq\.toml:\d+: bridge\[0\]\.topics: expected out, in or both, not "up"')
        for own in ("$wake/", "$SYS/"):
            gateway.bridges[0]["topics"][1:] = [f"events in 1 {own}"]
            gateway.write_config()
            self.assertIn("a local topic that does not begin with $", gateway.command("check-config", expect=2))


if __name__ == "__main__":
    unittest.main()
