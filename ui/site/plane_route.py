"""Packed planes of a session's slices, for its own browser alone."""

from __future__ import annotations

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.shared.plane_store import store
from ui.viewer.message import message

NEVER_KEEP = {"Cache-Control": "private, no-store"}
"""An upload is nowhere written to a disk, and so not to a browser's either."""

MOST = 64
"""Planes that one request may ask for."""


def route() -> Route:
    """Serve ``/planes/<token>?names=<name>,<name>,…`` as a message with a part for each name."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/planes/{{token}}".replace("//", "/"), _answer)


async def _answer(request: Request) -> Response:
    found = store(request.path_params["token"])
    names = request.query_params.get("names", "").split(",")
    # A late request gets the planes that are still here: a replaced mask costs no other plane.
    planes = {} if found is None or len(names) > MOST else found.get(names)
    if not planes:
        # Files that were just forgotten are no error: a viewer may still be asking for them.
        return Response(status_code=204, headers=NEVER_KEEP)
    # Planes are deflated already: without an encoding of their own they would be compressed once more.
    headers = NEVER_KEEP | {"Content-Encoding": "identity"}
    return Response(message({}, planes), media_type="application/octet-stream", headers=headers)
