"""The server: routes in addition to Streamlit's own, middleware around it, and its lifespan."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from streamlit import net_util

from btmodels.inference.engine import get_engine
from ui.site import (
    first_patient,
    garbage,
    health,
    login,
    logs,
    metrics,
    module_route,
    plane_route,
    shutdown,
)
from ui.site.headers import SafeHeaders
from ui.site.index_html import routes as documents
from ui.site.limits import Limited

_log = logging.getLogger("site.server")

PAGES = ("/", "/analyze", "/patients", "/learn", "/scoreboard", "/about")
"""Addresses of the pages."""

OPERATORS = (health.PATH, metrics.PATH)
"""Addresses without login and limits; `metrics` has its own token."""


def routes() -> list[BaseRoute]:
    """Return the routes that come before Streamlit's own."""
    return [
        health.route(),
        metrics.route(),
        module_route.route(),
        plane_route.route(),
        *documents(PAGES),
    ]


def middleware() -> list[Middleware]:
    """Return the middleware, the outermost first."""
    return [
        Middleware(metrics.Measured),
        Middleware(SafeHeaders),
        Middleware(shutdown.NoNewVisitors, pages=PAGES),
        Middleware(Limited, open_paths=OPERATORS, pages=PAGES, refused=metrics.refused),
        Middleware(login.LoginRequired, open_paths=OPERATORS, pages=PAGES, refused=metrics.refused),
    ]


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Warm up the engine while the server starts; end its process with the server."""
    logs.configure()
    login.check()
    _ask_nobody_for_addresses()
    # Without this, uploads over 1 MB would be spooled to disk.
    MultiPartParser.spool_max_size = 0
    get_engine().listeners.append(metrics.watch)
    shutdown.finish_first(metrics.under_way)
    get_engine().start()
    first_patient.analyze()
    garbage.freeze_after_first_page(metrics.under_way)
    # Until a visit has drawn a navigation, Streamlit treats pages/ as a legacy multipage app: a first
    # visitor with a deep link would get a page without this site's frame.
    with suppress(ImportError):  # not public: a later Streamlit may do without it
        from streamlit.runtime.pages_manager import PagesManager

        PagesManager.uses_pages_directory = False
    expiry = asyncio.create_task(garbage.expire_sessions_forever())
    _log.info("started")
    yield
    expiry.cancel()
    get_engine().close()
    _log.info("stopped")


def _ask_nobody_for_addresses() -> None:
    # Streamlit compares the origin of a foreign websocket with the machine's own addresses, and requests
    # the external one from an Amazon host. Visitors who use an address send it as Host, which is compared
    # first; other origins are listed in server.corsAllowedOrigins.
    net_util.get_external_ip = lambda: None
    net_util.get_internal_ip = lambda: None
