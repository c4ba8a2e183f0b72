"""Scripts of components as the browser gets them: real modules, kept for good, each at its own address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette

from tests.ui.node import UI, run
from tests.ui.site.asgi import get
from ui.shared import component_files
from ui.shared.component_files import module, modules, version
from ui.site import index_html, module_route

ADDRESS = re.compile(r'new URL\("([^"]+)", document\.baseURI\)')


@pytest.fixture
def app() -> Starlette:
    return Starlette(routes=[module_route.route()])


def address_of(name: str) -> str:
    return ADDRESS.search(module(name)).group(1)


def test_a_component_loads_a_script_that_a_browser_may_keep_for_good(app):
    status, headers, body = get(app, f"/{address_of('viewer/viewer.js')}")
    assert (status, body) == (200, (UI / "viewer/viewer.js").read_bytes())
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]


def test_what_a_script_imports_lies_where_it_says(app):
    for name, content in modules().items():
        found = re.findall(rb'^import .* from "(\..+)";$', content, re.MULTILINE)
        for path in found:
            target = (UI / name).parent / path.decode()
            address = f"/modules/{version()}/{target.resolve().relative_to(UI)}"
            assert get(app, address)[0] == 200, (name, path)


def test_every_script_is_a_module_that_runs_by_itself():
    # Imports resolve by name too: Node refuses a module that does not export what is asked of it.
    run(tuple(name for name in modules() if not name.startswith("vendor/")), "1")


def test_webassembly_is_handed_out_as_such(app):
    name = "vendor/tfjs/tfjs-backend-wasm-simd.wasm"
    status, headers, body = get(app, f"/modules/{version()}/{name}")
    assert (status, body[:4]) == (200, b"\0asm") and headers["content-type"] == "application/wasm"


def test_nothing_but_scripts_of_this_version_is_handed_out(app):
    for path in (
        f"/modules/{version()}/shared/component_files.py",
        f"/modules/{version()}/viewer/gone.js",
        "/modules/0123456789abcdef/viewer/viewer.js",
    ):
        status, headers, _ = get(app, path)
        assert status == 404 and headers["cache-control"] == "no-store"


def test_a_page_fetches_its_scripts_before_its_components_ask(app):
    documents = Starlette(routes=[*index_html.routes(["/learn", "/analyze"]), module_route.route()])
    for page, component in (
        ("/analyze", "viewer/viewer.js"),
        ("/learn", "lessons/measuring/measure.js"),
    ):
        _, _, body = get(documents, page)
        links = re.findall(r'<link rel="modulepreload" href="([^"]+)">', body.decode())
        assert address_of(component) in links
        assert all(get(documents, f"/{link}")[0] == 200 for link in links)
        assert (address_of("lessons/shared/prose.js") in links) is (page == "/learn")


def test_scripts_loaded_ahead_are_those_of_the_installed_streamlit():
    names = [Path(address).name.split(".")[0] for address in index_html.scripts()]
    assert names == [*index_html.SCRIPTS]


def test_another_content_has_another_address(monkeypatch):
    before = version()
    monkeypatch.setattr(component_files, "modules", lambda: {**modules(), "new.js": b"1"})
    assert version.__wrapped__() != before


def test_pages_under_a_path_find_the_scripts_there(monkeypatch):
    monkeypatch.setattr(st, "get_option", lambda name: "/lab/site/")
    app = Starlette(routes=[module_route.route()])
    assert get(app, f"/lab/site/{address_of('viewer/viewer.js')}")[0] == 200
    assert get(app, f"/{address_of('viewer/viewer.js')}")[0] == 404
