"""A client of the site without a browser: it starts a server and holds a session."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
from requests.adapters import HTTPAdapter
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from btmodels.inference.dispatcher import PING_SECONDS

ROOT = Path(__file__).resolve().parents[2]
XSRF = "_streamlit_xsrf"
VIEWER = "slice_viewer"
"""Name of the viewer's component."""

SECONDS = 300.0
"""Longest time for a page, including a first visit with cold networks."""

FINISHED = (
    ("script_finished", ForwardMsg.FINISHED_SUCCESSFULLY),
    ("script_finished", ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY),
)

REST_SECONDS = PING_SECONDS + 5
"""After this time an idle worker has warmed up for full batches."""


class Site:
    """A server on a free port, started as `make demo` does, for the duration of the ``with`` block.

    Args:
        variables: Environment variables to add or override.

    Attributes:
        started: `time.perf_counter` just before the process was started.
    """

    def __init__(self, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        where = {"HOST": "127.0.0.1", "PORT": str(self.port)}
        self._sockets = ExitStack()
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, ".ci/serve.py"],
            cwd=ROOT,
            env={**os.environ, **where, **variables},
            stdout=subprocess.DEVNULL,
        )

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self._sockets.close()
        self._process.terminate()
        self._process.wait(30)

    def close_sessions(self) -> None:
        """Close all tabs."""
        self._sockets.close()

    def memory(self) -> int:
        """Return the memory of the server and its worker processes, in bytes."""
        return sum(self.memories().values())

    def memories(self) -> dict[str, int]:
        """Return the bytes of the ``server``, the ``engine``'s worker and the ``others``.

        Pages that processes share, such as libraries, are divided among them (Linux's proportional set
        size), so that the sum is what the machine lacks. Elsewhere they are left out.
        """
        return self._sums(_memory)

    def processor(self) -> dict[str, float]:
        """Return the CPU seconds of each of these processes since it was started."""
        return self._sums(lambda process: sum(process.cpu_times()[:2]))

    def _sums(self, measure: Callable[[psutil.Process], float]) -> dict[str, Any]:
        server = psutil.Process(self._process.pid)
        worker = self.health()["worker"]
        names = {server.pid: "server", worker: "engine"}
        found = dict.fromkeys(("server", "engine", "others"), 0)
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # ended since it was listed
                found[names.get(process.pid, "others")] += measure(process)
        return found

    def health(self) -> dict[str, Any]:
        """Return the site's health document (see `ui.site.health`)."""
        return requests.get(f"http://127.0.0.1:{self.port}/health").json()  # 503 has one, too

    def rest(self) -> None:
        """Wait until the networks are warm and have finished their idle work."""
        end = time.monotonic() + SECONDS
        while self.health()["engine"] not in ("warm", "off") and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(REST_SECONDS)

    def visit(self) -> Session:
        """Open a session as soon as the server accepts one.

        Raises:
            RuntimeError: The server has ended, or accepts none for `SECONDS`.
        """
        end = time.monotonic() + SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            try:
                address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
                # A closed tab does not wait until the server has read that it is closed.
                socket = connect(
                    address,
                    subprotocols=["streamlit"],
                    max_size=None,
                    ping_interval=None,
                    close_timeout=0.1,
                )
                site = f"http://127.0.0.1:{self.port}"
                return Session(self._sockets.enter_context(socket), site)
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("The site did not start.")


def _memory(process: psutil.Process) -> int:
    found = process.memory_full_info()
    return getattr(found, "pss", found.uss)


class Session:
    """One visitor's tab.

    Args:
        socket: Its websocket.
        site: Address of the site.
        get: Requests a path of the site, as this visitor; None does so without cookies or TLS.

    Attributes:
        alerts: Texts of the alert boxes (notes, warnings, errors) shown so far.
        metric: Value of the last metric received.
        pending: Whether the networks are still working on the page's slices.
    """

    def __init__(
        self, socket: ClientConnection, site: str, get: Callable[[str], Any] | None = None
    ) -> None:
        self._socket, self._site = socket, site
        self._http = requests.Session()
        # The server closes a connection that was idle for a few seconds.
        self._http.mount(site, HTTPAdapter(max_retries=1))
        self._get = get or (lambda path: self._http.get(site + path))
        self._fetched: set[str] = set()
        self._uploader = self._delete = ""
        self.alerts: list[str] = []
        self.metric = ""
        self.pending = False

    def run(self, page: str, query: str = "") -> float:
        """Request a page, as any server-side widget does; return the seconds it took.

        Args:
            page: Its path without the slash.
            query: The query string, without the question mark.

        Raises:
            RuntimeError: The page showed an exception.
        """
        begin = time.perf_counter()
        for _ in self.watch(page, query):
            pass
        return time.perf_counter() - begin

    def upload(self, page: str, query: str, name: str, data: bytes) -> float:
        """Upload one file in place of any earlier one; return the seconds it took.

        Args:
            page, query: As for `run`. The page must have shown its uploader to this session.
            name, data: Name and content of the file.

        Raises:
            RuntimeError: The page showed an exception.
        """
        begin = time.perf_counter()
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.file_names.append(name)
        self._socket.send(request.SerializeToString())
        while (message := self._message()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = message.file_urls_response.file_urls
        self._send(self._site + urls.upload_url, name, data)
        if self._delete:  # as a browser does with a removed file
            self._send(self._delete)
        self._delete = self._site + urls.delete_url
        request = BackMsg()
        state = request.rerun_script.widget_states.widgets.add(id=self._uploader)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.file_id, info.name, info.size = urls.file_id, name, len(data)
        info.file_urls.CopyFrom(urls)
        for _ in self._run(request, page, query):
            pass
        return time.perf_counter() - begin

    def _send(self, address: str, name: str = "", data: bytes | None = None) -> None:
        """PUT a file to an address, or DELETE the one there."""
        token = self._http.get(f"{self._site}/_stcore/health").cookies[XSRF]
        self._http.request(
            "DELETE" if data is None else "PUT",
            address,
            files=None if data is None else {"file": (name, data)},
            cookies={XSRF: token},
            headers={"X-Xsrftoken": token},
        ).raise_for_status()

    def watch(self, page: str, query: str = "") -> Iterator[str]:
        """Request a page and yield each element as it arrives: its type, or the name of a custom
        component."""
        yield from self._run(BackMsg(), page, query)

    def _message(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(self._socket.recv(SECONDS))
        return message

    def _show(self, sent: bytes) -> None:
        """Fetch the planes of the slice on screen that are new, as a browser does first."""
        length = int.from_bytes(sent[:4], "little")
        viewer = json.loads(sent[4 : 4 + length])
        self.pending = viewer["pending"]
        shown = viewer["slices"][viewer["view"]["slice"]]
        names = {shown["image"], shown["maps"]} - {None} - self._fetched
        if names:
            self._get(f"/planes/{viewer['store']}?names={','.join(names)}")
            self._fetched |= names

    def _run(self, request: BackMsg, page: str, query: str) -> Iterator[str]:
        request.rerun_script.page_name = page
        request.rerun_script.query_string = query
        self._socket.send(request.SerializeToString())
        self.pending = False
        while True:
            message = self._message()
            kind = message.WhichOneof("type")
            # A run superseded by the next one ends early. If a run ends with slices pending, the viewer's
            # fragment runs again.
            if (kind, message.script_finished) in FINISHED and not self.pending:
                return
            if kind == "delta" and message.delta.HasField("new_element"):
                element = message.delta.new_element
                if element.HasField("exception"):
                    raise RuntimeError(f"/{page} shows an exception: {element.exception.message}")
                if element.HasField("alert"):
                    self.alerts.append(element.alert.body)
                if element.bidi_component.component_name == VIEWER:
                    self._show(element.bidi_component.bytes)
                if element.HasField("metric"):
                    self.metric = element.metric.body
                if element.HasField("file_uploader"):
                    self._uploader = element.file_uploader.id
                yield element.bidi_component.component_name or element.WhichOneof("type") or ""
