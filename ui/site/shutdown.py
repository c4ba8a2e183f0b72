"""Graceful shutdown: refuse new visitors, finish running requests, then end the process."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Container
from types import FrameType

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SECONDS = "BT_STOP_SECONDS"
"""Variable with the most seconds for running requests; defaults to 20."""

_QUIET_SECONDS = 1.0
"""Idle time before the end: a page requests its next slices as soon as it has received some."""

_WORDS = "The site is about to restart. Reload this page in a minute."
_stopping = threading.Event()
_log = logging.getLogger("site.shutdown")


def is_stopping() -> bool:
    """Return whether the server is shutting down."""
    return _stopping.is_set()


def seconds() -> float:
    """Return the most seconds for running requests.

    Raises:
        ValueError: `SECONDS` is not a whole number.
    """
    text = os.environ.get(SECONDS) or "20"
    if not text.isdecimal():
        raise ValueError(f"{SECONDS} must be a whole number, not {text!r}.")
    return float(text)


def finish_first(waiting: Callable[[], float]) -> None:
    """Make SIGTERM end the server only once no request waits or `seconds` have passed; a second one ends it
    at once.

    Call this on the main thread, after the server has installed its own signal handler.

    Args:
        waiting: Returns the number of unanswered requests.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    most, end = seconds(), signal.getsignal(signal.SIGTERM)
    if not callable(end):
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if is_stopping():
            end(number, frame)
            return
        _stopping.set()
        # The handler must not block the event loop, which still sends the answers.
        threading.Thread(target=_drain, args=(waiting, most, end, number), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)


def _drain(waiting: Callable[[], float], most: float, end: Callable, number: int) -> None:
    _log.info("stopping", extra={"requests_waiting": waiting()})
    started = quiet_since = time.monotonic()
    while time.monotonic() < started + most and time.monotonic() < quiet_since + _QUIET_SECONDS:
        time.sleep(0.05)
        if waiting():
            quiet_since = time.monotonic()
    end(number, None)


class NoNewVisitors:
    """ASGI middleware that refuses new visitors during shutdown.

    Args:
        app: The wrapped application.
        pages: Addresses of pages, refused during shutdown.
    """

    def __init__(self, app: ASGIApp, pages: Container[str]) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_stopping() or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" or scope["path"] in self._pages:
            # A proxy before several processes takes the 503 to the next one.
            headers = {"Retry-After": "60", "Cache-Control": "no-store"}
            await PlainTextResponse(_WORDS, 503, headers=headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
