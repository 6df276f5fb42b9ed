"""Certificates for the TLS listener, made with openssl when a test starts; nothing of it is kept."""

import os
import subprocess


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def make_authority(folder, name="ca"):
    """`name`.crt and `name`.key."""
    _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN=WakeMQ test {name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
    return os.path.join(folder, f"{name}.crt")


def make_server(folder, authority="ca", name="server"):
    """`name`.crt and `name`.key for localhost, signed by the authority."""
    with open(os.path.join(folder, "server.ext"), "w", encoding="ascii") as extensions:
        extensions.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    _openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=localhost", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", f"{name}.crt")
