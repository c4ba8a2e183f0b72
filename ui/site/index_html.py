"""The HTML document that a browser gets first at each page's address."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

_SHELL = Path(st.__file__).parent / "static" / "index.html"
_SERVER = "<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin}</script>"


def routes(paths: Iterable[str]) -> list[Route]:
    """Serve Streamlit's own document at pages' addresses, and tell it where its server is.

    Without being told, at ``/analyze`` it first asks ``/analyze/_stcore/…``, is refused twice and
    writes two errors to the console before it asks at the root. It is told only where pages lie at
    the root; under ``server.baseUrlPath`` Streamlit serves the document itself.

    Args:
        paths: Addresses of pages, such as ``/analyze``.
    """
    if st.get_option("server.baseUrlPath"):
        return []
    return [Route(path, _document) for path in paths]


async def _document(request: Request) -> HTMLResponse:
    html = _SHELL.read_text(encoding="utf-8").replace("<head>", f"<head>{_SERVER}", 1)
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})
