"""The health check for operators, and the headers of every response."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from btmodels.inference import engine
from btmodels.inference.engine import EngineStatus, NetworkStatus
from tests.ui.site.asgi import get
from ui.site import health
from ui.site.headers import HEADERS, SafeHeaders, frame_ancestors

VERIFIED = {name: NetworkStatus("verified") for name in engine.NEEDED}
ALTERED = VERIFIED | {engine.NEEDED[0]: NetworkStatus("altered", "One byte is another.")}


class Fixed:
    def __init__(self, *args) -> None:
        self._status = EngineStatus(*args)

    def status(self) -> EngineStatus:
        return self._status


@pytest.mark.parametrize(
    ("state", "pid", "networks", "code"),
    [
        ("warm", 4711, VERIFIED, 200),
        ("off", None, VERIFIED, 200),
        ("warming", None, VERIFIED, 503),
        ("failed", None, VERIFIED, 503),
        ("warm", 4711, ALTERED, 503),
    ],
)
def test_health_says_whether_the_networks_answer(monkeypatch, state, pid, networks, code):
    fixed = Fixed(state, "CPU, 2 cores", "", pid, networks)
    monkeypatch.setattr(engine, "get_engine", lambda: fixed)
    app = Starlette(routes=[health.route()], middleware=[Middleware(SafeHeaders)])
    status, headers, body = get(app, health.PATH)
    assert status == code
    found = json.loads(body)
    assert (found["engine"], found["worker"]) == (state, pid)
    assert found["networks"] == {name: network.state for name, network in networks.items()}
    assert headers["Cache-Control"] == "no-store"
    for name, value in HEADERS.items():
        assert headers[name] == value


def test_a_policy_that_an_answer_brings_itself_stays():
    async def app(scope, receive, send):
        headers = [(b"content-security-policy", b"default-src 'none'")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    _, headers, _ = get(SafeHeaders(app), "/")
    assert headers["Content-Security-Policy"] == "default-src 'none'"


def test_a_frame_of_another_site_is_allowed_by_name():
    assert frame_ancestors("") == "frame-ancestors 'self'"
    two = "https://huggingface.co https://school.example.org:8443"
    assert frame_ancestors(two) == f"frame-ancestors 'self' {two}"


@pytest.mark.parametrize(
    "site", ["*", "https:", "http://huggingface.co", "https://a.org;script-src"]
)
def test_what_would_open_the_policy_is_refused(site):
    with pytest.raises(ValueError, match="BT_EMBED_IN"):
        frame_ancestors(site)
