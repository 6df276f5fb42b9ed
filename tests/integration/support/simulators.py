"""Apple's and Google's stand-ins (tests/sim/README.md) as processes, and what their fake phones showed."""

import json
import os
import subprocess
import urllib.parse
import urllib.request

from support.program import Program, program_path
from support.waiting import scaled, wait_until


class Simulator:
    def __init__(self, name, folder, *arguments):
        self.program = Program(os.path.join(folder, name + ".log"))
        self.program.launch([program_path(name), "--dir", os.path.join(folder, "sim"), *arguments],
                            stdout=subprocess.PIPE)
        line = self.program.process.stdout.readline()
        assert line, f"{name} did not start:\n{self.program.tail()}"
        self.facts = json.loads(line)
        self.control = self.facts["control"]

    def stop(self):
        self.program.process.stdout.close()
        self.program.terminate()
        reports = self.program.sanitizer_reports()
        assert not reports, reports

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.control + path, data=data, timeout=scaled(60)) as response:
            return response.read().decode()

    def phone(self, token, shown=None, seconds=20.0):
        """The phone's screen; with `shown` as soon as it has that many notifications, or at the deadline."""
        query = "" if shown is None else f"?shown={shown}&wait_ms={int(scaled(seconds) * 1000)}"
        return json.loads(self.ask("/phones/" + urllib.parse.quote(token, safe="") + query))

    def log(self, token=None):
        """One entry per request that arrived."""
        entries = [json.loads(line) for line in self.ask("/log").splitlines() if line]
        return [entry for entry in entries if token is None or entry.get("token") == token]

    def wait_for_requests(self, count, token=None, seconds=20.0):
        return wait_until(lambda: (lambda log: log if len(log) >= count else None)(self.log(token)),
                          lambda: f"{count} requests at {self.facts['program']}, came {self.log(token)}", seconds)

    def script(self, token, *answers, repeat=1):
        self.ask("/script", {"token": token, "answers": list(answers), "repeat": repeat})

    def settings(self, **settings):
        self.ask("/settings", settings)

    def down(self):
        self.ask("/down", {})

    def up(self):
        self.ask("/up", {})

    def reset(self):
        self.ask("/reset", {})


class Apns(Simulator):
    def __init__(self, folder, *arguments):
        super().__init__("apns_sim", folder, *arguments)

    def app(self, app_id="com.example.cam"):
        """The [[push.app]] that points here."""
        return {"id": app_id, "platform": "apns", "topic": "com.example.cam", "key_file": self.facts["key_file"],
                "key_id": self.facts["key_id"], "team_id": self.facts["team_id"],
                "endpoint": self.facts["endpoint"], "ca_file": self.facts["ca_file"]}


class Fcm(Simulator):
    def __init__(self, folder, *arguments):
        super().__init__("fcm_sim", folder, *arguments)

    def app(self, app_id="com.example.cam"):
        return {"id": app_id, "platform": "fcm", "service_account_file": self.facts["service_account_file"],
                "endpoint": self.facts["endpoint"], "ca_file": self.facts["ca_file"]}
