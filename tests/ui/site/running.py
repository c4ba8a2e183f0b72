"""The real site in a process of its own, without networks, for tests of what surrounds the pages."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Site:
    """A running site: where it is, and its process."""

    port: int
    process: subprocess.Popen

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Ask once, following no redirect; return status and body."""
        request = urllib.request.Request(self.address + path, headers=headers)
        try:
            with _opener.open(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    *options: str, port: int = 0, log: Path | None = None, cwd: Path = ROOT, **environment: str
) -> Iterator[Site]:
    """Start the site, wait until it answers, and end it afterward.

    Args:
        options: More for ``streamlit run``.
        port: 0 for a free one.
        log: File for what the site prints.
        cwd: Folder in which it runs; `ROOT` has no secrets of its own.
        environment: Variables beside those of the tests, without ``BT_`` ones.
    """
    port = port or free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("BT_")}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    command += ["--server.port", str(port), *options]
    output = log.open("wb") if log else subprocess.DEVNULL
    settings = {"BT_ENGINE": "off", "BT_DATA_DIR": ""} | environment
    process = subprocess.Popen(
        command, cwd=cwd, env=inherited | settings, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        site = Site(port, process)
        _wait_for(site)
        yield site
    finally:
        process.kill()
        process.wait(30)
        if log:
            output.close()


def _wait_for(site: Site) -> None:
    for _ in range(600):
        if site.process.poll() is not None:
            raise RuntimeError(f"The site ended with status {site.process.returncode}.")
        try:
            if site.get("/health")[0] in (200, 503):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("The site did not answer within a minute.")
