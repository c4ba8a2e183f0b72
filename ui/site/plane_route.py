"""Serves the packed planes of a session's slices to its own browser."""

from __future__ import annotations

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.shared.plane_store import store
from ui.viewer.message import message

NEVER_KEEP = {"Cache-Control": "private, no-store"}
"""Uploads are never written to disk, including the browser's cache."""

MOST = 64
"""Most planes in one request."""


def route() -> Route:
    """Serve ``/planes/<token>?names=<name>,<name>,…`` as a message with a part for each name."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/planes/{{token}}".replace("//", "/"), _answer)


async def _answer(request: Request) -> Response:
    found = store(request.path_params["token"])
    names = request.query_params.get("names", "").split(",")
    # A late request gets the planes that still exist, even if another one was replaced.
    ready = found is not None and len(names) <= MOST
    planes = await run_in_threadpool(found.get, names) if ready else {}  # packs what is new
    if not planes:
        # No error, since a viewer may still request files that were just forgotten.
        return Response(status_code=204, headers=NEVER_KEEP)
    # Planes are already deflated; the header prevents another compression.
    headers = NEVER_KEEP | {"Content-Encoding": "identity"}
    return Response(message({}, planes), media_type="application/octet-stream", headers=headers)
