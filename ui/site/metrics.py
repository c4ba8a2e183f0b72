"""Metrics for operators at ``/metrics`` in Prometheus format, without patients, files or visitors."""

from __future__ import annotations

import hmac
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from btmodels.inference import engine
from ui.site import login

PATH = "/metrics"
TOKEN = "BT_METRICS_TOKEN"
"""Variable with the token that a scraper sends as ``Authorization: Bearer``; without one, access is open
unless the site has a login."""

SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STATES = ("off", "warming", "warm", "failed")

registry = CollectorRegistry()
ProcessCollector(registry=registry)
REQUESTS = Counter(
    "bt_requests", "Answers by kind of address and status.", ["kind", "status"], registry=registry
)
REQUEST_SECONDS = Histogram(
    "bt_request_seconds", "Time to answer.", ["kind"], buckets=SECONDS, registry=registry
)
VISITORS = Gauge("bt_visitors", "Pages open in browsers now.", registry=registry)
REFUSED = Counter(
    "bt_refused", "Requests over a limit or without a login.", ["reason"], registry=registry
)
SLICES = Counter(
    "bt_slices", "Slices that the networks were asked about.", ["outcome"], registry=registry
)
WAITING = Gauge("bt_slices_waiting", "Slices without an answer yet.", registry=registry)
UNDER_WAY = Gauge(
    "bt_engine_requests", "Requests of the engine without an answer yet.", registry=registry
)
ANSWER_SECONDS = Histogram(
    "bt_answer_seconds",
    "Time until a request for slices is answered, its wait included.",
    buckets=SECONDS,
    registry=registry,
)

_log = logging.getLogger("site.requests")


class _Engine(Collector):
    """State and memory of the worker, read at each scrape."""

    def collect(self) -> Iterator[Metric]:
        status = engine.get_engine().status()
        state = GaugeMetricFamily("bt_engine", "1 for the engine's state.", labels=["state"])
        for name in STATES:
            state.add_metric([name], float(status.state == name))
        yield state
        if status.pid:
            # Not registered permanently, since the worker's process ID changes when it is replaced.
            yield from ProcessCollector("bt_worker", lambda: status.pid, registry=None).collect()

    def describe(self) -> list[Metric]:
        return []


registry.register(_Engine())


def watch(slices: int, future: Future) -> None:
    """Count a request for ``slices`` until ``future`` is done; a listener of the engine."""
    started = time.monotonic()
    UNDER_WAY.inc()
    WAITING.inc(slices)

    def done(answered: Future) -> None:
        UNDER_WAY.dec()
        WAITING.dec(slices)
        failed = answered.cancelled() or answered.exception() is not None
        SLICES.labels("failed" if failed else "answered").inc(slices)
        if slices:
            ANSWER_SECONDS.observe(time.monotonic() - started)

    future.add_done_callback(done)


def under_way() -> float:
    """Return the number of requests that the engine has not answered yet."""
    return next(iter(UNDER_WAY.collect())).samples[0].value


def refused(reason: str) -> None:
    """Count a refusal."""
    REFUSED.labels(reason).inc()
    _log.warning("refused", extra={"reason": reason})


def route() -> Route:
    """Serve `PATH`."""
    return Route(PATH, _answer)


async def _answer(request: Request) -> Response:
    token = os.environ.get(TOKEN, "")
    given = login.bearer(request.headers)
    fits = hmac.compare_digest(given.encode(), token.encode()) if token else not login.is_on()
    if not fits:
        return PlainTextResponse(f"{TOKEN} names the token to send.", 401)
    headers = {"Cache-Control": "no-store"}
    return Response(generate_latest(registry), headers=headers, media_type=CONTENT_TYPE_LATEST)


def kind_of(path: str) -> str:
    """Return the kind of a path, without anything about the visitor."""
    first, _, rest = path.strip("/").partition("/")
    if first == "_stcore":
        return "upload" if rest.startswith("upload_file/") else "stream"
    if first in ("media", "planes", "static", "modules", "component"):
        return first
    return "operators" if f"/{first}" in (PATH, "/health") else "page"


class Measured:
    """ASGI middleware that counts, times and logs responses.

    Args:
        app: The wrapped application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def accepted(message: Message) -> None:
            nonlocal open_
            if message["type"] == "websocket.accept":
                open_ = True
                VISITORS.inc()
                _log.info("visit")
            await send(message)

        open_ = False
        try:
            await self._app(scope, receive, accepted)
        finally:
            if open_:
                VISITORS.dec()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, started, status = kind_of(scope["path"]), time.monotonic(), 500

        async def with_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, with_status)
        finally:
            seconds = time.monotonic() - started
            REQUESTS.labels(kind, str(status)).inc()
            REQUEST_SECONDS.labels(kind).observe(seconds)
            level = logging.ERROR if status == 500 else logging.INFO
            what = {"kind": kind, "method": scope["method"], "status": status}
            if kind in ("page", "upload") or (status >= 400 and kind != "operators"):
                _log.log(level, "request", extra=what | {"seconds": round(seconds, 4)})
