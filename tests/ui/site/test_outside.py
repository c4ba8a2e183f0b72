"""The site makes no outside request and never writes an upload to disk."""

from __future__ import annotations

import os

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
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


WATCH_FILES = """
import os, sys

def watch(event, args):
    path, mode, flags = args if event == "open" else (None, None, 0)
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
    if path and writes and str(path) != os.environ["WATCHED"]:
        descriptor = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{path}\\n".encode())
        os.close(descriptor)

sys.addaudithook(watch)
"""


def test_an_upload_goes_through_no_file(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WATCH_FILES)
    log = tmp_path / "opened.txt"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    settings = {"PYTHONPATH": str(tmp_path), "WATCHED": str(log), "TMPDIR": str(temporary)}
    with running("--server.enableXsrfProtection", "false", **settings) as site:
        url = f"ws://127.0.0.1:{site.port}/_stcore/stream"
        with connect(
            url, origin=site.address, subprotocols=["streamlit"], max_size=None
        ) as visitor:
            visitor.send(BackMsg(rerun_script={}).SerializeToString())
            message = ForwardMsg()
            while message.WhichOneof("type") != "new_session":
                message = ForwardMsg.FromString(visitor.recv(timeout=30))
            session = message.new_session.initialize.session_id
            before = log.read_text() if log.exists() else ""
            done = httpx.put(
                f"{site.address}/_stcore/upload_file/{session}/file",
                # The longest path that a system allows: a folder's files come with theirs.
                files={"file": (f"{'folder/' * 584}x.tif", bytes(3_000_000))},
                trust_env=False,
            )
            assert done.status_code == 204, done.text
            opened = (log.read_text() if log.exists() else "").removeprefix(before).split("\n")
    assert [path for path in opened if path.startswith(str(temporary))] == []
