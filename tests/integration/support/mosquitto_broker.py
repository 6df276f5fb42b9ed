"""Debian's mosquitto as the broker at the other end of a bridge: its own folder and port, sessions kept over a restart."""

import os

from support.ports import free_port
from support.program import Program
from support.waiting import wait_until
from support.wire import Wire


class MosquittoBroker:
    """`lines` are added to its configuration: users, TLS, a bridge of its own. Anonymous unless a line says otherwise."""

    def __init__(self, folder, lines=(), name="mosquitto"):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        self.config = os.path.join(self.folder, "mosquitto.conf")
        self.program = Program(os.path.join(self.folder, "log"))
        self.lines = list(lines)

    def write_config(self):
        own = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {self.folder}/",
               "user root", "max_queued_messages 100000", "log_type all", "connection_messages true"]
        if not any("allow_anonymous" in line for line in self.lines):
            own.append("allow_anonymous true")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(own + self.lines) + "\n")

    def start(self):
        self.write_config()
        self.program.mark()
        self.program.launch(["/usr/sbin/mosquitto", "-c", self.config])
        wait_until(self._answers, lambda: f"mosquitto listens; its log ends with\n{self.program.tail()}")
        return self

    def _answers(self):
        try:
            Wire(self.port).close()
            return True
        except OSError:
            return False

    def stop(self):
        """It stores its sessions."""
        self.program.terminate()
