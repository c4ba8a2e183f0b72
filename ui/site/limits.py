"""Limits on requests, sessions and uploads: per address, per session, and in total."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container
from ipaddress import IPv6Address, ip_address
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance

DEFAULTS = {
    "BT_SESSIONS_PER_ADDRESS": 0,
    "BT_REQUESTS_PER_MINUTE": 0,
    "BT_UPLOAD_MB_PER_SESSION": 1_000,
    "BT_UPLOAD_MB_TOTAL": 4_000,
    "BT_SESSION_MB": 400,
}
"""Variables and their defaults; 0 means no limit. A class often shares one address, so there is no limit
per address by default; set one if the site is open to the public."""

_UPLOAD = "_stcore/upload_file/"
_MB = 1_000_000


def read() -> dict[str, int]:
    """Return the limits by name.

    Raises:
        ValueError: One is not a whole number from 0.
    """
    found = {name: os.environ.get(name) or str(value) for name, value in DEFAULTS.items()}
    for name, text in found.items():
        if not text.isdecimal():
            raise ValueError(f"{name} must be a whole number, 0 for no limit, not {text!r}.")
    return {name: int(text) for name, text in found.items()}


class Limited:
    """ASGI middleware that refuses requests over a limit, with a sentence.

    Args:
        app: The wrapped application.
        open_paths: Paths that are never refused, such as the health check.
        pages: Addresses of pages, refused if their websocket would be.
        refused: Called with ``requests``, ``sessions`` or ``uploads`` for each refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        open_paths: Container[str],
        pages: Container[str],
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app, self._open, self._pages, self._refused = app, open_paths, pages, refused
        limits = read()
        self._most_sessions = limits["BT_SESSIONS_PER_ADDRESS"]
        self._per_minute = limits["BT_REQUESTS_PER_MINUTE"]
        self._session_bytes = limits["BT_UPLOAD_MB_PER_SESSION"] * _MB
        self._total_bytes = limits["BT_UPLOAD_MB_TOTAL"] * _MB
        self._requests = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._sessions: Counter[str] = Counter()
        self._arriving: Counter[str] = Counter()  # bytes of uploads in progress, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] not in self._open:
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = _address(scope)
        if self._full(address):
            self._refused("sessions")
            await send({"type": "websocket.close", "code": 1013})
            return
        self._sessions[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sessions[address] -= 1
            if not self._sessions[address]:
                del self._sessions[address]

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        address, path = _address(scope), scope["path"]
        per_minute = RateLimitItemPerMinute(self._per_minute)
        if self._per_minute and not self._requests.hit(per_minute, address):
            self._refused("requests")
            words = "Too many requests from this address. Try again in a minute."
            await _refusal(429, words)(scope, receive, send)
        elif path in self._pages and self._full(address):
            self._refused("sessions")
            words = "Too many visitors from this address. Close another page of this site first."
            await _refusal(429, words)(scope, receive, send)
        elif scope["method"] == "PUT" and _UPLOAD in path:
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["path"].split(_UPLOAD, 1)[1].split("/")[0]
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            await _refusal(411, "An upload must state its length.")(scope, receive, send)
            return
        held = _held()
        mine = held.get(session, 0) + self._arriving[session] + int(length)
        everyone = sum(held.values()) + self._arriving.total() + int(length)
        for most, bytes_, whose in (
            (self._session_bytes, mine, "One visitor's"),
            (self._total_bytes, everyone, "All visitors'"),
        ):
            if most and bytes_ > most:
                self._refused("uploads")
                words = f"{whose} uploads take {most // _MB:,} MB at most. Remove files first."
                await _refusal(413, words)(scope, receive, send)
                return
        self._arriving[session] += int(length)
        try:
            await self._app(scope, receive, send)
        finally:
            self._arriving[session] -= int(length)
            if not self._arriving[session]:
                del self._arriving[session]

    def _full(self, address: str) -> bool:
        return bool(self._most_sessions) and self._sessions[address] >= self._most_sessions


def _held() -> dict[str, int]:
    """Return the bytes of uploads in memory by session."""
    # Streamlit's only store for uploads: a dict by session of dicts by file.
    storage: dict[str, dict[str, Any]] = get_instance().uploaded_file_mgr.file_storage
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(storage.items())
    }


def _address(scope: Scope) -> str:
    """Return the client's IPv4 address, or its IPv6 /64 network, which a household shares."""
    host = (scope.get("client") or ("",))[0]
    try:
        found = ip_address(host)
    except ValueError:
        return host
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _refusal(status: int, sentence: str) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "60"} if status == 429 else {})
    return PlainTextResponse(sentence, status, headers=headers)
