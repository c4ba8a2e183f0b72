"""The site asks nobody outside, whatever comes in."""

from __future__ import annotations

import os

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.ui.site.running import running

WATCH = """
import os, sys

def watch(event, args):
    # Addresses that a socket is connected to, and names that are looked up.
    if event == "socket.connect" and isinstance(args[1], tuple):
        found = args[1][0]
    elif event == "socket.getaddrinfo":
        found = args[0]
    else:
        return
    with open(os.environ["WATCHED"], "a") as file:
        file.write(f"{found}\\n")

sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path):
    """A site open to the network whose every outgoing connection is written down."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "watched.txt"
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    address = ("--server.address", "0.0.0.0")
    with running(*address, PYTHONPATH=path, WATCHED=str(log)) as site:
        yield site, lambda: set(log.read_text().split()) if log.exists() else set()


def test_a_websocket_from_elsewhere_is_refused_without_a_question_to_anyone(watched):
    site, asked = watched
    url = f"ws://127.0.0.1:{site.port}/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"):
        connect(url, origin="https://elsewhere.example.org", subprotocols=["streamlit"])
    with connect(url, origin=site.address, subprotocols=["streamlit"]):
        pass
    assert site.get("/analyze")[0] == 200
    assert asked() <= {"127.0.0.1", "localhost", "0.0.0.0", "::1", "None"}
