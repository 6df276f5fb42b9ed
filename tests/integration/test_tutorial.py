"""docs/tutorial.md, run as it is written: its shell blocks from the first to the last in one shell that stops at the first failure.
Only the block that says where things are is given this test's ports and folders."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from support.ports import free_port
from support.postgres import shared_cluster
from support.program import BUILD
from support.simulators import Fcm
from support.waiting import scaled

TUTORIAL = os.path.join(os.path.dirname(__file__), "../../docs/tutorial.md")
BLOCK = re.compile(r"^```(\w+)(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    """(language, words after it, text), in order."""
    with open(TUTORIAL, encoding="utf-8") as file:
        return [(found[1], found[2].strip(), found[3]) for found in BLOCK.finditer(file.read())]


def with_values(text, values):
    """`name=…` becomes this test's value; every name of the block must be among `values`, and the other way round."""
    names = re.findall(r"^(\w+)=", text, re.MULTILINE)
    assert sorted(names) == sorted(values), f"the tutorial sets {names}, the test {sorted(values)}"
    return re.sub(r"^(\w+)=\S+", lambda found: f"{found[1]}='{values[found[1]]}'", text, flags=re.MULTILINE)


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wakemq-it-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.fcm = Fcm(self.folder)
        self.addCleanup(self.fcm.stop)
        cluster = shared_cluster()
        database = cluster.make_database()
        self.addCleanup(cluster.drop_database, database)
        self.values = {"database": cluster.url(database), "rest": f"http://localhost:{free_port()}",
                       "mqtt_port": free_port(), "sim": os.path.join(self.folder, "sim"),
                       "fcm": self.fcm.facts["endpoint"], "screens": self.fcm.control}

    def script(self):
        parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
        for language, words, text in blocks():
            if language != "sh":
                continue
            parts.append(with_values(text, self.values) if words == "setting" else text)
        return "\n".join(parts)

    def test_the_commands_do_what_the_tutorial_says(self):
        done = subprocess.run(["bash", "-x", "-c", self.script()], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=scaled(120), text=True, check=False,
                              env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])

    def test_every_command_is_one_that_a_reader_has(self):
        """curl and mosquitto, and what picks values out of answers: no script of ours does the work unseen."""
        for language, _, text in blocks():
            self.assertIn(language, ("sh", "console"), "a block of another language would not be run")
            self.assertNotIn("python", text)


if __name__ == "__main__":
    unittest.main()
