"""Ports for a gateway that is stopped and started again on the same ones: free now, and below the range from which the
kernel takes ports for outgoing connections, so that nobody picks them up in between."""

import random
import socket

_FIRST, _LAST = 12000, 31999
_taken = set()
_random = random.SystemRandom()


def free_port():
    for _ in range(1000):
        port = _random.randint(_FIRST, _LAST)
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port
    raise RuntimeError("no free port between 12000 and 31999")
