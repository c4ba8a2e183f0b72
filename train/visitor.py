"""The site as a browser meets it, without the browser: a server to start, a session to hold.

Only this module of `train` knows Streamlit, and of Streamlit only the messages between server and page.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 300.0
"""How long a page may take, its first visit with cold networks included."""


class Site:
    """A server of its own on a free port, for as long as the ``with`` block lasts.

    Args:
        variables: Set in its environment, over those that are there.

    Attributes:
        started: `time.perf_counter` just before its process was started.
    """

    def __init__(self, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
        command += ["--server.address", "127.0.0.1", "--server.port", str(self.port)]
        command += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
        self._sockets = ExitStack()
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.DEVNULL
        )

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sockets.close()
        self._process.terminate()
        self._process.wait(30)

    def memory(self) -> int:
        """Return the bytes that the server and its worker processes hold in memory."""
        server = psutil.Process(self._process.pid)
        family = [server, *server.children(recursive=True)]
        return sum(process.memory_info().rss for process in family)

    def health(self) -> dict[str, Any]:
        """Return what the site tells its operators (see `ui.health`)."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:  # 503 has a document too
            return json.load(error)

    def visit(self) -> Session:
        """Open a session as soon as the server takes one.

        Raises:
            RuntimeError: The server has ended, or takes none for long.
        """
        end = time.monotonic() + SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            try:
                address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
                socket = connect(
                    address, subprotocols=["streamlit"], max_size=None, ping_interval=None
                )
                return Session(self._sockets.enter_context(socket))
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("The site did not start.")


class Session:
    """One visitor's tab.

    Attributes:
        alerts: Sentences in boxes (notes, warnings, errors) that its pages have shown.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.alerts: list[str] = []

    def run(self, page: str, query: str = "") -> float:
        """Ask for a page, as any widget does that the server handles; return the seconds it took.

        Args:
            page: Its address without the slash.
            query: What stands behind the question mark.

        Raises:
            RuntimeError: The page showed an exception.
        """
        begin = time.perf_counter()
        for _ in self.watch(page, query):
            pass
        return time.perf_counter() - begin

    def watch(self, page: str, query: str = "") -> Iterator[str]:
        """Ask for a page and yield the kind of each element that arrives, until all have."""
        request = BackMsg()
        request.rerun_script.page_name = page
        request.rerun_script.query_string = query
        self._socket.send(request.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(SECONDS))
            kind = message.WhichOneof("type")
            # A run that makes way for the next one ends early; the last one ends successfully.
            if (kind, message.script_finished) == (
                "script_finished",
                message.FINISHED_SUCCESSFULLY,
            ):
                return
            if kind == "delta" and message.delta.HasField("new_element"):
                element = message.delta.new_element
                if element.HasField("exception"):
                    raise RuntimeError(f"/{page} shows an exception: {element.exception.message}")
                if element.HasField("alert"):
                    self.alerts.append(element.alert.body)
                yield element.WhichOneof("type")
