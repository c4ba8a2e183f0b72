"""Serves the scripts of components, for the browser to load and cache."""

from __future__ import annotations

from pathlib import PurePosixPath

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.shared.component_files import MEDIA_TYPES, modules, version

KEEP = "public, max-age=31536000, immutable"
"""The address contains a hash of the content, so the content never changes."""


def route() -> Route:
    """Serve ``/modules/<hash>/<path below ui/>``, under ``server.baseUrlPath`` if that is set."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/modules/{{version}}/{{name:path}}".replace("//", "/"), _answer)


async def _answer(request: Request) -> Response:
    name = request.path_params["name"]
    content = modules().get(name)
    if content is None or request.path_params["version"] != version():
        return PlainTextResponse("Not found", 404, headers={"Cache-Control": "no-store"})
    kind = MEDIA_TYPES[PurePosixPath(name).suffix]
    return Response(content, media_type=kind, headers={"Cache-Control": KEEP})
