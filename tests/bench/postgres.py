"""A private PostgreSQL with its durability switched on (fsync and all), for the brokers that need one."""
import os
import pathlib
import shutil
import subprocess

from process import Process, wait_until


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: int(bin.parent.name))
    return found[-1] if found else pathlib.Path(os.path.dirname(shutil.which("postgres") or "/usr/bin/postgres"))


class Cluster:
    """Lives in `folder`, on a Unix socket there, until stopped. PostgreSQL refuses root, so root lends it a user."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def start(self):
        self.folder.mkdir()
        owner = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            os.chmod(self.folder.parent, 0o711)
            owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        data = self.folder / "data"
        subprocess.run([programs() / "initdb", "-D", data, "-U", "wakemq", "-A", "trust", "-E", "UTF8",
                        "--locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **owner)
        self.process = Process([programs() / "postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses="],
                               self.folder.parent / "postgres.log", cwd=self.folder, **owner)
        wait_until(self._is_ready, 30, "PostgreSQL is ready", self.process)

    def _is_ready(self):
        return subprocess.run([programs() / "pg_isready", "-q", "-h", self.folder, "-U", "wakemq"]).returncode == 0

    def create(self, database):
        subprocess.run([programs() / "createdb", "-h", self.folder, "-U", "wakemq", database], check=True)
        return f"postgresql:///{database}?host={self.folder}&user=wakemq"

    def pids(self):
        """The postmaster and all its children of now: WakeMQ's connections among them."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def stop(self):
        if self.process:
            self.process.interrupt()  # SIGINT: fast shutdown
