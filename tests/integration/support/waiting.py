"""Waiting for events, never for time: every wait has a deadline and says what it waited for."""

import os
import time

# Sanitized builds are slower; deadlines are only upper bounds, so a generous one costs nothing.
SLOWNESS = float(os.environ.get("WAKE_TEST_SLOWNESS", "1"))
DEADLINE_S = 20.0


class NeverCame(AssertionError):
    """What was waited for did not happen in time."""


def scaled(seconds=DEADLINE_S):
    return seconds * SLOWNESS


def wait_until(check, what, seconds=DEADLINE_S):
    """Returns the first true value of check(); NeverCame when there was none. `what` is a string, or a function that
    describes the state at the end."""
    end = time.monotonic() + scaled(seconds)
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() >= end:
            raise NeverCame(f"not within {scaled(seconds):g} s: {what() if callable(what) else what}")
        time.sleep(0.02)  # between two looks; nothing depends on its length
