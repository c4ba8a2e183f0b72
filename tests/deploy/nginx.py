"""The committed configuration in a real nginx, with free ports and a certificate of its own."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ui.site.running import ROOT, free_port

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
COMMENTED = "8502"
"""In lines that a single process leaves commented out."""

MAIN = """
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    {temporary}
    include {folder}/site.conf;
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def several(text: str) -> str:
    """Return the configuration of two processes, as its comment tells."""
    return re.sub(rf"^( *)# (?=.*\b{COMMENTED}\b)", r"\1", text, flags=re.MULTILINE)


def write(folder: Path, text: str, ports: Sequence[int], http: int, https: int) -> Path:
    """Write the configuration with other ports and a certificate; return the file to start nginx with."""
    for old, new in zip(("8501", COMMENTED), ports, strict=False):
        text = re.sub(rf"\b{old}\b", str(new), text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{http};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;")
    text = re.sub(r"/etc/letsencrypt/live/[^/]+", str(folder), text)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    _certify(folder)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder, temporary=temporary), encoding="utf-8")
    return main


@contextmanager
def proxy(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Start nginx before processes at two ports; yield its address."""
    https = free_port()
    main = write(folder, several(CONFIGURATION), ports, free_port(), https)
    with subprocess.Popen([PROGRAM, "-c", main, "-e", folder / "error.log"]) as process:
        try:
            until = time.monotonic() + 10
            while not (folder / "pid").exists():
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.02)
            yield f"https://127.0.0.1:{https}"
        finally:
            process.terminate()


def trusting() -> ssl.SSLContext:
    """For a client that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _certify(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1)
    ).sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "privkey.pem").write_bytes(private)
