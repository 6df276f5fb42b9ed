"""A REST client of the gateway: JSON in, (status, JSON) out."""

import base64
import json
import urllib.error
import urllib.request

from support.waiting import scaled


class Answer:
    def __init__(self, status, headers, raw):
        self.status = status
        self.headers = headers
        self.raw = raw

    @property
    def json(self):
        return json.loads(self.raw)

    def __repr__(self):
        return f"{self.status} {self.raw[:500]!r}"


class Rest:
    """`credential`: None, a Bearer token, or (name, password) for HTTP Basic."""

    def __init__(self, port, credential=None):
        self.base = f"http://127.0.0.1:{port}"
        self.credential = credential

    def as_(self, credential):
        other = Rest(0, credential)
        other.base = self.base
        return other

    def call(self, method, path, body=None, raw=None, key=None):
        """Any status is an answer; only a broken connection raises OSError. `key`: an Idempotency-Key."""
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if key is not None:
            request.add_header("Idempotency-Key", key)
        if isinstance(self.credential, tuple):
            pair = base64.b64encode(":".join(self.credential).encode()).decode()
            request.add_header("Authorization", "Basic " + pair)
        elif self.credential:
            request.add_header("Authorization", "Bearer " + self.credential)
        try:
            with urllib.request.urlopen(request, timeout=scaled(15)) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def expect(self, status, method, path, body=None):
        """The JSON of an answer that must have this status."""
        answer = self.call(method, path, body)
        assert answer.status == status, f"{method} {path}: expected {status}, came {answer}"
        return answer.json if answer.raw else None

    def get(self, path):
        return self.expect(200, "GET", path)

    def is_ready(self):
        try:
            return self.call("GET", "/readyz").status == 200
        except OSError:
            return False

    def is_alive(self):
        try:
            return self.call("GET", "/healthz").status == 200
        except OSError:
            return False
