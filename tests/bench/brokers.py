"""How each contender is set up: same machine, same loopback, nothing that drops a message, logs only of errors."""
import dataclasses
import socket
import subprocess

from postgres import Cluster
from process import BrokerFailed, Process, wait_until

# What WakeMQ allows unacknowledged towards one client by default; Mosquitto is given the same.
MAX_INFLIGHT = 100
# More than mqttload leaves outstanding, and than the absent sessions are sent.
MAX_QUEUED = 200_000

FLOOR, MOSQUITTO = "floor", "Mosquitto"


@dataclasses.dataclass(frozen=True)
class Target:
    port: int
    pid: int
    counted: tuple = ()  # processes that work for it


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One process on one port."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.log = folder / (name.replace(" ", "-") + ".log")
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = Process(self.command(), self.log)
        wait_until(lambda: is_listening(self.port), 30, f"{self.name} listens on port {self.port}", self.process)

    def start_again(self):
        """After it was killed; with what it kept."""
        self.process.reap()
        self.start()

    def stop(self):
        if self.process:
            self.process.terminate()

    def target(self, _route="all"):
        return Target(self.port, self.process.pid)


class Mosquitto(Server):
    def __init__(self, folder):
        super().__init__(MOSQUITTO, folder)

    def command(self):
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n"
                          f"max_inflight_messages {MAX_INFLIGHT}\nmax_queued_messages 0\nmax_queued_bytes 0\n")
        return ["/usr/sbin/mosquitto", "-c", config]


class Relay(Server):
    def __init__(self, build, folder, route):
        super().__init__(f"{FLOOR} {route}", folder)
        self._words = [build / "rawrelay", "--port", self.port, "--route", route]

    def command(self):
        return self._words


class Floor:
    """rawrelay knows how to route from its start, so there are two; the other one sleeps."""

    def __init__(self, build, folder):
        self.name = FLOOR
        self.relays = {route: Relay(build, folder, route) for route in ("all", "exact")}
        self.log = self.relays["all"].log

    def start(self):
        for relay in self.relays.values():
            relay.start()

    def stop(self):
        for relay in self.relays.values():
            relay.stop()

    def target(self, route):
        return self.relays[route].target()


class WakeMq(Server):
    """The released binary, its defaults, anonymous clients; a database of its own."""

    def __init__(self, build, folder, cluster, shards, label="WakeMQ"):
        super().__init__(f"{label} {shards} shard" + ("s" if shards > 1 else ""), folder)
        self.cluster = cluster
        self.config = folder / f"{label}-{shards}.toml"
        self._program = build / "wakemq"
        url = cluster.create(f"bench_{label.lower()}_{shards}")
        self.config.write_text(f"""[[listener]]
protocol = "mqtt"
address = "127.0.0.1:{self.port}"
[[listener]]
protocol = "http"
address = "127.0.0.1:{free_port()}"
[server]
shards = {shards}
[database]
url = "{url}"
[auth]
allow_anonymous = true
[limits]
max_inflight = {MAX_INFLIGHT}
max_queued_messages = {MAX_QUEUED}
[log]
level = "warn"
""")
        migrated = subprocess.run([self._program, "migrate", "--config", self.config], capture_output=True, text=True)
        if migrated.returncode != 0:
            raise BrokerFailed("wakemq migrate: " + migrated.stdout + migrated.stderr)

    def command(self):
        return [self._program, "serve", "--config", self.config]

    def target(self, _route="all"):
        return Target(self.port, self.process.pid, tuple(self.cluster.pids()))


class Contenders:
    """All of them, running at once; the ones not under load sleep. `compared`: two builds of WakeMQ in place of all."""

    def __init__(self, build, folder, with_wakemq, compared=()):
        self._build, self._folder, self._with_wakemq, self._compared = build, folder, with_wakemq, compared
        self._cluster = Cluster(folder / "postgres")
        self.all = []

    def __enter__(self):
        try:
            if self._with_wakemq:
                self._cluster.start()
            self.all = self._make()
            for broker in self.all:
                broker.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        def wakemq(build, label):
            return [WakeMq(build, self._folder, self._cluster, shards, label) for shards in (1, 2)]
        if self._compared:
            return [one for label, build in zip("AB", self._compared) for one in wakemq(build, label)]
        beside = [Floor(self._build, self._folder), Mosquitto(self._folder)]
        return beside + (wakemq(self._build, "WakeMQ") if self._with_wakemq else [])

    def __exit__(self, *_):
        for broker in self.all:
            broker.stop()
        self._cluster.stop()
