"""An ASGI app asked as a server does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from starlette.datastructures import Headers
from starlette.types import ASGIApp


def get(app: ASGIApp, path: str, query: str = "") -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body of an answer."""
    sent: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
    }
    # In a thread: where a browser test went before, this one has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(app(scope, receive, send))).result(30)
    return sent[0]["status"], Headers(raw=sent[0]["headers"]), sent[1]["body"]
