"""Who else may know people: an identity provider that signs JWTs (openssl holds the keys), and the operator's back end
behind [auth] webhook_url."""

import base64
import http.server
import json
import os
import subprocess
import threading
import time


def _openssl(folder, *arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], cwd=folder, input=stdin, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=60).stdout


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class IdentityProvider:
    """One RSA key, made now; `jwks_file` has its public half."""

    def __init__(self, folder, kid="key-1", jwks_file=None):
        self.folder, self.kid, self.key = folder, kid, os.path.join(folder, f"{kid}.pem")
        self.jwks_file = jwks_file or os.path.join(folder, "jwks.json")
        _openssl(folder, "genrsa", "-out", self.key, "2048")
        modulus = _openssl(folder, "rsa", "-in", self.key, "-noout", "-modulus").decode().strip().split("=")[1]
        self.jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "e": "AQAB",
                    "n": _base64url(bytes.fromhex(modulus))}
        self.publish()

    def publish(self, text=None):
        """Writes the file whole, as an operator's script would: into place at once."""
        with open(self.jwks_file + ".new", "w", encoding="ascii") as file:
            file.write(json.dumps({"keys": [self.jwk]}) if text is None else text)
        os.replace(self.jwks_file + ".new", self.jwks_file)

    def token(self, seconds=300, header=None, **claims):
        claims = {"iss": "https://id.test/", "aud": "wakemq", "iat": int(time.time()), "exp": int(time.time()) + seconds,
                  **claims}
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid} if header is None else header
        text = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = _openssl(self.folder, "dgst", "-sha256", "-sign", self.key, stdin=text.encode())
        return f"{text}.{_base64url(signature)}"


class BackEnd:
    """Answers what `answer` says: a dict as JSON, bytes as they are, an int as a status. `questions` were asked."""

    def __init__(self):
        self.answer = {"result": "deny"}
        self.by_username = {}  # instead of `answer`
        self.questions, self.headers = [], []
        self.is_silent = threading.Event()  # set: asked, and never answered
        self.over = threading.Event()
        back_end = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if back_end.over.is_set():  # on a connection of before
                    self.close_connection = True
                    return
                back_end.questions.append(question)
                back_end.headers.append(dict(self.headers))
                if back_end.is_silent.is_set():
                    back_end.over.wait(60)
                    self.close_connection = True
                    return
                answer = back_end.by_username.get(question["username"], back_end.answer)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """The gateway's log is what a test reads."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/auth"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def asked_about(self, username):
        return [question for question in list(self.questions) if question["username"] == username]

    def stop(self):
        """Nobody listens any more."""
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
