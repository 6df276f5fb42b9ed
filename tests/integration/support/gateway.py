"""The gateway as a process: its configuration, its start, its ways to end, and its command line."""

import json
import os
import subprocess

from support.ports import free_port
from support.program import Program, program_path
from support.rest import Rest
from support.waiting import scaled, wait_until


def to_toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


class Gateway:
    """One configuration, and the process that serves it. Listeners: mqtt, http, and with `tls_folder` (server.crt,
    server.key) mqtts; `listeners` adds more, each its keys. `sections` adds to or replaces what is in the file, as
    {"delivery": {"ack_timeout": "2s"}}. `binary` serves."""

    def __init__(self, folder, database_url, apps=(), sections=None, shards=None, tls_folder=None, binary="wakemq",
                 bridges=(), listeners=()):
        self.folder = folder
        self.binary = binary
        self.config = os.path.join(folder, "wakemq.toml")
        self.program = Program(os.path.join(folder, "gateway.log"))
        self.mqtt_port, self.mqtts_port, self.http_port = free_port(), free_port(), free_port()
        self.tls_folder = tls_folder
        self.listeners = list(listeners)
        self.sections = {"database": {"url": database_url, "pool": 4}, **(sections or {})}
        self.apps, self.bridges = list(apps), list(bridges)
        self.environment = {}
        if shards is not None:
            self.environment["WAKEMQ_SERVER_SHARDS"] = str(shards)
        self.write_config()

    def write_config(self):
        lines = ["[[listener]]", 'protocol = "mqtt"', f'address = "127.0.0.1:{self.mqtt_port}"',
                 "[[listener]]", 'protocol = "http"', f'address = "127.0.0.1:{self.http_port}"']
        if self.tls_folder:
            lines += ["[[listener]]", 'protocol = "mqtts"', f'address = "127.0.0.1:{self.mqtts_port}"',
                      f'cert_file = "{self.tls_folder}/server.crt"', f'key_file = "{self.tls_folder}/server.key"']
        for listener in self.listeners:
            lines += ["[[listener]]", *(f"{key} = {to_toml(value)}" for key, value in listener.items())]
        for section, keys in self.sections.items():
            lines += [f"[{section}]", *(f"{key} = {to_toml(value)}" for key, value in keys.items())]
        for app in self.apps:
            lines += ["[[push.app]]", *(f"{key} = {to_toml(value)}" for key, value in app.items())]
        for bridge in self.bridges:
            lines += ["[[bridge]]", *(f"{key} = {to_toml(value)}" for key, value in bridge.items())]
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    @property
    def rest(self):
        return Rest(self.http_port)

    def command(self, *arguments, stdin="", expect=0):
        """`wakemq ARGUMENTS --config …`: its output."""
        done = subprocess.run([program_path("wakemq"), *arguments, "--config", self.config], input=stdin,
                              capture_output=True, text=True, timeout=scaled(60), check=False,
                              env={**os.environ, **self.environment})
        assert done.returncode == expect, f"wakemq {arguments}: exit status {done.returncode}\n{done.stderr}"
        return done.stdout if expect == 0 else done.stderr

    def migrate(self):
        self.command("migrate")
        return self

    def launch(self):
        """Without waiting."""
        self.program.mark()
        self.program.launch([program_path(self.binary), "serve", "--config", self.config], self.environment)
        return self

    def start(self, until="ready", seconds=30):
        """Returns when /readyz (or with until="alive" /healthz) says so."""
        self.launch()
        is_there = self.rest.is_ready if until == "ready" else self.rest.is_alive

        def check():
            assert self.program.is_running(), f"the gateway ended at its start:\n{self.program.tail()}"
            return is_there()

        wait_until(check, lambda: f"the gateway is {until}; its log ends with\n{self.program.tail()}", seconds)
        return self

    def kill(self):
        self.program.kill()

    def stop(self):
        """SIGTERM; the exit status must be 0, and no sanitizer may have complained."""
        if self.program.process is None:
            return
        was_running = self.program.is_running()
        status = self.program.terminate()
        reports = self.program.sanitizer_reports()
        assert not reports, "\n".join(reports) + "\n" + self.program.tail(80)
        if was_running:
            assert status == 0, f"exit status {status} after SIGTERM; the log ends with\n{self.program.tail()}"

    def readiness(self, prefix, word=""):
        """What /readyz says about parts whose name begins and contains so: (is ready, detail)."""
        answer = self.rest.call("GET", "/readyz")
        parts = [p for p in answer.json["parts"] if p["name"].startswith(prefix) and word in p["name"]]
        assert parts, f"/readyz has no part {prefix}…{word}: {answer}"
        return all(p["ready"] for p in parts), " ".join(p.get("detail", "") for p in parts)
