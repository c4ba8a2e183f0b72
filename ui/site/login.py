"""A login for the whole site, enabled if Streamlit's secrets have a section ``[auth]``.

Streamlit's own login only protects scripts that check it; addresses of files, uploads and the websocket
stay open. Here visitors who have not logged in get nothing but a redirect to the provider.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.auth_util import (
    encode_provider_token,
    get_secrets_auth_section,
    validate_auth_credentials,
)
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

REQUIRED, ALLOWED = "BT_LOGIN", "BT_LOGIN_ALLOW"
"""Variables: ``required`` makes the server refuse to start without ``[auth]``; and the allowed visitors, as
email addresses and ``@domains`` separated by spaces, or empty for everyone known to the provider."""

_PROVIDER = "default"
_WAYS_IN = ("/auth/login", "/auth/logout", "/oauth2callback")
_STRANGER = "This account may not use the site. Log out at /auth/logout to choose another one."


def is_on() -> bool:
    """Return whether visitors have to log in."""
    return bool(get_secrets_auth_section()) or os.environ.get(REQUIRED) == "required"


def check() -> None:
    """Check the secrets before the first visit.

    Raises:
        StreamlitAuthError: Login is on, but something that it needs is missing.
        ValueError: `REQUIRED` has a value other than ``required``.
    """
    if os.environ.get(REQUIRED, "") not in ("", "required"):
        raise ValueError(f"{REQUIRED} must be empty or 'required', not {os.environ[REQUIRED]!r}.")
    if is_on():
        validate_auth_credentials(_PROVIDER)
        encode_provider_token(_PROVIDER)  # needs the packages of requirements-login.txt


class LoginRequired:
    """ASGI middleware that blocks visitors who have not logged in.

    Args:
        app: The wrapped application.
        open_paths: Paths that need no login, such as the health check.
        pages: Pages that redirect to the login; any other path gets status 401.
        refused: Called with ``login`` for each refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        open_paths: Container[str],
        pages: Container[str],
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._app, self._open, self._pages, self._refused = app, open_paths, pages, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not is_on():
            return await self._app(scope, receive, send)
        base = (st.get_option("server.baseUrlPath") or "").strip("/")
        path = scope["path"].removeprefix(f"/{base}") if base else scope["path"]
        if path in self._open or path in _WAYS_IN:
            return await self._app(scope, receive, send)
        user = _user(scope)
        if user is not None and _may(user):
            return await self._app(scope, receive, send)
        self._refused("login")
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await self._answer(path, base, user)(scope, receive, send)

    def _answer(self, path: str, base: str, user: dict | None) -> Response:
        never_kept = {"Cache-Control": "no-store"}
        if user is not None:
            return PlainTextResponse(_STRANGER, 403, headers=never_kept)
        if path not in self._pages:
            return PlainTextResponse("Log in first.", 401, headers=never_kept)
        root = f"/{base}" if base else ""
        to = f"{root}/auth/login?provider={encode_provider_token(_PROVIDER)}"
        return RedirectResponse(to, 303, headers=never_kept)


def _user(scope: Scope) -> dict | None:
    """Return the provider's claims about a visitor, None if the cookie is missing, forged or expired."""
    found = _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, USER_COOKIE_NAME)
    user = json.loads(found) if found else {}
    return user if user.get("is_logged_in") is True else None


def _may(user: dict) -> bool:
    allowed = os.environ.get(ALLOWED, "").lower().split()
    if not allowed:
        return True
    email = str(user.get("email", "")).lower()
    # A provider that lets users claim any address reports it as unverified.
    if user.get("email_verified") is False or email.count("@") != 1:
        return False
    return email in allowed or f"@{email.split('@')[1]}" in allowed


def bearer(headers: Headers) -> str:
    """Return the token of ``Authorization: Bearer``, empty without one."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
