"""Debian's mosquitto_pub and mosquitto_sub, and paho, as users have them."""

import subprocess
import threading

import paho.mqtt.client as paho

from support.waiting import scaled, wait_until


def _arguments(port, client_id, username, password, version, ca_file, more):
    command = ["-h", "localhost", "-p", str(port), "-i", client_id, "-u", username, "-P", password, "-V", version]
    if ca_file:
        command += ["--cafile", ca_file]
    return command + list(more)


def mosquitto_pub(port, client_id, username, password, topic, payload, qos=1, version="mqttv311", ca_file=None,
                  more=()):
    """(exit status, what it wrote). At QoS 1 it ends after the PUBACK."""
    done = subprocess.run(
        ["mosquitto_pub", *_arguments(port, client_id, username, password, version, ca_file, more), "-q", str(qos),
         "-t", topic, "-m", payload], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=scaled(30), text=True, check=False)
    return done.returncode, done.stdout


class MosquittoSub:
    """A running mosquitto_sub; `lines` are "QoS|retain|topic|payload"."""

    def __init__(self, port, client_id, username, password, topic_filter, qos=1, version="mqttv311", ca_file=None,
                 more=()):
        command = ["stdbuf", "-oL", "mosquitto_sub",
                   *_arguments(port, client_id, username, password, version, ca_file, more), "-q", str(qos), "-t",
                   topic_filter, "-d", "-F", ">%q|%r|%t|%p"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, encoding="utf-8")
        self.output = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))

    @property
    def lines(self):
        return [line[1:] for line in list(self.output) if line.startswith(">")]

    def wait_subscribed(self):
        wait_until(lambda: any("Subscribed" in line for line in list(self.output)),
                   lambda: f"mosquitto_sub is subscribed; it wrote {self.output}")
        return self

    def wait_for(self, count):
        wait_until(lambda: len(self.lines) >= count,
                   lambda: f"{count} messages at mosquitto_sub; it wrote {self.output}")
        return self.lines

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=scaled(20))
        self.reader.join(scaled(20))
        self.process.stdout.close()


class Paho:
    """A paho client on its own thread. `messages`: (topic, payload, qos, retain)."""

    def __init__(self, port, client_id, username, password, version=paho.MQTTv311, clean=True, tls_ca=None, tls=None):
        session = {} if version == paho.MQTTv5 else {"clean_session": clean}
        self.client = paho.Client(client_id=client_id, protocol=version, **session)
        self.client.username_pw_set(username, password)
        if tls_ca:
            self.client.tls_set(ca_certs=tls_ca)
        if tls:
            self.client.tls_set_context(tls)
        self.version, self.clean, self.port = version, clean, port
        self.messages, self.connack, self.subscribed, self.published = [], None, False, set()
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self.client.on_publish = lambda _c, _u, mid: self.published.add(mid)
        self.client.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload, m.qos, bool(m.retain)))

    def _on_connect(self, _client, _userdata, flags, code, *_):
        self.connack = (int(code) if not hasattr(code, "value") else code.value, bool(flags.get("session present")))

    def connect(self):
        options = {}
        if self.version == paho.MQTTv5:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties
            options["clean_start"] = self.clean
            if not self.clean:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = 3600
        self.client.connect("localhost", self.port, **options)
        self.client.loop_start()
        wait_until(lambda: self.connack is not None, "a CONNACK for paho")
        return self

    def subscribe(self, topic_filter, qos):
        self.subscribed = False
        self.client.subscribe(topic_filter, qos)
        wait_until(lambda: self.subscribed, "a SUBACK for paho")
        return self

    def publish(self, topic, payload, qos, retain=False, user_property=None):
        """Returns when the handshake of its QoS is over."""
        options = {}
        if user_property:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties
            options["properties"] = Properties(PacketTypes.PUBLISH)
            options["properties"].UserProperty = user_property
        info = self.client.publish(topic, payload, qos, retain, **options)
        info.wait_for_publish(scaled(20))
        assert info.is_published(), f"paho's publish to {topic} at QoS {qos} was not taken"

    def wait_for(self, count):
        wait_until(lambda: len(self.messages) >= count,
                   lambda: f"{count} messages at paho, came {self.messages}")
        return self.messages

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
