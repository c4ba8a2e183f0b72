"""Security headers of every response: no outside requests, and no referrer."""

from __future__ import annotations

import os
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBED_IN = "BT_EMBED_IN"
"""Variable with the sites that may show this one in a frame, parted by spaces: ``https://huggingface.co``."""

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")


def frame_ancestors(sites: str) -> str:
    """Return the directive of the policy that says which sites may show this one in a frame.

    Raises:
        ValueError: One of ``sites`` is no origin with https.
    """
    for site in sites.split():
        if not _ORIGIN.fullmatch(site):
            raise ValueError(
                f"{EMBED_IN} must hold origins such as https://huggingface.co, not {site!r}."
            )
    return " ".join(("frame-ancestors", "'self'", *sites.split()))


POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's components are modules made in the page; Plotly writes functions of its own.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        frame_ancestors(os.environ.get(EMBED_IN, "")),
    )
)
"""Content security policy: nothing from another site, nor this one in a frame of others than `EMBED_IN`."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # An address says which patient is looked at: no other site is told where a visitor came from.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SafeHeaders:
    """ASGI middleware that adds `HEADERS` to every HTTP response.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
