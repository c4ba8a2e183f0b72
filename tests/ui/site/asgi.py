"""An ASGI app asked as a server does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp

T = TypeVar("T")


def run(task: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result."""
    # In a thread: after a browser test the main thread has a running event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, task).result(30)


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
    run(app(scope, receive, send))
    return sent[0]["status"], Headers(raw=sent[0]["headers"]), sent[1]["body"]
