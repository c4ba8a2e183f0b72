"""Security headers of every response: no outside requests, and no referrer."""

from __future__ import annotations

import os
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMBED_IN = "BT_EMBED_IN"
"""Variable with sites that may show this one in a frame, separated by spaces: ``https://huggingface.co``."""

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")


def frame_ancestors(sites: str) -> str:
    """Return the policy directive for sites that may show this one in a frame.

    Raises:
        ValueError: One of ``sites`` is not an https origin.
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
        # Streamlit's components are modules created in the page; Plotly generates functions.
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
"""Content security policy: nothing from other sites, and no frames on sites outside `EMBED_IN`."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # An address names the patient on screen, so other sites must not see it as referrer.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SafeHeaders:
    """ASGI middleware that adds `HEADERS` to every HTTP response.

    Args:
        app: The wrapped application.
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
