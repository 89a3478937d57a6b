"""Throwaway certificates for a control channel with TLS: made for one recording, gone with it."""

import subprocess


def make(folder, servers):
    """Server name → the files that its machine needs."""
    where = folder / "certificates"
    where.mkdir()
    _openssl(where, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=lab",
             "-keyout", "ca.key", "-out", "ca.crt")
    return {server.name: _of_server(where, server) for server in servers}


def _of_server(where, server):
    name = server.name
    _openssl(where, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
             "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (where / "names").write_text("subjectAltName=" + ",".join(f"IP:{address}" for address in server.addresses()))
    _openssl(where, "x509", "-req", "-days", "3650", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
             "-extfile", "names", "-in", f"{name}.csr", "-out", f"{name}.crt")
    return [where / "ca.crt", where / f"{name}.crt", where / f"{name}.key"]


def _openssl(where, *words):
    subprocess.run(["openssl", *words], cwd=where, check=True, capture_output=True, timeout=30)
