"""The HTML document at each page's address."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ui.shared.component_files import address, modules

_STATIC = Path(st.__file__).parent / "static"
_SHELL = _STATIC / "index.html"
_SERVER = "<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin}</script>"

_HISTORY = """<script>(() => {
  const push = history.pushState, steps = ["present", "stop", "lesson"];
  let last;
  window.addEventListener("popstate", () => (last = undefined));
  history.pushState = function (state, title, address) {
    const [from, to] = [new URL(location.href), new URL(address ?? "", document.baseURI)];
    if (from.pathname !== to.pathname) {
      const early = to.search && to.search === from.search && last;
      last = undefined;
      if (early && early.step) return history.replaceState(state, title, address);
      if (early) history.replaceState(early.state, "", early.address);
      return push.call(this, state, title, address);
    }
    const value = (url, key) => url.searchParams.get(key);
    const [before, after] = [from, to].map((url) => value(url, "patient"));
    const step = (before && after && before !== after)
      || steps.some((key) => value(from, key) !== value(to, key));
    last = { step, state: history.state, address: location.href };
    return step ? push.call(this, state, title, address) : history.replaceState(state, title, address);
  };
})()</script>"""
"""Streamlit adds a browser history entry whenever a page writes its address, which pages do each time a
visitor stops dragging. Here only another page, patient, lesson or stop of a route adds an entry for *Back*.
If the next page writes its query before Streamlit has changed the path, that query would land on the page
that the visitor leaves, so that page gets its own address back."""


SCRIPTS = ("axios", "Spinner", "DataFrame")
"""Names of Streamlit's scripts for an upload and for its table, the most urgent first."""

_IMPORT_IDLY = """<script>addEventListener("load", () => {
  const scripts = %s, idle = window.requestIdleCallback ?? setTimeout;
  const next = () => scripts.length && import(scripts.shift()).catch(() => {}).then(() => idle(next));
  idle(next);
})</script>"""
"""Streamlit requests such a script, then those that it imports, only when it needs them. On a page that
waits for a visitor's files, the browser has time for that before (see also
`ui.analyze.drop_zone`)."""


def routes(paths: Iterable[str]) -> list[Route]:
    """Return routes that serve Streamlit's own document at the pages' addresses, with the server's URL.

    Without the URL, the document at ``/analyze`` first requests ``/analyze/_stcore/…``, fails twice and
    logs two errors to the console before it tries the root. There are routes only for pages at the
    root; under ``server.baseUrlPath`` Streamlit serves the document itself.

    Args:
        paths: Addresses of pages, such as ``/analyze``.
    """
    if st.get_option("server.baseUrlPath"):
        return []
    return [Route(path, _document) for path in paths]


def preloads(path: str) -> str:
    """Return tags that preload a page's scripts while the browser still loads Streamlit's own.

    Args:
        path: Path of the page.
    """
    folders = ("viewer/", "lessons/") if path == "/learn" else ("viewer/",)
    names = (name for name in modules() if name.startswith(folders))
    return "".join(f'<link rel="modulepreload" href="{address(name)}">' for name in names)


@lru_cache(maxsize=1)
def scripts() -> tuple[str, ...]:
    """Return the addresses of `SCRIPTS`, relative to any page."""
    folder = _STATIC / "static" / "js"
    paths = [path for name in SCRIPTS for path in folder.glob(f"{name}.*.js")]
    return tuple(f"./{path.relative_to(_STATIC).as_posix()}" for path in paths)


async def _document(request: Request) -> HTMLResponse:
    later = _IMPORT_IDLY % json.dumps(scripts())
    head = f"<head>{_SERVER}{_HISTORY}{preloads(request.url.path)}{later}"
    html = _SHELL.read_text(encoding="utf-8").replace("<head>", head, 1)
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})
