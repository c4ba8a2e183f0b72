"""nginx with the committed configuration: visitors stay with their process, and move on when it ends."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from websockets.asyncio.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.deploy import nginx

pytestmark = pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed")


TRUSTING = nginx.trusting()


class Process:
    """In place of a process of the site: it answers everything with its own number."""

    def __init__(self, number: int) -> None:
        self.number, self.port, self.ends_soon = number, 0, False

    def start(self) -> None:
        """Listen at the port of the last time."""
        self._server = serve(
            self._stream,
            "127.0.0.1",
            self.port,
            subprotocols=["streamlit"],
            process_request=self._answer,
        )
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def _stream(self, socket: ServerConnection) -> None:
        socket.send(str(self.number))
        for _ in socket:  # until the visitor leaves
            pass

    def _answer(self, connection: ServerConnection, request):
        handshake = "Upgrade" in request.headers
        if self.ends_soon and (handshake or request.path == "/"):
            return connection.respond(503, "restart")
        return None if handshake else connection.respond(200, str(self.number))


class Socket:
    """A websocket for blocking calls.

    One thread reads and writes. The websockets package's blocking client reads in a second thread, which
    OpenSSL does not allow: while it read TLS 1.3's session tickets, one request in a thousand was lost.
    """

    def __init__(self, portal: BlockingPortal, connection: ClientConnection) -> None:
        self._portal, self._connection = portal, connection

    def send(self, message: bytes) -> None:
        self._portal.call(self._connection.send, message)

    def recv(self, seconds: float = 60) -> bytes | str:
        """Return the next message.

        Raises:
            TimeoutError: There is none within this time.
        """

        async def receive() -> bytes | str:
            async with asyncio.timeout(seconds):
                return await self._connection.recv()

        return self._portal.call(receive)


class Visitor:
    """A browser's requests and cookies."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        answer = httpx.get(
            self.address + path, cookies=self.cookies, verify=TRUSTING, trust_env=False
        )
        self.cookies |= dict(answer.cookies)
        return answer.text

    @contextmanager
    def connect(self) -> Iterator[Socket]:
        """Open the page's websocket."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        opening = connect(
            self.address.replace("https", "wss") + "/_stcore/stream",
            ssl=TRUSTING,
            origin=self.address,
            subprotocols=["streamlit"],
            additional_headers={"Cookie": cookies} if cookies else {},
            max_size=None,
            open_timeout=60,
            close_timeout=1,
            ping_interval=None,
            proxy=None,
        )
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(opening) as connection,
        ):
            for line in connection.response.headers.get_all("Set-Cookie"):
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
            yield Socket(portal, connection)

    def stream(self) -> str:
        """Return what the websocket says first."""
        with self.connect() as socket:
            return socket.recv()


@pytest.fixture
def processes() -> Iterator[tuple[Process, Process]]:
    made = Process(1), Process(2)
    for process in made:
        process.start()
    yield made
    for process in made:
        process.stop()


def test_one_process_is_what_the_file_says_without_a_change(tmp_path):
    main = nginx.write(tmp_path, nginx.CONFIGURATION, (8501,), 8080, 8443)
    command = [nginx.PROGRAM, "-t", "-c", main, "-e", tmp_path / "error.log"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_visitor_stays_with_a_process_until_it_ends(processes, tmp_path):
    first, second = processes
    with nginx.proxy(tmp_path, [process.port for process in processes]) as address:
        visitors = [Visitor(address) for _ in range(4)]
        with ExitStack() as tabs:
            homes = []
            for visitor in visitors:
                homes.append(visitor.get("/"))
                # An answered request may count as open for another moment: open tabs are what decides.
                tabs.enter_context(visitor.connect())
        assert sorted(homes) == ["1", "1", "2", "2"]
        for visitor, home in zip(visitors, homes, strict=True):
            assert {visitor.get("/media/x.png") for _ in range(3)} | {visitor.stream()} == {home}
        mine, other = visitors[homes.index("1")], visitors[homes.index("2")]
        assert "404" in mine.get("/metrics")

        first.ends_soon = True
        assert mine.get("/media/x.png") == "1"  # what was asked before still goes out
        assert {Visitor(address).get("/") for _ in range(4)} == {"2"}
        assert {Visitor(address).stream() for _ in range(4)} == {"2"}

        first.stop()
        assert mine.stream() == "2"
        first.ends_soon = False
        first.start()
        # Its uploads are at the other process now.
        assert (mine.get("/media/x.png"), mine.stream()) == ("2", "2")
        assert other.get("/") == "2"
        newcomers = [Visitor(address) for _ in range(4)]
        assert {visitor.get("/") for visitor in newcomers} <= {"1", "2"}
