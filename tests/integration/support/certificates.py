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


def make_server(folder, authority="ca", name="server", names="DNS:localhost,IP:127.0.0.1"):
    """`name`.crt and `name`.key for localhost, signed by the authority."""
    _issue(folder, authority, name, "localhost", f"subjectAltName={names}\n")


def make_client(folder, authority, name):
    """`name`.crt and `name`.key of a client whose common name is `name`."""
    _issue(folder, authority, name, name, "extendedKeyUsage=clientAuth\n")


def make_intermediate(folder, authority, name):
    """`name`.crt and `name`.key of an authority below `authority`."""
    _issue(folder, authority, name, f"WakeMQ test {name}",
           "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n")


def join(folder, target, *others):
    """Joins PEM files into `target`, which may be one of them."""
    whole = ""
    for name in others:
        with open(os.path.join(folder, name), encoding="ascii") as file:
            whole += file.read()
    with open(os.path.join(folder, target), "w", encoding="ascii") as file:
        file.write(whole)


def revoke(folder, authority, names):
    """`authority`.crl: these clients are revoked, all others are not."""
    settings = os.path.join(folder, f"{authority}.cnf")
    with open(settings, "w", encoding="ascii") as file:
        file.write(f"[ca]\ndefault_ca = it\n[it]\ndatabase = {folder}/{authority}.index\ncertificate = {folder}/{authority}.crt\n"
                   f"private_key = {folder}/{authority}.key\ndefault_md = sha256\ndefault_crl_days = 2\n")
    with open(os.path.join(folder, f"{authority}.index"), "w", encoding="ascii"):
        pass
    for name in names:
        _openssl(folder, "ca", "-config", settings, "-revoke", f"{name}.crt")
    _openssl(folder, "ca", "-config", settings, "-gencrl", "-out", f"{authority}.crl")


def _issue(folder, authority, name, common_name, extensions):
    with open(os.path.join(folder, f"{name}.ext"), "w", encoding="ascii") as file:
        file.write(extensions)
    _openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             f"/CN={common_name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")
