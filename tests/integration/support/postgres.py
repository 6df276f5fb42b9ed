"""A private PostgreSQL cluster on a Unix socket in a folder of its own. One is shared by all tests (CTest starts it once,
see CMakeLists.txt; a test run by hand starts its own); a test that stops PostgreSQL makes one for itself.

    python3 -m support.postgres start|stop FOLDER
"""

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

_BIN = next((d for d in ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin")
             if os.path.isdir(d)), "")
_USER = "wakemq"
_numbers = itertools.count(1)


def _as_postgres(*arguments):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return list(arguments)
    return ["runuser", "-u", "postgres", "--", *arguments]


def _run(*arguments, **options):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          cwd="/", check=False, timeout=120, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


class Cluster:
    def __init__(self, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="wakemq-pg-")
        self.data = os.path.join(self.folder, "data")

    def create(self):
        """Without fsync: the tests kill processes, not the machine."""
        os.makedirs(self.folder, exist_ok=True)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        _run(*_as_postgres(f"{_BIN}/initdb", "-D", self.data, "-U", _USER, "--auth=trust", "-E", "UTF8",
                           "--locale=C.UTF-8", "--no-sync"))
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n"
                           "max_connections = 200\nfsync = off\nfull_page_writes = off\n")
        return self

    def _pg_ctl(self, *arguments):
        # Its outputs are files: the server inherits them, and a pipe would be held open for as long as it runs.
        with open(os.path.join(self.folder, "log"), "ab") as log:
            status = subprocess.run(_as_postgres(f"{_BIN}/pg_ctl", "-D", self.data, "-w", "-t", "60", *arguments),
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False,
                                    timeout=120).returncode
        return status == 0

    def is_running(self):
        return os.path.isdir(self.data) and self._pg_ctl("status")

    def start(self):
        if not self._pg_ctl("start"):
            raise RuntimeError(f"PostgreSQL did not start; read {self.folder}/log")

    def stop(self, mode="fast"):
        self._pg_ctl("-m", mode, "stop")

    def remove(self):
        if self.is_running():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql:///{database}?host={self.folder}&user={_USER}"

    def sql(self, statement, database="postgres"):
        """The rows, columns separated by |."""
        return _run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(database)).splitlines()

    def make_database(self):
        name = f"t_{os.getpid()}_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name):
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


_shared = None


def shared_cluster():
    """The cluster of this run."""
    global _shared  # pylint: disable=global-statement
    if _shared is None:
        folder = os.environ.get("WAKE_TEST_PG")
        _shared = Cluster(folder)
        if not folder:
            atexit.register(_shared.remove)
            _shared.create().start()
    return _shared


def _main(command, folder):
    cluster = Cluster(folder)
    if command == "stop":
        cluster.remove()
    elif not cluster.is_running():
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was broken off
        cluster.create().start()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
