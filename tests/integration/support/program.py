"""A program under test: started with its own log file, ended by its id, and its log read for sanitizer reports."""

import os
import re
import signal
import subprocess

from support.waiting import scaled, wait_until

BUILD = os.environ.get("WAKE_BUILD", os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../build")))
SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: |SUMMARY: \w+Sanitizer")


def program_path(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path}: build it first, or set WAKE_BUILD to the build folder")
    return path


class Program:
    """One process. `log` is the file that gets both its outputs; it is appended to by every start."""

    def __init__(self, log):
        self.log = log
        with open(log, "ab"):
            pass  # it can be read before the start
        self.process = None
        self.mark_at = 0

    def launch(self, arguments, environment=None, stdout=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def mark(self):
        """wait_for_log looks at what comes after this."""
        self.mark_at = len(self.text())

    def tail(self, lines=15):
        return "\n".join(self.text().splitlines()[-lines:])

    def wait_for_log(self, pattern, seconds=20.0):
        expression = re.compile(pattern)
        return wait_until(lambda: expression.search(self.text()[self.mark_at:]),
                          lambda: f"a log line like {pattern!r}; the log ends with\n{self.tail()}", seconds)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.is_running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def wait(self, seconds=20.0):
        return self.process.wait(timeout=scaled(seconds))

    def terminate(self, seconds=20.0):
        """SIGTERM; the exit status."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"pid {self.pid} did not end within {scaled(seconds):g} s of SIGTERM; "
                                 f"the log ends with\n{self.tail()}") from None

    def sanitizer_reports(self):
        return [line for line in self.text().splitlines() if SANITIZER_REPORT.search(line)]
