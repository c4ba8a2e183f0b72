"""With a login nothing is reachable without it; a small provider of OpenID Connect plays the real one."""

from __future__ import annotations

import re
from contextlib import closing

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from starlette.routing import Route
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.ui.site.running import free_port, running
from ui.site import login, server

SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of these tests, long enough"
client_id = "site"
client_secret = "another one"
server_metadata_url = "http://localhost:{provider}/.well-known/openid-configuration"
"""
EVERYTHING = [
    *server.PAGES,
    "/nowhere",
    "/static/js/index.js",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/upload_file/session/file",
    "/media/0123.png",
    "/component/x/index.html",
    "/planes/token",
    "/modules/hash/viewer.js",
    "/metrics",
    "/auth/nothing",
    "//analyze",
    "/health/../analyze",
    "/health/",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with a login for two of the provider's three accounts."""
    port = free_port()
    people = [
        User(sub=name, claims={"email": f"{name}@{host}", "email_verified": verified})
        for name, host, verified in (
            ("ada", "school.example.org", True),
            ("bob", "elsewhere.example.org", True),
            ("eve", "school.example.org", False),
        )
    ]
    with run_server_in_thread(user_claims=people) as provider:
        secrets = tmp_path_factory.mktemp("secrets") / "secrets.toml"
        secrets.write_text(SECRETS.format(port=port, provider=provider.server_port))
        options = ("--secrets.files", str(secrets))
        allow = {login.REQUIRED: "required", login.ALLOWED: "@school.example.org"}
        with running(*options, port=port, **allow) as site:
            yield site


def log_in(site, name: str) -> httpx.Client:
    """Walk from a page through the provider and back, as a browser does."""
    client = httpx.Client(base_url=site.address, follow_redirects=True, trust_env=False, timeout=30)
    form = client.get("/analyze")
    assert "/oauth2/authorize" in str(form.url), form.text
    client.post(str(form.url), data={"sub": name})
    return client


def test_every_route_is_closed(site):
    paths = set(EVERYTHING) | {
        re.sub(r"\{.*?\}", "x", route.path) for route in server.routes() if isinstance(route, Route)
    }
    client = httpx.Client(base_url=site.address, trust_env=False)
    opened = {path for path in paths if client.get(path).status_code not in (303, 401)}
    # A path that Streamlit takes for a trick is refused before anyone looks for a cookie.
    assert opened == {"/health"}
    assert {client.get(path).status_code for path in server.PAGES} == {303}
    for method in ("PUT", "DELETE", "POST", "OPTIONS"):
        assert client.request(method, "/_stcore/upload_file/session/file").status_code == 401


def stream(site, cookies: str = ""):
    headers = {"Cookie": cookies} if cookies else {}
    url = f"ws://127.0.0.1:{site.port}/_stcore/stream"
    origin = site.address
    return connect(url, origin=origin, subprotocols=["streamlit"], additional_headers=headers)


@pytest.mark.parametrize("cookie", ["", "_streamlit_user=forged", "_streamlit_user=e30.x.y"])
def test_the_websocket_is_closed(site, cookie):
    with pytest.raises(InvalidStatus, match="403"):
        stream(site, cookie)
    assert (
        httpx.get(f"{site.address}/_stcore/health", headers={"Cookie": cookie}).status_code == 401
    )


def test_whoever_logs_in_gets_the_site_and_loses_it_by_logging_out(site):
    with closing(log_in(site, "ada")) as client:
        page = client.get("/analyze")
        assert page.status_code == 200 and "<title>" in page.text and client.cookies
        assert client.get("/_stcore/health").text == "ok"
        with stream(site, "; ".join(f"{name}={value}" for name, value in client.cookies.items())):
            pass
        # The mask of figures stays shut: it is for a scraper with a token.
        assert client.get("/metrics").status_code == 401
        client.get("/auth/logout", follow_redirects=False)
        assert client.get("/analyze", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("name", ["bob", "eve"])
def test_an_account_that_is_not_allowed_is_told_so(site, name):
    with closing(log_in(site, name)) as client:
        page = client.get("/analyze")
        assert page.status_code == 403 and "/auth/logout" in page.text


def test_a_login_that_is_required_and_not_set_up_refuses_to_start(tmp_path):
    log = tmp_path / "log.txt"
    none = ("--secrets.files", str(tmp_path / "none.toml"))
    with pytest.raises(RuntimeError, match="ended"), running(*none, log=log, BT_LOGIN="required"):
        pass
    assert "credentials" in log.read_text()
    with pytest.raises(RuntimeError, match="ended"), running(*none, log=log, BT_LOGIN="yes"):
        pass
    assert "BT_LOGIN must be" in log.read_text()
