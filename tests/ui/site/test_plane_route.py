"""Planes of a session: available at their secret address while the session holds them."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from starlette.applications import Starlette

from tests.ui.node import encoded, run
from tests.ui.site.asgi import get
from ui.shared.plane_store import PlaneStore
from ui.site import plane_route

APP = Starlette(routes=[plane_route.route()])


def ask(token: str, *names: str) -> tuple[int, dict, bytes]:
    return get(APP, f"/planes/{token}", "names=" + ",".join(names))


def put(store: PlaneStore, planes: bytes) -> str:
    return store.put((planes,), lambda: planes)


def test_planes_are_handed_out_by_their_name():
    store = PlaneStore()
    first, same, other = put(store, b"one"), put(store, b"one"), put(store, b"two")
    assert first == same != other
    status, headers, body = ask(store.token, first, other)
    assert status == 200
    found = run(
        ("viewer/message.js",),
        "given.names.map((name) => text(readMessage(bytes(given.body)).part(name)))",
        body=encoded(np.frombuffer(body, np.uint8)),
        names=[first, other],
    )
    assert found == [encoded(np.frombuffer(each, np.uint8)) for each in (b"one", b"two")]
    assert "no-store" in headers["cache-control"] and "private" in headers["cache-control"]


@pytest.mark.parametrize("names", [("gone",), ("",), (), ("x",) * 100])
def test_what_is_not_there_is_not_found(names):
    store = PlaneStore()
    put(store, b"one")
    assert ask(store.token, *names)[0] == 204
    assert ask("guessed", put(store, b"one"))[0] == 204


def test_a_plane_that_is_gone_costs_no_other_one():
    store = PlaneStore()
    old, new = put(store, b"old"), put(store, b"new")
    store.keep([new])
    status, _, body = ask(store.token, old, new)
    assert status == 200 and body.endswith(b"new") and old.encode() not in body


def test_a_request_that_asks_for_too_much_gets_nothing():
    store = PlaneStore()
    names = [put(store, bytes([number])) for number in range(plane_route.MOST + 1)]
    assert ask(store.token, *names)[0] == 204 and ask(store.token, *names[1:])[0] == 200


def test_one_session_cannot_read_anothers_planes():
    mine, theirs = PlaneStore(), PlaneStore()
    name = put(theirs, b"an upload")
    assert mine.token != theirs.token and ask(mine.token, name)[0] == 204


def test_nothing_answers_once_the_session_has_let_go():
    store = PlaneStore()
    token, name = store.token, put(store, b"an upload")
    assert ask(token, name)[0] == 200
    del store
    gc.collect()
    assert ask(token, name)[0] == 204


def test_what_is_no_longer_shown_is_dropped():
    store = PlaneStore()
    old, new = put(store, b"old"), put(store, b"new")
    store.keep([new, None])
    assert ask(store.token, new)[0] == 200 and ask(store.token, old)[0] == 204
