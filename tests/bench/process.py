"""A child process with its log, and waiting for something with a deadline."""
import signal
import subprocess
import time


class BrokerFailed(Exception):
    """A program that is measured did not start, or ended."""


class Process:
    def __init__(self, command, log, **how):
        self.log = log
        with open(log, "ab") as out:
            self._child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=subprocess.STDOUT, **how)
        self.pid = self._child.pid

    def has_ended(self):
        return self._child.poll() is not None

    def reap(self):
        """After somebody killed it."""
        self._child.wait(10)

    def terminate(self):
        self._end(signal.SIGTERM)

    def interrupt(self):
        self._end(signal.SIGINT)

    def _end(self, number):
        if self.has_ended():
            return
        self._child.send_signal(number)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def log_end(log):
    """For a failure's text: the log itself is gone with the run's folder."""
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    return "its log ends:\n" + "\n".join(lines) if lines else "its log is empty"


def wait_until(is_true, seconds, what, process):
    deadline = time.monotonic() + seconds
    while not is_true():
        if process.has_ended() or time.monotonic() > deadline:
            raise BrokerFailed(f"waited in vain until {what}; {log_end(process.log)}")
        time.sleep(0.02)
