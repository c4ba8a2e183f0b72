"""A client over its limit gets a sentence, and nobody else is affected."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tests.ui.site import asgi
from tests.ui.site.running import running
from ui.site import limits
from ui.site.limits import Limited

PAGES, OPEN = ("/", "/analyze"), ("/health",)
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Server:
    """What stands behind the limits: remembers whom it answered; a websocket lasts until `over` is set."""

    def __init__(self, monkeypatch, held=None, **settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        storage = SimpleNamespace(uploaded_file_mgr=SimpleNamespace(file_storage=held or {}))
        monkeypatch.setattr(limits, "get_instance", lambda: storage)
        self.refusals: list[str] = []
        self.app = Limited(self.answer, OPEN, PAGES, self.refusals.append)
        self.over = asyncio.Event()

    async def answer(self, scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await self.over.wait()
        else:
            if scope["method"] == "PUT":
                await self.over.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    async def ask(self, path="/", client=HERE, method="GET", kind="http", size=None):
        """Return the status of an answer, or the type of a websocket's first message, and its sentence."""
        sent: list[dict] = []

        async def send(message):
            sent.append(message)

        headers = [] if size is None else [(b"content-length", str(size).encode())]
        scope = {"type": kind, "method": method, "path": path, "headers": headers}
        task = asyncio.ensure_future(self.app(scope | {"client": (client, 1)}, None, send))
        for _ in range(20):  # steps of the event loop: an answer takes two or three
            await asyncio.sleep(0)
        self.task = task
        if not sent:
            return "waits", ""
        body = sent[1].get("body", b"") if len(sent) > 1 else b""
        return sent[0].get("status", sent[0]["type"]), body.decode()


def test_requests_by_minute_and_address(monkeypatch):
    async def run():
        site = Server(monkeypatch, BT_REQUESTS_PER_MINUTE="3")
        statuses = [(await site.ask())[0] for _ in range(5)]
        assert statuses == [204, 204, 204, 429, 429]
        assert "minute" in (await site.ask())[1]
        assert (await site.ask(client=THERE))[0] == 204
        assert (await site.ask("/health"))[0] == 204
        assert site.refusals == ["requests"] * 3

    asgi.run(run())


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), ("192.0.2.9", "::ffff:192.0.2.9")],
)
def test_one_household_is_one_address(first, second, monkeypatch):
    async def run():
        site = Server(monkeypatch, BT_REQUESTS_PER_MINUTE="1")
        assert [(await site.ask(client=each))[0] for each in (first, second)] == [204, 429]
        assert (await site.ask(client="2001:db8:1:3::1"))[0] == 204

    asgi.run(run())


def test_sessions_by_address(monkeypatch):
    async def run():
        site = Server(monkeypatch, BT_SESSIONS_PER_ADDRESS="2")
        visit = {"kind": "websocket", "path": "/_stcore/stream"}
        assert [(await site.ask(**visit))[0] for _ in range(3)] == [
            "websocket.accept",
            "websocket.accept",
            "websocket.close",
        ]
        status, words = await site.ask("/analyze")
        assert status == 429 and "Close another page" in words
        assert (await site.ask("/media/x.png"))[0] == 204
        assert (await site.ask(client=THERE, **visit))[0] == "websocket.accept"
        site.over.set()
        await asyncio.sleep(0.01)
        assert (await site.ask("/analyze"))[0] == 204
        assert (await site.ask(**visit))[0] == "websocket.accept"

    asgi.run(run())


def test_uploads_by_session_and_in_all(monkeypatch):
    def held(*megabytes: int) -> dict:
        return {
            str(i): SimpleNamespace(data=bytes(mb * 1_000_000)) for i, mb in enumerate(megabytes)
        }

    async def run():
        files = {"one": held(3), "two": held(1, 1)}
        site = Server(monkeypatch, files, BT_UPLOAD_MB_PER_SESSION="5", BT_UPLOAD_MB_TOTAL="8")

        async def put(session: str, size: int | None):
            path = f"/_stcore/upload_file/{session}/file"
            return await site.ask(path, method="PUT", size=size)

        assert (await put("one", 2_000_001))[0] == 413
        assert (await put("one", None))[0] == 411
        # 3 + 2 of the first; on their way they count already.
        assert await put("one", 2_000_000) == ("waits", "")
        first = site.task
        assert "One visitor's" in (await put("one", 1))[1]
        # 5 + 2 are there: one more fits, two do not.
        assert "All visitors'" in (await put("two", 1_000_001))[1]
        assert await put("two", 1_000_000) == ("waits", "")
        site.over.set()
        await first
        await site.task
        assert not site.app._arriving
        assert site.refusals == ["uploads"] * 3

    asgi.run(run())


def test_no_limit_by_address_without_a_word(monkeypatch):
    async def run():
        site = Server(monkeypatch)
        visit = {"kind": "websocket", "path": "/_stcore/stream"}
        assert {(await site.ask(**visit))[0] for _ in range(100)} == {"websocket.accept"}
        assert {(await site.ask())[0] for _ in range(500)} == {204}

    asgi.run(run())


@pytest.mark.parametrize("text", ["-1", "1.5", "many"])
def test_a_limit_that_is_none_is_named(monkeypatch, text):
    monkeypatch.setenv("BT_UPLOAD_MB_TOTAL", text)
    with pytest.raises(ValueError, match="BT_UPLOAD_MB_TOTAL"):
        limits.read()


@pytest.mark.parametrize(("proxy", "last"), [("127.0.0.1", 200), ("192.0.2.7", 429)])
def test_only_the_proxy_that_was_named_says_who_asks(proxy, last):
    settings = {"BT_REQUESTS_PER_MINUTE": "2", "FORWARDED_ALLOW_IPS": proxy}
    with running(**settings) as site:
        statuses = [
            site.get("/about", **{"X-Forwarded-For": f"198.51.100.{i}"})[0] for i in range(3)
        ]
    assert statuses == [200, 200, last]
